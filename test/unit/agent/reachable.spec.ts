import { beforeEach, describe, expect, it } from 'vitest';
import { Events } from '../../../src/agent/events.ts';
import { Reachable } from '../../../src/agent/reachable.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const [LAPTOP, PHONE] = [makePeer('laptop'), makePeer('phone')];

let events: Events;
let online: Set<string>;
let reachable: Reachable;
let peers = [LAPTOP, PHONE];
const told = (): string[] => events.recent.filter(({ type }) => type.endsWith('connected')).map(({ type, peer }) => `${type} ${peer ?? ''}`);

beforeEach(() => {
  events = new Events(new VirtualClock(), silentLog);
  online = new Set();
  peers = [LAPTOP, PHONE];
  reachable = new Reachable({ peers: { list: () => peers }, isOnline: (device) => online.has(device), events });
});

describe('Reachable', () => {
  it('tells of each peer that comes and goes, once a change', () => {
    online.add(LAPTOP.device);
    reachable.look();
    reachable.look();
    online.add(PHONE.device);
    reachable.look();
    online.delete(LAPTOP.device);
    reachable.look();
    expect(told()).toEqual(['connected laptop', 'connected phone', 'disconnected laptop']);
  });

  it.each(['offline', 'not-online', 'unpaired'])('looks by itself after %s', (type) => {
    online.add(LAPTOP.device);
    reachable.look();
    online.clear();
    events.emit({ type, words: 'gone' });
    expect(told()).toEqual(['connected laptop', 'disconnected laptop']);
  });

  it('tells that one is gone which is not paired any more, by the name that it had', () => {
    online.add(LAPTOP.device);
    reachable.look();
    peers = [PHONE];
    reachable.look();
    expect(told()).toEqual(['connected laptop', 'disconnected laptop']);
  });
});
