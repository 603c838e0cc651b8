// What a push builds on, between two real repositories over a real link: nothing goes where it is already, in whosever map it is, and nothing is told of what is hidden.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { havesOf, nameableBases, tipsFor } from '../../../src/agent/bases.ts';
import { deliverOffer } from '../../../src/agent/offer.ts';
import { sendSlices } from '../../../src/agent/slices.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { DeviceId, Oid } from '../../../src/lib/names.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import { MAX_RECORDED_REFS } from '../../../src/sync/record-format.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair, AgentPairOptions } from '../../helpers/agent-pair.ts';
import { copyOf, cornerIn, refsOf, takeMap, untold } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';

const NOW = 1_700_000_000_000;
const KB = 1000;
const phone = makeDeviceKey();
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
/** The far device takes maps and moves no branch. */
const still = copyOf(base);
git(still.dir, 'config', 'xmpp.merge', 'none');

let pair: AgentPair;
let link: DialledLink;

async function begin(options: Partial<AgentPairOptions> = {}): Promise<void> {
  pair = await makeAgentPair({ near: copyOf(base), far: copyOf(still), others: [phone], ...options });
  link = await pair.world.dial();
}

const me = (): DeviceId => pair.world.near.device;
const sender = (): ReturnType<typeof makePeer> => makePeer('near', { device: me(), spki: pair.world.near.spki });
const publish = (refs: Readonly<Record<string, Oid>>): Promise<number | undefined> =>
  pair.near.maps.publish(me(), refsOf(refs), { keyPem: pair.world.near.keyPem, now: NOW });

/** Offers a device's map, of which it is not known what the peer holds, nor what it holds of others but `known`. @returns what that took */
async function offer({ device = me(), known = [], counter = 0, refs = {} }: { readonly device?: DeviceId; readonly known?: readonly Oid[]; readonly counter?: number; readonly refs?: Readonly<Record<string, Oid>> } = {}): Promise<{ readonly bytes: number; readonly asked: readonly string[] }> {
  const signed = pair.near.maps.signed(device);
  if (signed === undefined) throw new Error('there is no map to offer');
  pair.asked.length = 0;
  const before = link.stats().sent;
  const copy = { counter, refs: refsOf(refs), known: new Set(known) };
  await deliverOffer(pair.near, { session: link.session, clock: realClock, transfer: untold }, { offer: { device, signed, refs: pair.near.maps.refsOf(device) }, copy });
  return { bytes: link.stats().sent - before, asked: [...pair.asked] };
}

/** The far device gets a commit of the near one by some other way, and no ref of its own to it. */
function bring(oid: Oid, ref?: string): void {
  git(pair.far.repo.dir, 'fetch', '--quiet', pair.near.repo.dir, `${oid}:${ref ?? 'refs/tmp/brought'}`);
}

/** What phone says is held at the far device, and led to by that map alone. */
async function inCornerOfPhone(tip: Oid): Promise<void> {
  bring(tip);
  await takeMap(pair.far, phone, { counter: 7, refs: refsOf({ main: tip }) });
  git(pair.far.repo.dir, 'update-ref', '-d', 'refs/tmp/brought');
}

function commits(count: number, kilobytes: number, from = 'x'): Oid[] {
  return Array.from({ length: count }, (_none, index) => commit(pair.near.repo, { [`${from}${index}`]: randomBytes(kilobytes * KB) }, `${from} ${index}`));
}

const last = (oids: readonly Oid[]): Oid => oids.at(-1) ?? one;
const expectSound = (): void => expect(git(pair.far.repo.dir, 'fsck', '--no-dangling')).toBe('');

beforeEach(() => {
  git(base.dir, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  return begin();
});

describe('nothing is sent again', () => {
  it.each([
    ['whose copy is known', { counter: NOW, refs: { main: one } }],
    ['whose copy is not', {}],
  ])('that the receiver holds in the map of a third device, to one %s: it is told by name', async (_name, copy) => {
    const tip = last(commits(4, 300));
    await inCornerOfPhone(tip);
    await publish({ main: one });
    await offer();
    await publish({ main: tip });
    const { bytes, asked } = await offer({ ...copy, known: [tip, one] });
    expect([asked, bytes < 2 * KB]).toEqual([['map'], true]);
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip });
    expectSound();
  });

  it('that the receiver holds in the map of a third device, with something new on it', async () => {
    const held = last(commits(4, 300));
    await inCornerOfPhone(held);
    await publish({ main: last(commits(1, 1, 'new')) });
    expect((await offer({ known: [held] })).bytes).toBeLessThan(10 * KB);
    expectSound();
  });

  it('of a map that is passed on, to a device that moves no branch', async () => {
    await takeMap(pair.near, phone, { counter: 7, refs: refsOf({ main: last(commits(2, 300)) }) });
    await offer({ device: phone.device });
    await takeMap(pair.near, phone, { counter: 9, refs: refsOf({ main: last(commits(1, 1, 'new')) }) });
    expect((await offer({ device: phone.device })).bytes).toBeLessThan(10 * KB);
  });

  it('of a history that a tag alone leads to', async () => {
    const tagged = last(commits(2, 300));
    git(pair.near.repo.dir, 'switch', '--quiet', '--force-create', 'main', one);
    await publish({ main: one, 'refs/tags/v1': tagged });
    await offer();
    await publish({ main: last(commits(1, 1, 'new')), 'refs/tags/v1': tagged });
    expect((await offer()).bytes).toBeLessThan(10 * KB);
  });

  it('where the sender has more branches there than can be named, and the receiver something of its own', async () => {
    const topics = Object.fromEntries(commits(17, 1).map((oid, index) => [`topic-${index}`, oid]));
    await publish(topics);
    await offer();
    const theirs = last(commits(1, 300, 'theirs'));
    bring(theirs, 'refs/heads/a');
    await publish({ ...topics, main: last(commits(1, 1, 'new')) });
    expect((await offer({ known: [theirs, one] })).bytes).toBeLessThan(10 * KB);
  });

  it('where both have more branches than can be named: what the news follows on is', async () => {
    const all: Record<string, Oid> = {};
    for (let index = 10; index < 30; index += 1) {
      git(pair.near.repo.dir, 'switch', '--quiet', '--create', `b${index}`, one);
      all[`b${index}`] = last(commits(1, 1, `b${index}-`));
    }
    git(pair.near.repo.dir, 'switch', '--quiet', '--force-create', 'main', one);
    all['z'] = last(commits(5, 200, 'z'));
    for (const [name, oid] of Object.entries(all)) bring(oid, `refs/heads/${name}`);
    await publish(all);
    await offer();
    const tip = last(commits(3, 150, 'new'));
    await publish({ ...all, z: tip });
    expect((await offer({ known: Object.values(all) })).bytes).toBeLessThan(500 * KB);
    expect(await nameableBases(pair.near, [tip], Object.values(all))).toHaveLength(16);
    expect((await nameableBases(pair.near, [tip], Object.values(all)))[0]).toBe(all['z']);
  });
});

describe('tips that are told', () => {
  it('are the newest of what is held of a map and of branches, where there are many of both', async () => {
    const said = commits(20, 1);
    await publish(Object.fromEntries(said.map((oid, index) => [`topic-${index}`, oid])));
    await offer();
    const ours = commits(20, 1, 'ours');
    for (const [index, oid] of ours.entries()) bring(oid, `refs/heads/ours-${index}`);
    const newest = (oids: readonly Oid[]): Oid[] => oids.slice(-8).reverse();
    const told = await tipsFor(pair.far, sender(), { device: me(), maybe: [] });
    expect(told).toHaveLength(16);
    expect(told.slice(0, 8)).toEqual(newest(said));
    expect(told.slice(8)).toEqual(newest(ours));
  });
});

describe('a base that the receiver has not', () => {
  it.each([
    ['a small commit', 1],
    ['one that goes as a pack', 600],
  ])('does not keep %s on it from coming', async (_name, kilobytes) => {
    const lost = last(commits(2, 1));
    const tip = last(commits(1, kilobytes, 'new'));
    await publish({ main: tip });
    await offer({ known: [lost, one] });
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip });
    expectSound();
  });

  it('does not keep a pack from coming whose slices were cut by it all the same', async () => {
    const lost = last(commits(2, 1));
    const tip = last(commits(1, 600, 'new'));
    await sendSlices(pair.near, { session: link.session, clock: realClock, transfer: untold }, { tips: [tip], bases: [lost] });
    const kept = git(pair.far.repo.dir, 'for-each-ref', '--format=%(objectname)', 'refs/xmpp/partial');
    expect(kept.split('\n')).toContain(tip);
    expectSound();
  });

  it('is not told of, where its corner was removed by somebody', async () => {
    await publish({ main: last(commits(1, 1)) });
    await offer();
    git(pair.far.repo.dir, 'update-ref', '-d', `refs/xmpp/${me()}/heads/main`);
    git(pair.far.repo.dir, 'reflog', 'expire', '--expire=now', '--all');
    git(pair.far.repo.dir, 'gc', '--quiet', '--prune=now');
    const tip = last(commits(1, 600, 'new'));
    await publish({ main: tip });
    await offer();
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip });
    expectSound();
  });

  it.each(['blob', 'tree', 'tag', 'tag of a tree'])('because it is a %s, does no harm', async (kind) => {
    const { dir } = pair.near.repo;
    git(dir, 'tag', '-a', '-m', 'x', 'tag', one);
    git(dir, 'tag', '-a', '-m', 'x', 'tag-of-tree', `${one}^{tree}`);
    const name = { blob: `${one}:a`, tree: `${one}^{tree}`, tag: 'tag' }[kind] ?? 'tag-of-tree';
    const odd = git(dir, 'rev-parse', name) as Oid;
    const tip = last(commits(2, 150));
    await publish({ main: tip, 'refs/tags/odd': odd });
    await offer({ known: [odd] });
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip, 'tags/odd': odd });
    expectSound();
  });
});

describe('a repository in which an object was lost', () => {
  /** As a power cut or a failing disk leaves it. */
  const lose = (oid: Oid): void => rmSync(join(pair.far.repo.gitDir, 'objects', oid.slice(0, 2), oid.slice(2)));

  it('gets it again with what is built on it, though the map of a third device still names it', async () => {
    const lost = last(commits(1, 1));
    await inCornerOfPhone(lost);
    lose(lost);
    const tip = last(commits(1, 1, 'new'));
    await publish({ main: tip });
    await offer({ known: [lost, one] });
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip });
    expectSound();
  });

  it('takes in by name what it lacks nothing of, though the map of a third device names what is not here', async () => {
    const [early = one] = commits(2, 1);
    bring(tipOf(pair.near.repo, 'main'), 'refs/heads/other');
    git(pair.near.repo.dir, 'switch', '--quiet', '--detach');
    const lost = last(commits(1, 1, 'lost'));
    await inCornerOfPhone(lost);
    lose(lost);
    await publish({ main: early });
    expect((await offer()).asked).toEqual(['map']);
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': early });
  });

  it('gets by a push what it has in part', async () => {
    const [lost = one, tip = one] = commits(2, 1);
    bring(tip);
    git(pair.far.repo.dir, 'update-ref', '-d', 'refs/tmp/brought');
    lose(lost);
    await publish({ main: tip });
    expect((await offer()).asked).toEqual(['map', 'offer']);
    expect(cornerIn(pair.far.repo, me())).toEqual({ 'heads/main': tip });
    expectSound();
  });
});

describe('a map with more branches than are told by name', () => {
  it('has what the receiver holds asked about all the same, before its history is cut', async () => {
    const tip = last(commits(2, 300));
    await publish(Object.fromEntries(Array.from({ length: MAX_RECORDED_REFS + 1 }, (_none, index) => [`b${index}`, tip])));
    const { asked } = await offer({ known: [tip] });
    expect(asked[0]).toBe('map');
    expect(asked.filter((kind) => kind === 'pack' || kind === 'partial')).not.toEqual([]);
    expect(Object.keys(cornerIn(pair.far.repo, me()))).toHaveLength(MAX_RECORDED_REFS + 1);
  });
});

describe('what is hidden', () => {
  it('in branches is not told of, also where it is asked about', async () => {
    await begin({ shared: { branches: ['main'] } });
    const hidden = last(commits(1, 1));
    bring(hidden, 'refs/heads/secret');
    expect(await havesOf(pair.far, [hidden, one], sender())).toEqual([one]);
    expect(await tipsFor(pair.far, sender(), { device: me(), maybe: [hidden] })).toEqual([one]);
  });

  it('in maps of other devices is neither told of nor taken for a base, where only some branches are shared', async () => {
    await begin({ shared: { branches: ['main'] } });
    const hidden = last(commits(1, 1));
    await inCornerOfPhone(hidden);
    expect(await havesOf(pair.far, [hidden, one], sender())).toEqual([one]);
    expect(await tipsFor(pair.far, sender(), { device: phone.device, maybe: [hidden] })).toEqual([one]);
  });

  it('in maps of other devices is told of to a device that gets those maps anyway, and only when that map is asked about', async () => {
    const shown = last(commits(1, 1));
    await inCornerOfPhone(shown);
    expect(await havesOf(pair.far, [shown, one], sender())).toEqual([shown, one]);
    expect(await tipsFor(pair.far, sender(), { device: phone.device, maybe: [] })).toEqual([shown, one]);
    expect(await tipsFor(pair.far, sender(), { device: me(), maybe: [] })).toEqual([one]);
    expect(await tipsFor(pair.far, sender(), { device: me(), maybe: [shown] })).toEqual([shown, one]);
  });
});
