import { beforeEach, describe, expect, it } from 'vitest';
import { parseDeviceId } from '../../../src/lib/names.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { Engine } from '../../../src/sync/engine.ts';
import type { Intention } from '../../../src/sync/engine.ts';

const device = (digit: string): DeviceId => parseDeviceId(digit.repeat(32));
const [ME, LAPTOP, PHONE, TOWER] = [device('0'), device('1'), device('2'), device('3')];
const holding = (...entries: [DeviceId, number][]): Map<DeviceId, number> => new Map(entries);
const offer = (peer: DeviceId, of: DeviceId, counter: number): Intention => ({ type: 'offer', peer, device: of, counter });

let engine: Engine;

beforeEach(() => {
  engine = new Engine(ME, holding([ME, 5]));
  for (const peer of [LAPTOP, PHONE]) engine.receive({ type: 'granted', peer, isGranted: true });
});

const contact = (peer: DeviceId, ...maps: [DeviceId, number][]): Intention[] => engine.receive({ type: 'contact', peer, maps: holding(...maps) });
const delivered = (peer: DeviceId, of: DeviceId, counter: number): Intention[] => engine.receive({ type: 'delivered', peer, device: of, counter });
const undelivered = (peer: DeviceId, of: DeviceId, mayRetry: boolean): Intention[] => engine.receive({ type: 'undelivered', peer, device: of, mayRetry });
const accepted = (of: DeviceId, counter: number, via: DeviceId): Intention[] => engine.receive({ type: 'accepted', device: of, counter, via });

describe('Engine', () => {
  it('publishes when something moved', () => {
    expect(engine.receive({ type: 'moved' })).toEqual([{ type: 'publish' }]);
  });

  it('offers what a peer lacks once it has told what it holds, and then is silent', () => {
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 5)]);
    expect(engine.isOffering(LAPTOP)).toBe(true);
    expect(delivered(LAPTOP, ME, 5)).toEqual([]);
    expect(engine.isOffering(LAPTOP)).toBe(false);
    expect(contact(LAPTOP, [ME, 5])).toEqual([]);
  });

  it('offers nothing to a peer that holds as much or more', () => {
    expect(contact(LAPTOP, [ME, 6])).toEqual([]);
    expect(engine.owed(LAPTOP)).toEqual([]);
  });

  it('neither passes on nor takes the map of a device that was unpaired, until that is paired again', () => {
    expect(contact(LAPTOP, [ME, 5])).toEqual([]);
    expect(accepted(PHONE, 3, PHONE)).toEqual([{ type: 'consider', device: PHONE }, offer(LAPTOP, PHONE, 3)]);
    delivered(LAPTOP, PHONE, 3);
    engine.receive({ type: 'forgotten', device: PHONE });
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 5)]);
    expect(delivered(LAPTOP, ME, 5)).toEqual([]);
    expect([...engine.maps.keys()]).toEqual([ME]);
    expect(accepted(PHONE, 4, LAPTOP)).toEqual([]);
    expect(contact(PHONE)).toEqual([]);
    engine.receive({ type: 'granted', peer: PHONE, isGranted: true });
    expect(accepted(PHONE, 5, PHONE)).toEqual([{ type: 'consider', device: PHONE }, offer(LAPTOP, PHONE, 5)]);
  });

  it('offers nothing to a peer without a grant, or that has not told what it holds', () => {
    expect(contact(TOWER)).toEqual([]);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([{ type: 'announce', peers: [LAPTOP, PHONE] }]);
    expect(engine.owed(LAPTOP)).toBeUndefined();
    expect(engine.isReachable(LAPTOP)).toBe(false);
  });

  it('announces to those it has no way to, and offers to the others', () => {
    contact(LAPTOP, [ME, 5]);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([offer(LAPTOP, ME, 6), { type: 'announce', peers: [PHONE] }]);
  });

  it('relays what it takes in to all others, and considers it', () => {
    contact(LAPTOP, [ME, 5], [TOWER, 3]);
    contact(PHONE, [ME, 5]);
    expect(accepted(TOWER, 3, LAPTOP)).toEqual([{ type: 'consider', device: TOWER }, offer(PHONE, TOWER, 3)]);
  });

  it('takes nothing in twice, nor an older map', () => {
    contact(PHONE, [ME, 5]);
    accepted(TOWER, 3, LAPTOP);
    expect(accepted(TOWER, 3, PHONE)).toEqual([]);
    expect(accepted(TOWER, 2, PHONE)).toEqual([]);
    expect(engine.maps.get(TOWER)).toBe(3);
  });

  it('never offers a peer its own map', () => {
    accepted(LAPTOP, 9, PHONE);
    expect(contact(LAPTOP, [ME, 5])).toEqual([]);
    expect(engine.owed(LAPTOP)).toEqual([]);
  });

  it('has one offer to a peer under way at a time, its own map first', () => {
    accepted(TOWER, 3, PHONE);
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 5)]);
    expect(engine.owed(LAPTOP)).toEqual([ME, TOWER]);
    expect(accepted(PHONE, 1, PHONE)).toEqual([{ type: 'consider', device: PHONE }]);
    expect(delivered(LAPTOP, ME, 5)).toEqual([offer(LAPTOP, TOWER, 3)]);
  });

  it('offers the newest map after the one that was under way', () => {
    contact(LAPTOP);
    engine.receive({ type: 'published', counter: 6 });
    engine.receive({ type: 'published', counter: 7 });
    expect(delivered(LAPTOP, ME, 5)).toEqual([offer(LAPTOP, ME, 7)]);
  });

  it('believes of a peer no less than was delivered or came from it', () => {
    contact(LAPTOP, [ME, 5]);
    contact(PHONE, [ME, 5], [TOWER, 8]);
    accepted(TOWER, 3, PHONE);
    expect(engine.held(PHONE).get(TOWER)).toBe(8);
    delivered(PHONE, ME, 4);
    expect(engine.held(PHONE).get(ME)).toBe(5);
  });

  it('does not offer a refused map again, until a newer one or the next contact', () => {
    contact(LAPTOP);
    expect(undelivered(LAPTOP, ME, true)).toEqual([]);
    expect(engine.isReachable(LAPTOP)).toBe(true);
    expect(accepted(TOWER, 1, PHONE)).toEqual([{ type: 'consider', device: TOWER }, offer(LAPTOP, TOWER, 1)]);
    delivered(LAPTOP, TOWER, 1);
    expect(engine.receive({ type: 'published', counter: 6 })).toContainEqual(offer(LAPTOP, ME, 6));
    expect(undelivered(LAPTOP, ME, true)).toEqual([]);
    expect(contact(LAPTOP, [TOWER, 1])).toEqual([offer(LAPTOP, ME, 6)]);
  });

  it('offers a newer map at once when an older one was refused because of it', () => {
    contact(LAPTOP);
    engine.receive({ type: 'published', counter: 6 });
    expect(undelivered(LAPTOP, ME, true)).toEqual([offer(LAPTOP, ME, 6)]);
  });

  it('offers a peer no map of a device that it has no use for, until it names one itself', () => {
    contact(LAPTOP, [ME, 5]);
    expect(accepted(TOWER, 1, PHONE)).toContainEqual(offer(LAPTOP, TOWER, 1));
    expect(engine.receive({ type: 'undelivered', peer: LAPTOP, device: TOWER, mayRetry: true, isUnwanted: true })).toEqual([]);
    expect(accepted(TOWER, 2, PHONE)).toEqual([{ type: 'consider', device: TOWER }]);
    expect(contact(LAPTOP, [ME, 5])).toEqual([]);
    expect(engine.owed(LAPTOP)).toEqual([]);
    expect(contact(LAPTOP, [ME, 5], [TOWER, 1])).toEqual([offer(LAPTOP, TOWER, 2)]);
  });

  it('changes nothing for news that come twice, late or out of order', () => {
    contact(LAPTOP, [ME, 5]);
    contact(PHONE, [ME, 5]);
    expect(accepted(TOWER, 3, LAPTOP)).toContainEqual(offer(PHONE, TOWER, 3));
    delivered(PHONE, TOWER, 3);
    const before = new Map(engine.maps);
    for (const counter of [3, 1, 2, 3]) for (const via of [LAPTOP, PHONE]) expect(accepted(TOWER, counter, via)).toEqual([]);
    expect([...delivered(PHONE, TOWER, 1), ...undelivered(PHONE, TOWER, true), ...engine.receive({ type: 'answered', peer: PHONE })]).toEqual([]);
    expect(engine.maps).toEqual(before);
    expect(contact(PHONE, [ME, 5], [TOWER, 3])).toEqual([]);
  });

  it('waits for the next contact with a peer that was lost', () => {
    contact(LAPTOP);
    expect(engine.receive({ type: 'lost', peer: LAPTOP })).toEqual([]);
    expect(undelivered(LAPTOP, ME, false)).toEqual([]);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([{ type: 'announce', peers: [LAPTOP, PHONE] }]);
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 6)]);
  });

  it('announces to a peer that was lost with nothing under way, and offers it nothing', () => {
    contact(LAPTOP, [ME, 5]);
    engine.receive({ type: 'lost', peer: LAPTOP });
    expect(engine.isReachable(LAPTOP)).toBe(false);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([{ type: 'announce', peers: [LAPTOP, PHONE] }]);
  });

  it('takes a peer for lost when an offer could not reach it', () => {
    contact(LAPTOP);
    expect(undelivered(LAPTOP, ME, false)).toEqual([]);
    expect(engine.isReachable(LAPTOP)).toBe(false);
  });

  it.each([true, false])('tries again when an offer from before the newest contact fails late (may retry: %s)', (mayRetry) => {
    contact(LAPTOP);
    engine.receive({ type: 'lost', peer: LAPTOP });
    expect(contact(LAPTOP)).toEqual([]);
    expect(undelivered(LAPTOP, ME, mayRetry)).toEqual([offer(LAPTOP, ME, 5)]);
    expect(engine.isReachable(LAPTOP)).toBe(true);
  });

  it('takes the late end of an offer to a peer that was granted anew for nothing', () => {
    contact(LAPTOP);
    engine.receive({ type: 'granted', peer: LAPTOP, isGranted: false });
    expect(undelivered(LAPTOP, ME, true)).toEqual([]);
    engine.receive({ type: 'granted', peer: LAPTOP, isGranted: true });
    expect(delivered(LAPTOP, ME, 5)).toEqual([]);
    expect(engine.owed(LAPTOP)).toBeUndefined();
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 5)]);
  });

  it('keeps what it knows of a peer that is granted once more', () => {
    contact(LAPTOP, [ME, 5]);
    engine.receive({ type: 'granted', peer: LAPTOP, isGranted: true });
    expect(engine.isReachable(LAPTOP)).toBe(true);
    expect(engine.held(LAPTOP)).toEqual(holding([ME, 5]));
  });

  it('forgets a peer whose grant was taken', () => {
    contact(LAPTOP);
    engine.receive({ type: 'granted', peer: LAPTOP, isGranted: false });
    expect(engine.isReachable(LAPTOP)).toBe(false);
    expect(engine.held(LAPTOP).size).toBe(0);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([{ type: 'announce', peers: [PHONE] }]);
  });

  it('offers everything anew to a peer that lost what it held', () => {
    contact(LAPTOP, [ME, 5]);
    expect(contact(LAPTOP)).toEqual([offer(LAPTOP, ME, 5)]);
  });

  it('offers nothing to a peer whose own offer is being answered, for our map can ride in the answer', () => {
    contact(LAPTOP, [ME, 5]);
    engine.receive({ type: 'accepted', device: LAPTOP, counter: 9, via: LAPTOP, isOpen: true });
    expect(engine.isOffering(LAPTOP)).toBe(true);
    expect(engine.receive({ type: 'published', counter: 6 })).toEqual([{ type: 'announce', peers: [PHONE] }]);
    delivered(LAPTOP, ME, 6);
    expect(engine.receive({ type: 'answered', peer: LAPTOP })).toEqual([]);
    expect(engine.isOffering(LAPTOP)).toBe(false);
  });

  it('waits until the last of several offers of a peer is answered', () => {
    contact(LAPTOP, [ME, 5]);
    for (const counter of [8, 9]) engine.receive({ type: 'accepted', device: LAPTOP, counter, via: LAPTOP, isOpen: true });
    engine.receive({ type: 'published', counter: 6 });
    expect(engine.receive({ type: 'answered', peer: LAPTOP })).toEqual([]);
    expect(engine.receive({ type: 'answered', peer: LAPTOP })).toEqual([offer(LAPTOP, ME, 6)]);
  });

  it('tells nobody of a map that could not be stored', () => {
    engine.receive({ type: 'accepted', device: LAPTOP, counter: 9, via: LAPTOP, isOpen: true });
    engine.receive({ type: 'unstored', device: LAPTOP, counter: 0 });
    expect(engine.maps).toEqual(holding([ME, 5]));
    engine.receive({ type: 'accepted', device: LAPTOP, counter: 9, via: LAPTOP });
    engine.receive({ type: 'unstored', device: LAPTOP, counter: 3 });
    expect(engine.maps.get(LAPTOP)).toBe(3);
  });

  it('offers after an answer what did not go into it', () => {
    contact(LAPTOP, [ME, 5]);
    engine.receive({ type: 'accepted', device: LAPTOP, counter: 9, via: LAPTOP, isOpen: true });
    engine.receive({ type: 'published', counter: 6 });
    expect(engine.receive({ type: 'answered', peer: LAPTOP })).toEqual([offer(LAPTOP, ME, 6)]);
    expect(engine.receive({ type: 'answered', peer: TOWER })).toEqual([]);
  });
});
