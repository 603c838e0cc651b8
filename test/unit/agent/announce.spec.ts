// Announcements between real devices: one seals, one opens, and all that is not in order is dropped.

import { Decrypter, Encrypter } from 'age-encryption';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openAnnouncement, sealAnnouncement } from '../../../src/agent/announce.ts';
import type { Announced } from '../../../src/agent/announce.ts';
import { Announcements } from '../../../src/agent/announcements.ts';
import { Events } from '../../../src/agent/events.ts';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import { Offering } from '../../../src/agent/offering.ts';
import { RepoLoop } from '../../../src/agent/loop.ts';
import { loadIdentity } from '../../../src/home/identity.ts';
import type { Identity } from '../../../src/home/identity.ts';
import { Peers } from '../../../src/home/peers.ts';
import type { Peer } from '../../../src/home/peers.ts';
import type { SharedRepo } from '../../../src/home/repos.ts';
import { decodeBase64, encodeBase64 } from '../../../src/lib/base64.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { createLog, silentLog } from '../../../src/lib/log.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { Links } from '../../../src/link/links.ts';
import { signAnnouncement, verifyAnnouncement } from '../../../src/sync/announcement-format.ts';
import type { Announcement } from '../../../src/sync/announcement-format.ts';
import { mapHash } from '../../../src/sync/map-format.ts';
import type { RefsOfMap } from '../../../src/sync/map-format.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { NS_ANNOUNCE } from '../../../src/xmpp/namespaces.ts';
import { NO_HUBS } from '../../helpers/agent-pair.ts';
import { copyOf, openAgentRepo, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import { makeHome } from '../../helpers/home.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { commit, makeFolder, makeRepo } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const NOW = 1_700_000_000_000;
const clock = new VirtualClock(NOW);
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const two = commit(base, { a: '2' }, 'two');
const none: RefsOfMap = new Map();

let anna: Identity;
let bob: Identity;
let carol: Identity;
let sender: RepoLoop;
let receiver: RepoLoop;
let known: Peers;

beforeAll(async () => {
  [anna, bob, carol] = [await identity('anna'), await identity('bob'), await identity('carol')];
});

beforeEach(async () => {
  known = await peersOf(peer(anna));
  sender = await loopOf(anna, await peersOf(peer(bob), peer(carol)));
  receiver = await loopOf(bob, known);
});

async function identity(name: string): Promise<Identity> {
  return loadIdentity(await makeHome(), { name });
}

function peer(of: Identity, patch: Partial<Peer> = {}): Peer {
  return makePeer(of.name, { device: of.device, spki: of.spki, recipient: of.ageRecipient, ...patch });
}

async function peersOf(...all: readonly Peer[]): Promise<Peers> {
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  for (const each of all) await peers.add(each);
  return peers;
}

async function loopOf(me: Identity, peers: Peers, shared: Partial<SharedRepo> = {}): Promise<RepoLoop> {
  const context = await openAgentRepo(copyOf(base), { shared });
  const links = new Links({
    dial: () => Promise.reject(new Fault('peer-offline', 'there is no network here')),
    findAddress: () => Promise.resolve(undefined),
    nameOf: (device) => device,
    lastSeen: () => '',
    onUp: () => undefined,
    onDown: () => undefined,
    clock,
    log: silentLog,
  });
  const events = new Events(clock, silentLog);
  const untold = { onLost: () => undefined, announce: () => undefined, around: NO_HUBS };
  return new RepoLoop({ context, me, peers, links, events, clock, random: () => 0, offering: new Offering(clock), exchanges: new Exchanges(events), ...untold });
}

const publish = (refs: Parameters<typeof refsOf>[0]): Promise<number | undefined> =>
  sender.context.maps.publish(anna.device, refsOf(refs), { keyPem: anna.keyPem, now: clock.now() });

async function seal(to = peer(bob), before: RefsOfMap = none): Promise<Element> {
  const payload = await sealAnnouncement(sender, anna, { to, before });
  if (payload === undefined) throw new Error('nothing was sealed');
  return payload;
}

/** What a payload says to a receiver, whatever it is worth. */
async function read(payload: Element, by: Identity = bob): Promise<Announcement | undefined> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(by.ageIdentity);
  return verifyAnnouncement(await decrypter.decrypt(decodeBase64(payload.text())), () => anna.spki);
}

const open = (payload: Element, peers = known, loops = [receiver]): Promise<Announced | undefined> =>
  openAnnouncement(payload, bob, { peers, loops: () => loops });

/** An announcement made by hand, sealed to bob and to `others` more, each of whom makes it longer. */
async function forge(
  said: Partial<Announcement> = {},
  by: { readonly signer?: Identity; readonly others?: number } = {},
): Promise<Element> {
  const whole = { repo: makeSharedRepo('notes').id, device: anna.device, counter: NOW, tips: none, rest: mapHash(none), ...said };
  return sealBytes(signAnnouncement(whole, (by.signer ?? anna).keyPem), by.others);
}

async function sealBytes(bytes: Uint8Array, others = 0): Promise<Element> {
  const encrypter = new Encrypter();
  for (let count = 0; count < others; count += 1) encrypter.addRecipient(carol.ageRecipient);
  encrypter.addRecipient(bob.ageRecipient);
  return payloadOf(encodeBase64(await encrypter.encrypt(bytes)));
}

const payloadOf = (text: string): Element => xml('announcement', { xmlns: NS_ANNOUNCE }, text);

describe('sealAnnouncement', () => {
  it('says nothing before there is a map', async () => {
    expect(await sealAnnouncement(sender, anna, { to: peer(bob), before: none })).toBeUndefined();
  });

  it('says nothing to a device that may not read', async () => {
    await publish({ main: one });
    const stranger = peer(bob, { kind: 'other', jid: parseBareJid('bob@example.net') });
    expect(await sealAnnouncement(sender, anna, { to: stranger, before: none })).toBeUndefined();
  });

  it('names what changed since the last one, and digests the rest', async () => {
    await publish({ main: two, topic: one });
    const said = await read(await seal(peer(bob), refsOf({ main: one, topic: one, old: one })));
    expect(said).toMatchObject({ device: anna.device, repo: sender.context.shared().id, counter: NOW });
    expect(said?.tips).toEqual(new Map([...refsOf({ main: two }), ['refs/heads/old', undefined]]));
    expect(said?.rest).toBe(mapHash(refsOf({ topic: one })));
  });

  it('stays within 4 KiB, be the names as many and as long as they may', async () => {
    const names = Array.from({ length: 20 }, (_none, index) => `${'語'.repeat(35)}${String(index).padStart(2, '0')}`);
    const long = names.map((name) => `${'語'.repeat(60)}/${name}`);
    await publish(Object.fromEntries([...long, ...names].map((name) => [name, one])));
    const payload = await seal();
    expect(decodeBase64(payload.text()).length).toBeLessThanOrEqual(4096);
    expect((await read(payload))?.tips.size).toBe(16);
    expect(await open(payload)).toMatchObject({ counter: NOW });
  });

  it('is sealed to one receiver: another cannot open it, nor read it on the way', async () => {
    await publish({ main: one });
    const payload = await seal(peer(carol));
    await expect(read(payload, bob)).rejects.toThrow();
    expect(await open(payload)).toBeUndefined();
    expect((await read(payload, carol))?.counter).toBe(NOW);
    expect(Buffer.from(decodeBase64(payload.text())).includes('refs/heads/main')).toBe(false);
  });
});

describe('openAnnouncement', () => {
  it('gives peer, repository and counter', async () => {
    await publish({ main: one });
    expect(await open(await seal())).toEqual({ peer: peer(anna), loop: receiver, counter: NOW, isNews: true, hub: undefined });
    expect(await open(await forge())).toMatchObject({ counter: NOW });
  });

  it('drops what another key has signed', async () => {
    expect(await open(await forge({}, { signer: carol }))).toBeUndefined();
  });

  it('drops what a device says that is not paired', async () => {
    expect(await open(await forge({ device: carol.device }, { signer: carol }))).toBeUndefined();
  });

  it('drops what is not newer than the map that is held', async () => {
    await takeMap(receiver.context, anna, { counter: NOW, refs: refsOf({ main: one }) });
    expect(await open(await forge({ counter: NOW - 1 }))).toBeUndefined();
    expect(await open(await forge({ counter: NOW }))).toBeUndefined();
    expect(await open(await forge({ counter: NOW + 1 }))).toMatchObject({ counter: NOW + 1 });
  });

  it('hears of a hub from a map that is held, but not from an older one', async () => {
    const hub = 'ab'.repeat(16);
    await takeMap(receiver.context, anna, { counter: NOW, refs: refsOf({ main: one }) });
    expect(await open(await forge({ counter: NOW, hub }))).toMatchObject({ isNews: false, hub });
    expect(await open(await forge({ counter: NOW + 1, hub }))).toMatchObject({ isNews: true, hub });
    expect(await open(await forge({ counter: NOW - 1, hub }))).toBeUndefined();
  });

  it.each(['none', 'read'] as const)('drops what a device says that is granted %s', async (grant) => {
    const narrow = await loopOf(bob, known, { grants: { [anna.device]: grant } });
    expect(await open(await forge(), known, [narrow])).toBeUndefined();
  });

  it('takes what a device says that is granted offer', async () => {
    const wide = await loopOf(bob, known, { grants: { [anna.device]: 'offer' } });
    expect(await open(await forge(), known, [wide])).toMatchObject({ counter: NOW });
  });

  it('drops what is about a repository that is not shared here', async () => {
    expect(await open(await forge({ repo: makeSharedRepo('other').id }))).toBeUndefined();
    expect(await open(await forge(), known, [])).toBeUndefined();
  });

  const header = encodeBase64(Buffer.from('age-encryption.org/v1\n'));
  it.each(['', 'hello', 'AAAA', '<&>', '!'.repeat(10), header])('drops garbage: %j', async (text) => {
    expect(await open(payloadOf(text))).toBeUndefined();
  });

  it('drops garbage that is well sealed, and a message that was changed on the way', async () => {
    expect(await open(await sealBytes(new Uint8Array(200)))).toBeUndefined();
    const bytes = decodeBase64((await forge()).text());
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(await open(payloadOf(encodeBase64(bytes)))).toBeUndefined();
  });

  it('drops more than 4 KiB unread, though all else about it is in order', async () => {
    const text = async (others: number): Promise<string> => (await forge({}, { others })).text();
    const [fits, tooLong] = [await text(30), await text(45)];
    expect(decodeBase64(fits).length).toBeLessThanOrEqual(4096);
    expect(decodeBase64(tooLong).length).toBeGreaterThan(4096);
    expect(await open(payloadOf(fits))).toMatchObject({ counter: NOW });
    expect((await read(payloadOf(tooLong)))?.counter).toBe(NOW);
    expect(await open(payloadOf(tooLong))).toBeUndefined();
  });
});

describe('Announcements', () => {
  interface Heard {
    readonly announcements: Announcements;
    readonly compared: DeviceId[];
    readonly events: Events;
    readonly lines: string[];
  }

  function listen(): Heard {
    const events = new Events(clock, silentLog);
    const [compared, lines]: [DeviceId[], string[]] = [[], []];
    const log = createLog((line) => lines.push(line), 'info', () => clock.now());
    const announcements = new Announcements({ identity: bob, peers: known, loops: () => [receiver], contact: (device) => compared.push(device), events, clock, log });
    return { announcements, compared, events, lines };
  }

  it('compare once with whoever announces something new, however often it is said', async () => {
    const { announcements, compared, events } = listen();
    for (const counter of [NOW + 1, NOW + 1, NOW, NOW + 1]) await announcements.hear(await forge({ counter }));
    await clock.pass(60_000);
    expect(compared).toEqual([anna.device]);
    expect(events.recent.map(({ type }) => type)).toEqual(['announced']);
  });

  it('of a peer that never ends are one comparison in five seconds', async () => {
    const { announcements, compared } = listen();
    for (let count = 1; count <= 40; count += 1) {
      await announcements.hear(await forge({ counter: NOW + count }));
      await clock.pass(250);
    }
    // Ten seconds: at once, after five, and after ten, with all that was said until then.
    expect(compared).toHaveLength(3);
    await clock.pass(60_000);
    expect(compared).toHaveLength(3);
  });

  it('that are too many or no good are dropped, and fill no log', async () => {
    const { announcements, compared, lines } = listen();
    const payload = await forge({ counter: NOW + 1 });
    await Promise.all(Array.from({ length: 1_000 }, () => announcements.hear(payload)));
    await Promise.all(Array.from({ length: 50 }, () => announcements.hear(payloadOf('nonsense'))));
    await clock.pass(1);
    expect(compared).toEqual([anna.device]);
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines[0]).toContain('dropped an announcement inAll=1');
    await announcements.hear(await forge({ counter: NOW + 2 }));
    await clock.pass(60_000);
    expect(compared).toHaveLength(2);
  });
});
