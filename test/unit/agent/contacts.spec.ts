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
import type { DeviceId } from '../../../src/lib/names.ts';
import type { Connection, IqHandler } from '../../../src/xmpp/connection.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

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

let sayHello: IqHandler;
let peers: Peers;

const connection = {
  handleIq: (_namespace: string, name: string, handler: IqHandler) => {
    if (name === 'hello') sayHello = handler;
  },
  iq: (_type: string, to: string) => {
    hellos.push(to);
    return there.has(to) ? Promise.resolve(undefined) : Promise.reject(new Fault('timeout', 'nobody there'));
  },
} as unknown as Connection;

beforeEach(async () => {
  clock = new VirtualClock();
  [compared, hellos, there] = [[], [], new Set([String(laptop.address), String(phone.address)])];
  peers = await Peers.open(join(makeFolder(), 'peers.json'));
  for (const peer of [laptop, phone]) await peers.add(peer);
  const links = {
    ask: (device: DeviceId) => {
      if (!there.has(String(peers.byDevice(device)?.address))) return Promise.reject(new Fault('peer-offline', 'gone'));
      compared.push(device);
      return Promise.resolve({ version: 1, repos: [] });
    },
    isOnItsOwn: () => false,
    drop: () => undefined,
  } as unknown as ContactParts['links'];
  const answers = { digestFor: () => ({ version: 1, repos: [] }) } as unknown as ContactParts['answers'];
  const nothing = { loops: () => [], findAddress: () => Promise.resolve(undefined), onThere: () => undefined, onDigest: () => undefined };
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
    const hello = { type: 'set', from, id: '1', payload: xml('hello', { xmlns: 'urn:git-xmpp:agent:1', device: phone.device }) } as const;
    expect((await sayHello(hello))?.name).toBe('hello');
    expect(written).toHaveBeenCalledWith(phone.device, { address: from });
    expect(peers.byDevice(phone.device)?.address).toBe(from);
    written.mockRejectedValueOnce(new Fault('disk-full', 'no room'));
    expect((await sayHello({ ...hello, from: parseFullJid('anna@example.org/phone-3') }))?.name).toBe('hello');
  });
});
