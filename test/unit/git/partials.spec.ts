// Slices that are kept: few refs, under their own names, no longer than they serve.

import { beforeEach, describe, expect, it } from 'vitest';
import { arrivingRef, dropHeld, removeStalePartials, settlePartials } from '../../../src/git/partials.ts';
import type { PartialsDeps } from '../../../src/git/partials.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { serveReceiveOffer, serveUpload } from '../../../src/git/services.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import { refsBelow } from '../../helpers/agent-repo.ts';
import { open, runPiped } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import type { Oid } from '../../../src/lib/names.ts';

const laptop = parseDeviceId('a'.repeat(32));
const phone = parseDeviceId('b'.repeat(32));
const DAY = 86_400_000;

let repo: TestRepo;
let deps: PartialsDeps;
let one: Oid;
let two: Oid;
let other: Oid;

beforeEach(async () => {
  repo = makeRepo();
  one = commit(repo, { a: '1' }, 'one');
  two = commit(repo, { a: '2' }, 'two');
  git(repo.dir, 'switch', '-q', '-c', 'other', one);
  other = commit(repo, { b: '1' }, 'other');
  git(repo.dir, 'switch', '-q', '--orphan', 'nothing');
  git(repo.dir, 'branch', '-q', '-D', 'main', 'other');
  deps = { runGit: createRunGit(cleanEnv()), repository: await open(repo) };
});

const set = (ref: string, oid: Oid): string => git(repo.dir, 'update-ref', ref, oid);
const kept = (device = laptop): Record<string, string> => refsBelow(repo, `refs/xmpp/partial/${device}/`);
const name = (day: number, oid: Oid): string => `${day}-${oid.slice(0, 16)}`;

describe('settlePartials', () => {
  it('names what arrived after its day, and lets go of what that contains', async () => {
    set(arrivingRef(laptop, 0), one);
    expect(await settlePartials(deps, laptop, 20_000 * DAY + 5)).toBe(1);
    expect(kept()).toEqual({ [name(20_000, one)]: one });
    set(arrivingRef(laptop, 0), two);
    set(arrivingRef(laptop, 1), other);
    expect(await settlePartials(deps, laptop, 20_001 * DAY)).toBe(2);
    expect(kept()).toEqual({ [name(20_001, two)]: two, [name(20_001, other)]: other });
  });

  it('keeps the larger one where an older slice comes again', async () => {
    set(arrivingRef(laptop, 0), two);
    await settlePartials(deps, laptop, DAY);
    set(arrivingRef(laptop, 0), one);
    expect(await settlePartials(deps, laptop, 2 * DAY)).toBe(1);
    expect(kept()).toEqual({ [name(1, two)]: two });
  });

  it('keeps what is no commit', async () => {
    const blob = git(repo.dir, 'rev-parse', `${two}:a`) as Oid;
    set(arrivingRef(laptop, 0), blob);
    set(arrivingRef(laptop, 1), two);
    await settlePartials(deps, laptop, DAY);
    expect(Object.values(kept()).toSorted()).toEqual([blob, two].toSorted());
  });

  it('removes whatever else was written there, and touches no other device', async () => {
    set(`refs/xmpp/partial/${laptop}/heads/main`, one);
    set(`refs/xmpp/partial/${phone}/${name(1, one)}`, one);
    expect(await settlePartials(deps, laptop, DAY)).toBe(0);
    expect(kept()).toEqual({});
    expect(Object.keys(kept(phone))).toHaveLength(1);
  });

  it('keeps at most 64 tips, those that came last', async () => {
    const tree = git(repo.dir, 'rev-parse', `${one}^{tree}`);
    const make = (index: number): Oid => git(repo.dir, 'commit-tree', '-m', String(index), tree) as Oid;
    for (let index = 0; index < 60; index += 1) set(arrivingRef(laptop, index), make(index));
    await settlePartials(deps, laptop, DAY);
    const news = Array.from({ length: 10 }, (_none, index) => make(100 + index));
    for (const [index, oid] of news.entries()) set(arrivingRef(laptop, index), oid);
    await settlePartials(deps, laptop, 2 * DAY);
    expect(Object.keys(kept())).toHaveLength(64);
    expect(Object.values(kept())).toEqual(expect.arrayContaining(news));
  });
});

describe('dropHeld', () => {
  it('lets go of what the map, or a branch, leads to, and of nothing else', async () => {
    for (const [ref, oid] of [[name(1, one), one], [name(1, other), other]] as const) set(`refs/xmpp/partial/${laptop}/${ref}`, oid);
    set(`refs/xmpp/${phone}/heads/main`, two);
    await dropHeld(deps, { sender: laptop, map: phone });
    expect(kept()).toEqual({ [name(1, other)]: other });
    set('refs/heads/back', other);
    await dropHeld(deps, { sender: laptop, map: phone });
    expect(kept()).toEqual({});
  });
});

describe('removeStalePartials', () => {
  it('removes those of strangers, of 30 days ago, and of days to come; not what arrived just before a crash', async () => {
    const today = 20_100;
    for (const day of [today - 31, today - 30, today, today + 2]) set(`refs/xmpp/partial/${laptop}/${name(day, one)}`, one);
    set(arrivingRef(laptop, 0), two);
    set(`refs/xmpp/partial/${phone}/${name(today, one)}`, one);
    await removeStalePartials(deps, { isPaired: (device) => device === laptop, now: today * DAY });
    expect(Object.keys(kept()).toSorted()).toEqual([name(today - 30, one), name(today, one), 'in-0'].toSorted());
    expect(kept(phone)).toEqual({});
  });
});

describe('slices', () => {
  it('are shown to nobody who fetches', async () => {
    set('refs/heads/main', one);
    set(`refs/xmpp/partial/${laptop}/${name(1, two)}`, two);
    const asking = makeRepo();
    for (const protocol of ['version=0', 'version=2']) {
      const config = { 'protocol.version': protocol.slice(-1) };
      const listed = await runPiped(asking, { args: ['ls-remote', 'fd::3,4'], config }, serveUpload(await open(repo), { protocol: 'version=0' }));
      expect(listed.stdout).toContain(one);
      expect(listed.stdout).not.toContain(two);
    }
  });

  it.each(['refs/heads/main', `refs/xmpp/${laptop}/heads/main`, `refs/xmpp/partial/${phone}/in-0`, 'refs/xmpp/partial/in-0'])('are not written to %s', async (ref) => {
    const from = makeRepo();
    commit(from, { c: '1' }, 'c');
    const service = serveReceiveOffer(await open(repo), { namespace: [`refs/xmpp/partial/${laptop}`] });
    const pushed = await runPiped(from, { args: ['push', '--porcelain', 'fd::3,4', `HEAD:${ref}`] }, service);
    expect(pushed.exitCode).not.toBe(0);
    expect(git(repo.dir, 'for-each-ref')).toBe('');
  });
});
