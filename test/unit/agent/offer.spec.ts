// Offers between two real repositories over a real link: told by name where that will do, else pushed; taken in whole, or not at all.

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { deliverOffer, OFFERS_DIR } from '../../../src/agent/offer.ts';
import type { PeerCopy } from '../../../src/agent/offer-types.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { parseOid } from '../../../src/lib/names.ts';
import type { DeviceId, Oid } from '../../../src/lib/names.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import type { ToldMap } from '../../../src/link/http-format.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair, AgentPairOptions } from '../../helpers/agent-pair.ts';
import { copyOf, cornerIn, refsBelow, refsOf, signAs, takeMap, untold } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const NOW = 1_700_000_000_000;
const NOTHING: PeerCopy = { counter: 0, refs: new Map(), known: new Set() };
/** A copy of which too little is known to tell a map by name. */
const PUSHED: PeerCopy = { counter: 1, refs: new Map(), known: new Set() };
const BOB = parseBareJid('bob@example.net');
const phone = makeDeviceKey();

const base = makeRepo();
const one = commit(base, { a: '1', large: randomBytes(200_000) }, 'one');
/** As the other device had it before anything new. */
const old = copyOf(base);
const two = commit(base, { a: '2' }, 'two');
/** One that takes maps and moves no branch: most specs are about the map alone. */
const still = copyOf(old);
git(still.dir, 'config', 'xmpp.merge', 'none');

let pair: AgentPair;
let link: DialledLink;

async function begin(options: Partial<AgentPairOptions> = {}): Promise<void> {
  pair = await makeAgentPair({ near: copyOf(base), far: copyOf(still), others: [phone], ...options });
  link = await pair.world.dial();
}

const me = (): DeviceId => pair.world.near.device;
const publish = (refs: Readonly<Record<string, Oid>>): Promise<number | undefined> =>
  pair.near.maps.publish(me(), refsOf(refs), { keyPem: pair.world.near.keyPem, now: NOW });

/** Offers a device's map as it is held at the near side. */
async function offer(device = me(), copy: PeerCopy = NOTHING): Promise<ToldMap | undefined> {
  const signed = pair.near.maps.signed(device);
  if (signed === undefined) throw new Error('there is no map to offer');
  return deliverOffer(pair.near, { session: link.session, clock: realClock, transfer: untold }, { offer: { device, signed, refs: pair.near.maps.refsOf(device) }, copy });
}

const corner = (device = me()): Record<string, string> => cornerIn(pair.far.repo, device);

describe('deliverOffer', () => {
  beforeEach(() => begin());

  it('tells a map by name alone where all its objects are there', async () => {
    await publish({ main: one, 'topic/x': one });
    const before = link.stats().sent;
    await offer();
    expect(pair.asked).toEqual(['map']);
    expect(corner()).toEqual({ 'heads/main': one, 'heads/topic/x': one });
    expect(link.stats().sent - before).toBeLessThan(1000);
  });

  it('sends one commit for one commit, and builds on what the peer has', async () => {
    await publish({ main: two });
    const before = link.stats().sent;
    await offer();
    expect(link.stats().sent - before).toBeLessThan(5000);
  });

  it('does not send back what the peer holds in maps of its own, beside something new', async () => {
    await publish({ main: two, desk: one });
    const before = link.stats().sent;
    await offer(me(), { counter: 1, refs: new Map(), known: new Set([one]) });
    expect(pair.asked).toEqual(['offer']);
    expect(corner()).toEqual({ 'heads/main': two, 'heads/desk': one });
    expect(link.stats().sent - before).toBeLessThan(5000);
  });

  it.each([
    ['whose copy of the map is known', 1],
    ['whose copy of the map is not', 0],
  ])('builds on what a peer has %s, even where its own branch went on since', async (_name, counter) => {
    const large = commit(pair.far.repo, { large: randomBytes(300_000) }, 'large');
    git(pair.near.repo.dir, 'fetch', '--quiet', pair.far.repo.dir, 'main');
    commit(pair.far.repo, { c: '1' }, 'went on');
    await publish({ desk: large, main: commit(pair.near.repo, { b: randomBytes(50_000) }, 'ours') });
    const before = link.stats().sent;
    await offer(me(), { counter, refs: new Map(), known: new Set([large, one]) });
    expect(corner()['heads/desk']).toBe(large);
    expect(link.stats().sent - before).toBeLessThan(100_000);
  });

  it('builds on what it said there itself, where that device moves no branch and its copy is not known any more', async () => {
    const large = commit(pair.near.repo, { large: randomBytes(300_000) }, 'large');
    await publish({ main: large });
    await offer();
    await publish({ main: commit(pair.near.repo, { b: '1' }, 'more') });
    const before = link.stats().sent;
    await offer();
    expect(corner()['heads/main']).toBe(tipOf(pair.near.repo, 'main'));
    expect(link.stats().sent - before).toBeLessThan(10_000);
  });

  it('brings the book of left commits along, by each way', async () => {
    const book = (text: string): Oid => {
      writeFileSync(join(pair.near.repo.dir, 'book'), text);
      return parseOid(git(pair.near.repo.dir, 'hash-object', '-w', 'book'));
    };
    const [first, second, third] = [book('1'), book('2'), book('3')];
    await publish({ main: two, 'refs/xmpp/left': first });
    await offer();
    expect(corner()).toEqual({ 'heads/main': two, left: first });
    await publish({ main: two, 'refs/xmpp/left': second });
    await offer(me(), PUSHED);
    expect(corner()).toEqual({ 'heads/main': two, left: second });
    await publish({ main: one, 'refs/xmpp/left': third });
    pair.asked.length = 0;
    await offer(me(), { counter: pair.far.maps.signed(me())?.counter ?? 0, refs: pair.far.maps.refsOf(me()), known: new Set([one, two]) });
    expect(pair.asked).toEqual(['offer']);
    expect(corner()).toEqual({ 'heads/main': one, left: third });
    expect(git(pair.far.repo.dir, 'cat-file', 'blob', third)).toBe('3');
  });

  it('tells only what changed since the last time', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_none, index) => [`topic-${index}`, one]));
    await publish(many);
    await offer();
    const copy = { counter: NOW, refs: refsOf(many), known: new Set([one]) };
    await publish({ ...many, main: one });
    const before = link.stats().sent;
    await offer(me(), copy);
    expect(pair.asked).toEqual(['map', 'map']);
    expect(link.stats().sent - before).toBeLessThan(1000);
    expect(corner()['heads/main']).toBe(one);
  });

  it('pushes after all where the peer does not hold what it was thought to hold', async () => {
    await publish({ main: one, topic: two });
    await offer(me(), { counter: 5, refs: refsOf({ topic: two }), known: new Set([one, two]) });
    expect(pair.asked).toEqual(['map', 'offer']);
    expect(corner()).toEqual({ 'heads/main': one, 'heads/topic': two });
  });

  it('follows every change of a map: made, deleted, gone back, renamed below and above, emptied', async () => {
    const changes = [{ main: one, gone: two }, { main: two, topic: two }, { main: one, 'topic/one': two }, { topic: two, 'refs/tags/v1': two }, {}];
    for (const refs of changes) {
      await publish(refs);
      await offer(me(), PUSHED);
      expect(corner()).toEqual(Object.fromEntries([...refsOf(refs)].map(([ref, oid]) => [ref.slice('refs/'.length), oid])));
    }
    expect(pair.asked.filter((kind) => kind === 'offer').length).toBeGreaterThanOrEqual(changes.length);
  });

  it('pushes in one request onto what the peer is known to hold, whatever changes', async () => {
    const three = commit(pair.near.repo, { a: '3' }, 'three');
    const changes = [{ main: one, gone: two }, { main: two, topic: two }, { main: three, 'topic/one': two }, { other: one, 'refs/tags/v1': three }];
    let copy = NOTHING;
    for (const refs of changes) {
      await publish(refs);
      await offer(me(), copy);
      copy = { counter: pair.near.maps.signed(me())?.counter ?? 0, refs: refsOf(refs), known: new Set() };
      expect(corner()).toEqual(Object.fromEntries([...refsOf(refs)].map(([ref, oid]) => [ref.slice('refs/'.length), oid])));
    }
    expect(pair.asked).toEqual(['map', 'offer', ...changes.slice(1).map(() => 'offer')]);
    expect(pair.events.filter(({ type }) => type === 'offer-refused')).toEqual([]);
  });

  it('pushes large things the long way', async () => {
    await publish({ main: one });
    await offer();
    const large = commit(pair.near.repo, { large: randomBytes(600_000) }, 'large');
    await publish({ main: large });
    await offer(me(), { counter: NOW, refs: refsOf({ main: one }), known: new Set() });
    expect(pair.asked).toEqual(['map', 'offer']);
    expect(corner()).toEqual({ 'heads/main': large });
    expect(git(pair.far.repo.dir, 'fsck', '--no-dangling', '--connectivity-only')).toBe('');
  });

  it('pushes what was signed, though the corner is further on by then', async () => {
    await publish({ main: two, topic: one });
    const signed = pair.near.maps.signed(me());
    if (signed === undefined) throw new Error('there is no map to offer');
    const earlier = { device: me(), signed, refs: pair.near.maps.refsOf(me()) };
    await publish({ main: commit(pair.near.repo, { a: '3' }, 'three'), other: one });
    await deliverOffer(pair.near, { session: link.session, clock: realClock, transfer: untold }, { offer: earlier, copy: NOTHING });
    expect(pair.asked).toEqual(['map', 'offer']);
    expect(corner()).toEqual({ 'heads/main': two, 'heads/topic': one });
    expect(pair.far.maps.signed(me())).toEqual(signed);
    expect(readdirSync(join(pair.near.stateDir, OFFERS_DIR))).toEqual([]);
  });

  it('asks what the peer has where it holds another copy than was thought', async () => {
    await publish({ main: one });
    await offer();
    await publish({ main: two });
    await offer(me(), { counter: 5, refs: refsOf({ main: one }), known: new Set() });
    expect(pair.asked).toEqual(['map', 'offer', 'offer']);
    expect(corner()).toEqual({ 'heads/main': two });
  });

  it('pushes all the same where somebody has written in its corner there', async () => {
    await publish({ main: one });
    await offer();
    git(pair.far.repo.dir, 'update-ref', '-d', `refs/xmpp/${me()}/heads/main`);
    await publish({ main: two });
    await offer(me(), { counter: NOW, refs: refsOf({ main: one }), known: new Set() });
    expect(corner()).toEqual({ 'heads/main': two });
    expect(pair.far.maps.signed(me())).toEqual(pair.near.maps.signed(me()));
  });

  it('learns in the answer that the peer has taken the commit over', async () => {
    await begin({ far: copyOf(old) });
    const far = pair.world.far.device;
    const first = { counter: 7, refs: refsOf({ main: one }) };
    await takeMap(pair.near, { ...pair.world.far }, first);
    await pair.far.maps.publish(far, first.refs, { keyPem: pair.world.far.keyPem, now: 7 });
    await publish({ main: one });
    await offer();
    await pair.loop.tell({ type: 'granted', peer: me(), isGranted: true });
    await pair.loop.tell({ type: 'contact', peer: me(), maps: new Map([[far, 7], [me(), NOW]]) });
    await publish({ main: two });
    const told = await offer(me(), { counter: NOW, refs: refsOf({ main: one }), known: new Set() });
    expect(told).toMatchObject({ base: 7, same: ['refs/heads/main'], counter: pair.far.maps.signed(far)?.counter });
    expect(tipOf(pair.far.repo, 'main')).toBe(two);
    expect(pair.loop.engine.held(me()).get(far)).toBe(told?.counter);
    expect(pair.loop.engine.isOffering(me())).toBe(false);
  });

  it('relays the map of another device unchanged', async () => {
    await takeMap(pair.near, phone, { counter: 7, refs: refsOf({ main: two }) });
    await offer(phone.device);
    expect(corner(phone.device)).toEqual({ 'heads/main': two });
    expect(pair.far.maps.signed(phone.device)).toEqual(pair.near.maps.signed(phone.device));
  });

  it('takes for delivered what has come there by another way', async () => {
    await takeMap(pair.near, phone, { counter: 7, refs: refsOf({ main: one }) });
    await takeMap(pair.far, phone, { counter: 7, refs: refsOf({ main: one }) });
    await offer(phone.device);
    await offer(phone.device, PUSHED);
    expect(pair.asked).toEqual(['map', 'offer']);
    expect(pair.events).toEqual([]);
  });

  it.each([
    ['in one request', { counter: NOW, refs: refsOf({ main: one }), known: new Set<Oid>() }],
    ['the long way', PUSHED],
  ])('is taken in %s though a git that was killed there has left its corner locked', async (_name, copy) => {
    await publish({ main: one });
    await offer();
    const lock = join(pair.far.repo.gitDir, 'refs/xmpp', me(), 'heads/main.lock');
    writeFileSync(lock, '');
    await publish({ main: two });
    await offer(me(), copy);
    expect(corner()).toEqual({ 'heads/main': two });
    expect(existsSync(lock)).toBe(false);
    expect(pair.events.filter(({ type }) => type === 'offer-refused')).toEqual([]);
  });

  it('is made once more where its git was killed there', async () => {
    await publish({ main: two });
    const { startGit } = pair.far;
    let kills = 1;
    const killed: typeof startGit = (args, options) => {
      const process = startGit(args, options);
      if (args[0] === 'receive-pack' && kills > 0) {
        kills -= 1;
        process.kill();
      }
      return process;
    };
    Object.assign(pair.far, { startGit: killed });
    await offer(me(), PUSHED);
    expect(pair.asked).toEqual(['offer', 'offer']);
    expect(corner()).toEqual({ 'heads/main': two });
    kills = 9;
    await publish({ main: one, topic: one });
    await expect(offer(me(), PUSHED)).rejects.toMatchObject({ code: 'git' });
    expect(pair.asked).toEqual(['offer', 'offer', 'offer', 'offer']);
  });

  it('offers again at once what a map crossed that was told in an answer', async () => {
    await publish({ main: one });
    await offer();
    await publish({ main: one, topic: one });
    const [between, refs] = [pair.near.maps.signed(me()), pair.near.maps.refsOf(me())];
    await publish({ main: two, topic: two });
    const { startGit } = pair.far;
    let isFirst = true;
    const crossed: typeof startGit = (args, options) => {
      const process = startGit(args, options);
      const isPush = args[0] === 'receive-pack' && isFirst;
      isFirst &&= !isPush;
      // It has shown the corner as it was.
      if (isPush && between !== undefined) process.stdout.once('data', () => void pair.far.maps.acceptRecorded(me(), between, { refs, spki: pair.world.near.spki }));
      return process;
    };
    Object.assign(pair.far, { startGit: crossed });
    pair.asked.length = 0;
    await offer(me(), PUSHED);
    expect(pair.asked).toEqual(['offer', 'offer']);
    expect(corner()).toEqual({ 'heads/main': two, 'heads/topic': two });
    expect(pair.events.filter(({ type }) => type === 'offer-refused')).toEqual([]);
  });

  it('has the newer of two offers taken in that are made at once', async () => {
    await publish({ main: one });
    await offer();
    const offers = [];
    for (const refs of [{ main: one, topic: two }, { main: two, other: two }]) {
      await publish(refs);
      const signed = pair.near.maps.signed(me());
      if (signed === undefined) throw new Error('nothing was signed');
      offers.push({ device: me(), signed, refs: pair.near.maps.refsOf(me()) });
    }
    const parts = { session: link.session, clock: realClock, transfer: untold };
    const [, newer] = await Promise.allSettled(offers.map((each) => deliverOffer(pair.near, parts, { offer: each, copy: PUSHED })));
    expect(newer?.status).toBe('fulfilled');
    expect(corner()).toEqual({ 'heads/main': two, 'heads/other': two });
    expect(pair.far.maps.signed(me())?.counter).toBe(offers[1]?.signed.counter);
  });

  it('takes for delivered what comes there by two ways at once', async () => {
    await publish({ main: two });
    await Promise.all([offer(me(), PUSHED), offer(me(), PUSHED)]);
    expect(corner()).toEqual({ 'heads/main': two });
    expect(pair.far.maps.signed(me())?.counter).toBe(NOW);
  });

  it.each([
    ['by name', 'map', one],
    ['by a push', 'offer', two],
  ])('has a map refused whose signature is wrong, %s, and nothing of it stays', async (_name, kind, tip) => {
    await publish({ main: one, topic: one });
    await offer();
    const signed = signAs(makeDeviceKey(), pair.near, { counter: NOW + 5, refs: refsOf({ main: tip }) });
    const refs = refsOf({ main: tip });
    git(pair.near.repo.dir, 'update-ref', `refs/xmpp/${me()}/heads/main`, tip);
    git(pair.near.repo.dir, 'update-ref', '-d', `refs/xmpp/${me()}/heads/topic`);
    const offering = deliverOffer(pair.near, { session: link.session, clock: realClock, transfer: untold }, { offer: { device: me(), signed, refs }, copy: NOTHING });
    await expect(offering).rejects.toMatchObject({ message: expect.stringMatching(/signature/) });
    expect(pair.asked.at(-1)).toBe(kind);
    expect(corner()).toEqual({ 'heads/main': one, 'heads/topic': one });
    expect(pair.far.maps.signed(me())?.counter).toBe(NOW);
  });
});

describe('deliverOffer, among other devices', () => {
  it('pushes what the peer lacks, which then moves its own branch', async () => {
    await begin({ far: copyOf(old) });
    await publish({ main: two });
    await offer();
    expect(pair.asked).toEqual(['map', 'offer']);
    expect(corner()).toEqual({ 'heads/main': two });
    expect(pair.far.maps.signed(me())).toEqual(pair.near.maps.signed(me()));
    await until(() => tipOf(pair.far.repo, 'main') === two);
    expect(git(pair.far.repo.dir, 'status', '--porcelain')).toBe('');
    expect(pair.loop.engine.maps.get(me())).toBe(NOW);
  });

  it('pushes into a repository that has nothing', async () => {
    await begin({ far: makeRepo() });
    await publish({ main: two, 'refs/tags/v1': one });
    await offer();
    expect(corner()).toEqual({ 'heads/main': two, 'tags/v1': one });
  });

  it('has the map of a device refused that is not paired there', async () => {
    await begin({ others: [] });
    const stranger = makeDeviceKey();
    await takeMap(pair.near, stranger, { counter: 7, refs: refsOf({ main: one }) });
    await expect(offer(stranger.device)).rejects.toMatchObject({ code: 'no-such-peer' });
    expect(corner(stranger.device)).toEqual({});
  });

  it.each([
    ['another account without a grant', { peer: { kind: 'other', jid: BOB } } as const, 'no-such-repo'],
    ['another account that may read', { peer: { kind: 'other', jid: BOB }, shared: { audience: [BOB], defaultGrant: 'read' } } as const, 'not-granted'],
  ])('is refused for %s', async (_name, options, code) => {
    await begin(options);
    await publish({ main: one });
    await expect(offer()).rejects.toMatchObject({ code });
    expect(corner()).toEqual({});
  });

  it('leaves the branches of another account alone, and takes its map', async () => {
    await begin({ far: copyOf(old), peer: { kind: 'other', jid: BOB }, shared: { audience: [BOB] } });
    await publish({ main: two });
    await offer();
    expect(corner()).toEqual({ 'heads/main': two });
    await until(() => pair.events.some(({ type }) => type === 'waiting'));
    expect(refsBelow(pair.far.repo, 'refs/heads/')).toEqual({ main: one });
  });

  it('fails in words when the link is lost under it, and nothing of it stays', async () => {
    await begin({ far: makeRepo(), carrier: { block: 4096 } });
    await publish({ main: two });
    const offering = offer(me(), PUSHED);
    const failing = expect(offering).rejects.toMatchObject({ code: 'timeout' });
    const { received } = link.stats();
    await until(() => pair.asked.includes('offer') && link.stats().sent > 60_000 + received);
    pair.world.acceptor.stop();
    await failing;
    await until(() => pair.events.some(({ type }) => type === 'offer-refused'));
    expect(corner()).toEqual({});
    expect(pair.far.maps.counters.size).toBe(0);
  });

  it('goes on where its carrier was cut', async () => {
    let hasCut = false;
    await begin({
      far: makeRepo(),
      carrier: {
        block: 4096,
        onBytes: (total) => {
          if (total < 80_000 || hasCut) return;
          hasCut = true;
          pair.world.cut();
        },
      },
    });
    await publish({ main: two });
    await offer();
    expect(corner()).toEqual({ 'heads/main': two });
    expect(pair.world.resumed.length).toBeGreaterThan(0);
    expect(git(pair.far.repo.dir, 'fsck', '--no-dangling', '--connectivity-only')).toBe('');
  });
});
