// Who is compared with, and when, on a clock that the spec moves. Rule: what was lost is found again by the next digest, whatever was missed.

import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Contacts } from '../../../src/agent/contacts.ts';
import type { ContactParts } from '../../../src/agent/contacts.ts';
import { Events } from '../../../src/agent/events.ts';
import { Peers } from '../../../src/home/peers.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceId, Grant } from '../../../src/lib/names.ts';
import type { Connection, IncomingIq } from '../../../src/xmpp/connection.ts';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { NS_AGENT } from '../../../src/xmpp/namespaces.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const HALF_AN_HOUR = 30 * 60_000;

const laptop = makePeer('laptop', { address: parseFullJid('anna@example.org/laptop') });
const phone = makePeer('phone', { address: parseFullJid('anna@example.org/phone') });
const me = makePeer('me').device;

let clock: VirtualClock;
let contacts: Contacts;
/** Who answers, at the server and on a link. */
let there: Set<string>;
let compared: DeviceId[];
let hellos: string[];

let peers: Peers;
let loops: ReturnType<ContactParts['loops']['all']>;
let dropped: DeviceId[];
/** Who answers a hello or bye that comes in. */
const handlers = new Map<string, (iq: IncomingIq) => Promise<Element | undefined>>();

const connection = {
  handleIq: (_namespace: string, name: string, handler: (iq: IncomingIq) => Promise<Element | undefined>) => void handlers.set(name, handler),
  iq: (_type: string, to: string) => {
    hellos.push(to);
    return there.has(to) ? Promise.resolve(undefined) : Promise.reject(new Fault('timeout', 'nobody there'));
  },
} as unknown as Connection;

beforeEach(async () => {
  clock = new VirtualClock();
  [compared, hellos, there] = [[], [], new Set([String(laptop.address), String(phone.address)])];
  dropped = [];
  loops = [];
  peers = await Peers.open(join(makeFolder(), 'peers.json'));
  for (const peer of [laptop, phone]) await peers.add(peer);
  const links = {
    ask: (device: DeviceId) => {
      if (!there.has(String(peers.byDevice(device)?.address))) return Promise.reject(new Fault('peer-offline', 'gone'));
      compared.push(device);
      return Promise.resolve({ version: 1, repos: [] });
    },
    isOnItsOwn: () => false,
    drop: (device: DeviceId) => void dropped.push(device),
  } as unknown as ContactParts['links'];
  const answers = { digestFor: () => ({ version: 1, repos: [] }) } as unknown as ContactParts['answers'];
  const known = { all: () => loops, byId: (id: string) => loops.find(({ context }) => context.shared().id === id) };
  const nothing = { loops: known, findAddress: () => Promise.resolve(undefined), onThere: () => undefined, onDigest: () => undefined };
  contacts = new Contacts({ me, peers, links, answers, events: new Events(clock, silentLog), clock, chance: () => 0, ...nothing });
});

describe('Contacts', () => {
  it('compare with everybody on signing in, and every half hour where nothing happens', async () => {
    contacts.start(connection);
    await clock.pass(1);
    expect(compared).toEqual([laptop.device, phone.device]);
    await clock.pass(HALF_AN_HOUR - 2);
    expect(compared).toHaveLength(2);
    await clock.pass(1);
    expect(compared).toHaveLength(4);
    await clock.pass(2 * HALF_AN_HOUR);
    expect(compared).toHaveLength(8);
    contacts.stop();
    await clock.pass(2 * HALF_AN_HOUR);
    expect(compared).toHaveLength(8);
  });

  it('find by the half-hour digest who was lost without a word, and came back without one', async () => {
    there.delete(String(phone.address));
    contacts.start(connection);
    await clock.pass(1);
    expect([contacts.isOnline(laptop.device), contacts.isOnline(phone.device)]).toEqual([true, false]);
    there.add(String(phone.address));
    await clock.pass(HALF_AN_HOUR);
    expect(contacts.isOnline(phone.device)).toBe(true);
    // Who is there is not asked whether it is.
    expect(hellos).toEqual([laptop.address, phone.address, phone.address]);
  });

  it('make one comparison of many that are asked for at once', async () => {
    contacts.start(connection);
    await clock.pass(1);
    await Promise.all(Array.from({ length: 20 }, () => contacts.contact(laptop.device)));
    expect(compared.filter((device) => device === laptop.device)).toHaveLength(2);
  });

  it('answer a hello once it is written down where it came from, so that hellos without end wait at their sender', async () => {
    contacts.start(connection);
    const written = vi.spyOn(peers, 'update');
    const from = parseFullJid('anna@example.org/phone-2');
    expect((await say('hello', from, phone.device))?.name).toBe('hello');
    expect(written).toHaveBeenCalledWith(phone.device, { address: from });
    expect(peers.byDevice(phone.device)?.address).toBe(from);
    written.mockRejectedValueOnce(new Fault('disk-full', 'no room'));
    expect((await say('hello', 'anna@example.org/phone-3', phone.device))?.name).toBe('hello');
  });

  it('learn where a device is by the hello that it says from its own account', async () => {
    contacts.start(connection);
    const answer = await say('hello', 'anna@example.org/new', laptop.device);
    expect(answer?.attrs['device']).toBe(me);
    await until(() => peers.byDevice(laptop.device)?.address === 'anna@example.org/new');
  });

  it.each([
    ['from another account', 'eve@example.org/laptop', laptop.device],
    ['of a device that is not paired', 'anna@example.org/laptop', makePeer('stranger').device],
  ])('answer no hello %s, and learn nothing by it', async (_what, from, device) => {
    contacts.start(connection);
    await expect(say('hello', from, device)).rejects.toMatchObject({ condition: 'item-not-found' });
    expect(peers.byDevice(laptop.device)?.address).toBe(laptop.address);
  });

  it('refuse a hello without a device', async () => {
    contacts.start(connection);
    await expect(say('hello', 'anna@example.org/laptop', 'laptop')).rejects.toMatchObject({ condition: 'bad-request' });
  });

  it('take a device for gone by a bye from its own address alone', async () => {
    contacts.start(connection);
    await clock.pass(1);
    for (const from of ['anna@example.org/elsewhere', 'eve@example.org/laptop']) await say('bye', from, laptop.device);
    expect([contacts.isOnline(laptop.device), dropped]).toEqual([true, []]);
    await say('bye', String(laptop.address), laptop.device);
    expect([contacts.isOnline(laptop.device), dropped]).toEqual([false, [laptop.device]]);
  });

  it('tell of a digest those repositories alone that the peer may read', () => {
    const told: string[] = [];
    const loopOf = (name: string, grant: Grant): (typeof loops)[number] =>
      ({ context: { shared: () => makeSharedRepo(name, { grants: { [laptop.device]: grant } }) }, tell: ({ type }: { readonly type: string }) => told.push(`${name} ${type}`) }) as unknown as (typeof loops)[number];
    loops = [loopOf('notes', 'read'), loopOf('secret', 'none')];
    const digest = { version: 1, repos: loops.map(({ context }) => ({ repo: context.shared().id, name: context.shared().name, maps: new Map<DeviceId, number>() })) };
    contacts.heard(laptop, digest);
    expect(told).toEqual(['notes contact']);
  });
});

async function say(word: 'hello' | 'bye', from: string, device: string): Promise<Element | undefined> {
  const handler = handlers.get(word);
  if (handler === undefined) throw new Error(`nobody answers a ${word}`);
  return handler({ type: 'set', from, id: '1', payload: xml(word, { xmlns: NS_AGENT, device }) });
}
