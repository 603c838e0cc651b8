// A large first offer between two real repositories over a real link: in slices that are kept, so that what was cut off goes on.

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deliverOffer } from '../../../src/agent/offer.ts';
import { sendSlices } from '../../../src/agent/slices.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import type { Oid } from '../../../src/lib/names.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair, AgentPairOptions } from '../../helpers/agent-pair.ts';
import { copyOf, cornerIn, refsBelow, refsOf, untold } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const NOW = 1_700_000_000_000;
const KB = 1000;

/** 12 commits of 100 kB, a merge, and a commit in the middle that is larger than a second slice can be. */
let history: TestRepo;
const tips: Record<string, Oid> = {};
let giant: Oid;

beforeAll(() => {
  history = makeRepo();
  for (let index = 0; index < 6; index += 1) commit(history, { [`f${index}`]: randomBytes(100 * KB) }, `c${index}`);
  giant = commit(history, { giant: randomBytes(6000 * KB) }, 'giant');
  git(history.dir, 'switch', '-q', '-c', 'side', 'HEAD~3');
  for (let index = 0; index < 4; index += 1) commit(history, { [`s${index}`]: randomBytes(100 * KB) }, `s${index}`);
  git(history.dir, 'switch', '-q', 'main');
  git(history.dir, 'merge', '-q', '-m', 'merge', 'side');
  tips['main'] = commit(history, { last: randomBytes(100 * KB) }, 'last');
});

let pair: AgentPair;
let link: DialledLink;

async function begin(options: Partial<AgentPairOptions> = {}, refs: Readonly<Record<string, Oid>> = tips): Promise<void> {
  const far = makeRepo();
  git(far.dir, 'config', 'xmpp.merge', 'none');
  pair = await makeAgentPair({ near: copyOf(history), far, ...options });
  link = await pair.world.dial();
  await pair.near.maps.publish(pair.world.near.device, refsOf(refs), { keyPem: pair.world.near.keyPem, now: NOW });
}

async function offer(): Promise<void> {
  const device = pair.world.near.device;
  const signed = pair.near.maps.signed(device);
  if (signed === undefined) throw new Error('there is no map to offer');
  const copy = { counter: 0, refs: new Map(), known: new Set<Oid>() };
  await deliverOffer(pair.near, { session: link.session, clock: realClock, transfer: untold }, { offer: { device, signed, refs: pair.near.maps.refsOf(device) }, copy });
}

const kept = (): Record<string, string> => refsBelow(pair.far.repo, `refs/xmpp/partial/${pair.world.near.device}/`);
const spooled = (which: 'near' | 'far'): string[] => {
  const dir = join(pair[which].stateDir, 'spool');
  return existsSync(dir) ? readdirSync(dir) : [];
};
const incoming = (): string[] => readdirSync(join(pair.far.repo.gitDir, 'objects')).filter((name) => name.startsWith('tmp_objdir'));

// Megabytes, through real git: on a busy machine that takes its time.
describe('a large first offer', { timeout: 60_000 }, () => {
  beforeEach(() => begin());

  it('goes in slices and a spooled pack, arrives whole, and leaves no slice', async () => {
    await offer();
    expect(pair.asked.filter((kind) => kind === 'partial').length).toBeGreaterThanOrEqual(2);
    expect(pair.asked.filter((kind) => kind === 'pack')).toHaveLength(1);
    expect(pair.asked.at(-1)).toBe('offer');
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': tips['main'] });
    await until(() => Object.keys(kept()).length === 0);
    git(pair.far.repo.dir, 'fsck', '--full', '--strict');
    expect([...spooled('near'), ...spooled('far'), ...incoming()]).toEqual([]);
    expect(pair.events.some(({ type, words }) => type === 'slice' && /took in .* MB.* of notes from near/.test(words))).toBe(true);
  });

  it('sends little more than the pack itself', async () => {
    const pack = Number(git(pair.near.repo.dir, 'rev-list', '--objects', '--disk-usage', 'main'));
    await offer();
    expect(link.stats().sent).toBeLessThan(1.1 * pack);
  });

  it('keeps each slice when the link is lost, and goes on behind it', async () => {
    const pack = Number(git(pair.near.repo.dir, 'rev-list', '--objects', '--disk-usage', 'main'));
    const lost = offer();
    await until(() => Object.keys(kept()).length > 0 && link.stats().sent > 0.4 * pack);
    const before = link.stats().sent;
    link.destroy(new Fault('timeout', 'cut by the spec'));
    await expect(lost).rejects.toMatchObject({ code: 'timeout' });
    expect(Object.values(kept()).length).toBeGreaterThan(0);
    link = await pair.world.dial();
    await offer();
    expect(before + link.stats().sent).toBeLessThan(1.3 * pack);
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': tips['main'] });
    git(pair.far.repo.dir, 'fsck', '--full', '--strict');
  });

  it('goes on within the spooled pack, at the byte that was there', async () => {
    const lost = offer();
    await until(() => pair.asked.includes('pack') && spooled('far').length === 1 && link.stats().sent > 4000 * KB);
    link.destroy(new Fault('timeout', 'cut by the spec'));
    await expect(lost).rejects.toMatchObject({ code: 'timeout' });
    expect(spooled('near')).toHaveLength(1);
    link = await pair.world.dial();
    await offer();
    expect(link.stats().sent).toBeLessThan(4000 * KB);
    expect(pair.asked.filter((kind) => kind === 'pack')).toHaveLength(2);
    expect(git(pair.far.repo.dir, 'cat-file', '-t', giant)).toBe('commit');
    expect([...spooled('near'), ...spooled('far')]).toEqual([]);
  });

  it('is told by name alone when slices had brought everything', async () => {
    const { bases } = await sendSlices(pair.near, { session: link.session, clock: realClock, transfer: untold }, { tips: Object.values(tips), bases: [] });
    expect(bases.length).toBeGreaterThan(0);
    const [all, rest] = [['main'], ['main', '--not', ...bases]].map((range) => Number(git(pair.near.repo.dir, 'rev-list', '--count', ...range)));
    expect(rest).toBeLessThan(all ?? 0);
    git(pair.near.repo.dir, 'push', '-q', pair.far.repo.dir, `main:refs/xmpp/partial/${pair.world.near.device}/in-0`);
    await offer();
    expect(pair.asked.at(-1)).toBe('map');
  });
});

describe('a small first offer', () => {
  it('is one push, as ever', async () => {
    const small = makeRepo();
    await begin({ near: small }, { main: commit(small, { a: '1' }, 'one') });
    await offer();
    expect(pair.asked).toEqual(['map', 'offer']);
  });
});

describe('a peer of an older version', () => {
  it('gets one push, for it knows no slices', async () => {
    await begin({ near: copyOf(history) });
    const session = link.session;
    const request = session.request.bind(session);
    session.request = (headers, options) => request(String(headers?.[':path']).endsWith('/partial') ? { ...headers, ':path': '/none' } : headers, options);
    await offer();
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': tips['main'] });
  });
});
