// What becomes of the branches here when a device's map is considered, on real repositories with work trees.

import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { consider, hasOnlyGrown } from '../../../src/agent/consider.ts';
import type { Outcome, TipSource } from '../../../src/agent/consider.ts';
import { listRefs } from '../../../src/git/refs.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { NO_LEFT } from '../../../src/sync/left-format.ts';
import type { RepoPolicy } from '../../../src/agent/policies-format.ts';
import { copyOf, openAgentRepo, refsBelow, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';

const laptop = makeDeviceKey();
const POLICY: RepoPolicy = { merge: 'ff', mergeFrom: 'own', rewrite: 'follow', isFolder: false, mayMergeUnrelated: false };

/** main: one → two → three; side: one → other; unrelated: a root of its own. All objects are here, on no branch but main at two. */
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const two = commit(base, { a: '2' }, 'two');
const three = commit(base, { a: '3', 'new/file': 'x' }, 'three');
git(base.dir, 'checkout', '-q', '-b', 'side', one);
const other = commit(base, { b: 'b' }, 'other');
git(base.dir, 'checkout', '-q', '--orphan', 'unrelated');
const alone = commit(base, { c: 'c' }, 'alone');
git(base.dir, 'checkout', '-q', 'main');
git(base.dir, 'reset', '-q', '--hard', two);
git(base.dir, 'branch', '-q', '-D', 'side', 'unrelated');
git(base.dir, 'reflog', 'expire', '--expire=now', '--all');

let agent: AgentRepo;
let counter: number;

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base), { pins: [laptop] });
  counter = 0;
});

const inRepo = (...args: string[]): string => git(agent.repo.dir, ...args);
const heads = (): Record<string, string> => refsBelow(agent.repo, 'refs/heads/');
const isClean = (): boolean => inRepo('status', '--porcelain') === '';

function sourceOf(isOwn: boolean): TipSource {
  const { maps } = agent;
  const setActed: TipSource['setActed'] = (tips) => maps.setActed(laptop.device, tips);
  return { id: laptop.device, remote: 'laptop', isOwn, refs: maps.refsOf(laptop.device), acted: maps.acted(laptop.device), setActed };
}

/** The laptop says where its branches are, and that is considered. */
async function hear(refs: Readonly<Record<string, Oid>>, rules: Partial<RepoPolicy> & { isOwnDevice?: boolean } = {}): Promise<Outcome> {
  counter += 1;
  await takeMap(agent, laptop, { counter, refs: refsOf(refs) });
  return look(rules);
}

async function look({ isOwnDevice = true, ...rules }: Partial<RepoPolicy> & { isOwnDevice?: boolean } = {}): Promise<Outcome> {
  const ours = await listRefs(agent.runGit, agent.repository, ['refs/heads/', 'refs/tags/']);
  return consider(agent, sourceOf(isOwnDevice), { policy: { ...POLICY, ...rules }, ours, book: NO_LEFT });
}

const moved = (ref: string, from: Oid | undefined, to: Oid | undefined, how: string): object => ({ ref, from, to, how });
const waits = (ref: string, why: string): object => ({ source: laptop.device, ref, why });

describe('consider', () => {
  it('fast-forwards the branch that is checked out, files and all', async () => {
    const { moved: done, waiting } = await hear({ main: three });
    expect(done).toEqual([moved('refs/heads/main', two, three, 'fast-forward')]);
    expect(waiting).toEqual([]);
    expect(heads()).toEqual({ main: three });
    expect(readFileSync(join(agent.repo.dir, 'new/file'), 'utf8')).toBe('x');
    expect(isClean()).toBe(true);
    expect(await look()).toEqual({ moved: [], waiting: [] });
  });

  it('fast-forwards a branch that is not checked out', async () => {
    inRepo('branch', 'side', one);
    const { moved: done } = await hear({ side: other });
    expect(done).toEqual([moved('refs/heads/side', one, other, 'fast-forward')]);
    expect(heads()).toEqual({ main: two, side: other });
  });

  it('names a branch that cannot be looked at, and tells of the others what moved', async () => {
    inRepo('branch', 'side', one);
    const reflog = join(agent.repo.gitDir, 'logs/refs/heads/main');
    rmSync(reflog, { force: true });
    symlinkSync('main', reflog);
    const { moved: done, waiting } = await hear({ side: other, main: three });
    expect(done).toEqual([moved('refs/heads/side', one, other, 'fast-forward')]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'failed'))]);
  });

  it('does nothing where it is ahead', async () => {
    expect(await hear({ main: one })).toEqual({ moved: [], waiting: [] });
    expect(heads()).toEqual({ main: two });
  });

  it('names a divergence with the command that ends it, and moves nothing', async () => {
    const { moved: done, waiting } = await hear({ main: other });
    expect(done).toEqual([]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'diverged'))]);
    expect(waiting[0]?.words).toContain('git merge laptop/main');
    expect(heads()).toEqual({ main: two });
    expect((await hear({ main: alone })).waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'diverged'))]);
  });

  it('follows a rewrite of what it had, and keeps the old tip', async () => {
    await hear({ main: two });
    const { moved: done } = await hear({ main: other });
    expect(done).toEqual([moved('refs/heads/main', two, other, 'follow')]);
    expect(heads()).toEqual({ main: other });
    expect(refsBelow(agent.repo, 'refs/xmpp/kept/')).toEqual({ [`main-${two.slice(0, 12)}`]: two });
    expect(inRepo('log', '-g', '--format=%gs', '-1', 'main')).toBe('xmpp: follow');
    expect(existsSync(join(agent.repo.dir, 'b'))).toBe(true);
    expect(isClean()).toBe(true);
  });

  it('follows no rewrite while it cannot keep the old tip', async () => {
    await hear({ main: two });
    const folder = join(agent.repo.gitDir, 'refs/xmpp/kept');
    mkdirSync(folder, { recursive: true });
    const lock = join(folder, `main-${two.slice(0, 12)}.lock`);
    writeFileSync(lock, '');
    const { moved: done, waiting } = await hear({ main: other });
    expect([done, waiting]).toEqual([[], [expect.objectContaining(waits('refs/heads/main', 'failed'))]]);
    expect(heads()).toEqual({ main: two });
    rmSync(lock);
    expect((await hear({ main: other })).moved).toEqual([moved('refs/heads/main', two, other, 'follow')]);
  });

  it('knows a rewrite as one after a restart', async () => {
    await hear({ main: two });
    agent = await agent.reopen();
    expect((await hear({ main: other })).moved).toEqual([moved('refs/heads/main', two, other, 'follow')]);
  });

  it('follows a device back that went back on purpose', async () => {
    await hear({ main: two });
    expect((await hear({ main: one })).moved).toEqual([moved('refs/heads/main', two, one, 'follow')]);
    expect(heads()).toEqual({ main: one });
  });

  it('follows no rewrite where there is more than what that device had', async () => {
    await hear({ main: two });
    const mine = commit(agent.repo, { mine: 'm' }, 'mine');
    const { moved: done, waiting } = await hear({ main: other });
    expect(done).toEqual([]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'diverged'))]);
    expect(heads()).toEqual({ main: mine });
  });

  it('asks before it follows a rewrite, where that is wanted', async () => {
    await hear({ main: two }, { rewrite: 'ask' });
    const { waiting } = await hear({ main: other }, { rewrite: 'ask' });
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'rewritten'))]);
    expect(waiting[0]?.words).toContain('git reset --keep laptop/main');
    expect((await look()).moved).toEqual([moved('refs/heads/main', two, other, 'follow')]);
  });

  it('never takes back what was undone here', async () => {
    await hear({ main: three });
    inRepo('reset', '-q', '--hard', 'HEAD~1');
    for (let count = 0; count < 2; count += 1) {
      const { moved: done, waiting } = await look();
      expect(done).toEqual([]);
      expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'undone'))]);
      expect(waiting[0]?.words).toContain('git reset --keep laptop/main');
    }
    expect(heads()).toEqual({ main: two });
  });

  it('never takes back what was amended here', async () => {
    await hear({ main: three });
    inRepo('commit', '-q', '--amend', '-m', 'better');
    expect((await look()).waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'undone'))]);
  });

  it('waits while something is under way or in the way, and goes on when it is over', async () => {
    writeFileSync(join(agent.repo.dir, 'a'), 'not committed');
    const first = await hear({ main: three });
    expect(first.moved).toEqual([]);
    expect(first.waiting).toEqual([expect.objectContaining({ ...waits('refs/heads/main', 'busy'), words: expect.stringContaining('a has changes') })]);
    expect(heads()).toEqual({ main: two });
    inRepo('checkout', '-q', 'a');
    const lock = join(agent.repo.gitDir, 'index.lock');
    writeFileSync(lock, '');
    expect((await look()).waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'busy'))]);
    rmSync(lock);
    expect((await look()).moved).toEqual([moved('refs/heads/main', two, three, 'fast-forward')]);
  });

  it('leaves the branches of another account to its person', async () => {
    const { moved: done, waiting } = await hear({ main: three, topic: other, 'refs/tags/v1': one }, { isOwnDevice: false });
    expect(done).toEqual([]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'other-account'))]);
    expect(waiting[0]?.words).toContain('git merge laptop/main');
    expect(heads()).toEqual({ main: two });
    expect(refsBelow(agent.repo, 'refs/tags/')).toEqual({});
    expect((await look({ isOwnDevice: false, mergeFrom: 'all' })).moved).toEqual([moved('refs/heads/main', two, three, 'fast-forward')]);
  });

  it('takes no deletion from another account', async () => {
    inRepo('branch', 'topic', one);
    await hear({ topic: one }, { isOwnDevice: false });
    expect(await hear({}, { isOwnDevice: false })).toEqual({ moved: [], waiting: [] });
    expect(heads()).toEqual({ main: two, topic: one });
  });

  it('moves nothing under merge = none, and says so', async () => {
    const { moved: done, waiting } = await hear({ main: three, topic: one }, { merge: 'none', isFolder: true });
    expect(done).toEqual([]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'policy'))]);
  });

  it('deletes a branch that stands where that device last had it', async () => {
    inRepo('branch', 'topic', one);
    await hear({ topic: one });
    expect((await hear({})).moved).toEqual([moved('refs/heads/topic', one, undefined, 'delete')]);
    expect(heads()).toEqual({ main: two });
    expect(agent.maps.acted(laptop.device)).toEqual({});
  });

  it('keeps a deleted branch that has commits of ours, and says so', async () => {
    inRepo('branch', 'topic', one);
    await hear({ topic: one });
    inRepo('branch', '-f', 'topic', two);
    const { moved: done, waiting } = await hear({});
    expect(done).toEqual([]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/topic', 'deleted-there'))]);
    expect(heads()).toEqual({ main: two, topic: two });
  });

  it('never deletes a branch that is checked out, here or in a linked work tree, or that a rebase comes back to', async () => {
    await hear({ main: two });
    const first = await hear({});
    expect(first).toMatchObject({ moved: [], waiting: [{ ref: 'refs/heads/main', words: expect.stringContaining('checked out') }] });
    expect(heads()).toEqual({ main: two });
    const linked = join(makeFolder(), 'linked');
    inRepo('worktree', 'add', '-q', linked, '-b', 'topic', one);
    await hear({ topic: one });
    const second = await hear({});
    expect(second.waiting).toContainEqual(expect.objectContaining({ ref: 'refs/heads/topic', words: expect.stringContaining(linked) }));
    expect(heads()).toEqual({ main: two, topic: one });
    inRepo('checkout', '-q', '--detach');
    expect((await look()).moved).toEqual([moved('refs/heads/main', two, undefined, 'delete')]);
  });

  it('leaves a branch alone that was never here, nor was it acted on', async () => {
    inRepo('branch', 'mine', one);
    expect(await hear({ theirs: other })).toEqual({ moved: [], waiting: [] });
    expect(heads()).toEqual({ main: two, mine: one });
  });

  it('makes new branches in a folder, and not again when they are deleted here', async () => {
    expect((await hear({ topic: other }, { isFolder: true })).moved).toEqual([moved('refs/heads/topic', undefined, other, 'create')]);
    expect(heads()).toEqual({ main: two, topic: other });
    inRepo('branch', '-D', 'topic');
    expect(await look({ isFolder: true })).toEqual({ moved: [], waiting: [] });
  });

  it('names a branch that cannot be made beside another, and moves the rest', async () => {
    inRepo('branch', 'topic', one);
    const { moved: done, waiting } = await hear({ 'topic/one': other, main: three }, { isFolder: true });
    expect(done).toEqual([moved('refs/heads/main', two, three, 'fast-forward')]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/heads/topic/one', 'failed'))]);
  });

  it('fills an empty repository, whose branch waits for a first commit', async () => {
    const empty = makeRepo();
    agent = await openAgentRepo(empty, { pins: [laptop] });
    git(empty.dir, 'fetch', '-q', base.dir, two);
    expect((await hear({ main: two, topic: one })).moved).toEqual([moved('refs/heads/main', undefined, two, 'fast-forward')]);
    expect(heads()).toEqual({ main: two });
    expect(readFileSync(join(empty.dir, 'a'), 'utf8')).toBe('2');
    expect(isClean()).toBe(true);
  });

  it('fills a folder that was just made, and makes its other branches', async () => {
    const empty = makeRepo();
    agent = await openAgentRepo(empty, { pins: [laptop] });
    git(empty.dir, 'fetch', '-q', base.dir, two);
    await hear({ main: two, topic: one }, { isFolder: true });
    expect(heads()).toEqual({ main: two, topic: one });
    expect(readFileSync(join(empty.dir, 'a'), 'utf8')).toBe('2');
    expect(isClean()).toBe(true);
  });

  it('makes tags that are absent, and never moves or deletes one', async () => {
    inRepo('tag', 'v1', one);
    const { moved: done, waiting } = await hear({ 'refs/tags/v1': two, 'refs/tags/v2': two });
    expect(done).toEqual([moved('refs/tags/v2', undefined, two, 'tag')]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/tags/v1', 'tag-clash'))]);
    expect(refsBelow(agent.repo, 'refs/tags/')).toEqual({ v1: one, v2: two });
    expect(await hear({})).toEqual({ moved: [], waiting: [] });
    expect(refsBelow(agent.repo, 'refs/tags/')).toEqual({ v1: one, v2: two });
  });

  it('takes annotated tags as they are', async () => {
    inRepo('tag', '-a', 'v3', '-m', 'three', three);
    const tag = tipOf(agent.repo, 'refs/tags/v3');
    inRepo('update-ref', '-d', 'refs/tags/v3');
    expect((await hear({ 'refs/tags/v3': tag })).moved).toEqual([moved('refs/tags/v3', undefined, tag, 'tag')]);
  });

  it('names a tag that cannot be made beside another, makes the others, and moves branches', async () => {
    inRepo('tag', 'v1', one);
    const { moved: done, waiting } = await hear({ 'refs/tags/v1/a': two, 'refs/tags/v2': two, main: three });
    expect(done).toEqual([moved('refs/tags/v2', undefined, two, 'tag'), moved('refs/heads/main', two, three, 'fast-forward')]);
    expect(waiting).toEqual([expect.objectContaining(waits('refs/tags/v1/a', 'failed'))]);
  });

  it('is not stopped by a tip that is no commit', async () => {
    const blob = tipOf(agent.repo, 'HEAD:a');
    inRepo('branch', 'topic', one);
    const { moved: done, waiting } = await hear({ topic: blob, main: three });
    expect(done).toEqual([moved('refs/heads/main', two, three, 'fast-forward')]);
    expect(waiting).toEqual([expect.objectContaining({ ref: 'refs/heads/topic' })]);
  });

  it('counts a tip as acted on only when nothing of it waits', async () => {
    await hear({ main: three, topic: one });
    expect(agent.maps.acted(laptop.device)).toEqual({ 'refs/heads/main': three, 'refs/heads/topic': one });
    const mine = commit(agent.repo, { mine: 'm' }, 'mine');
    await hear({ main: other });
    expect(agent.maps.acted(laptop.device)).toEqual({ 'refs/heads/main': three });
    inRepo('merge', '-q', '-m', 'merged', other);
    await look();
    expect(agent.maps.acted(laptop.device)).toEqual({ 'refs/heads/main': other });
    expect(mine).not.toBe(tipOf(agent.repo, 'main'));
  });

  it('moves nothing that has moved since it was looked at', async () => {
    const before = await listRefs(agent.runGit, agent.repository, ['refs/heads/', 'refs/tags/']);
    await takeMap(agent, laptop, { counter: 1, refs: refsOf({ main: three }) });
    const mine = commit(agent.repo, { mine: 'm' }, 'mine');
    const outcome = await consider(agent, sourceOf(true), { policy: POLICY, ours: before, book: NO_LEFT });
    expect(outcome.moved).toEqual([]);
    expect(outcome.waiting).toEqual([expect.objectContaining(waits('refs/heads/main', 'busy'))]);
    expect(heads()).toEqual({ main: mine });
  });
});

describe('hasOnlyGrown', () => {
  const grown = (before: Readonly<Record<string, Oid>>, after: Readonly<Record<string, Oid>>): Promise<boolean> => hasOnlyGrown(agent, refsOf(before), refsOf(after));

  it('is true where branches went forward or away', async () => {
    expect(await grown({ main: one, topic: one }, { main: two })).toBe(true);
    expect(await grown({ main: one }, { main: one })).toBe(true);
    expect(await grown({ 'refs/tags/v1': two }, { 'refs/tags/v1': one, 'refs/tags/v2': one })).toBe(true);
  });

  it('is false where one went back or aside, or is new', async () => {
    expect(await grown({ main: two }, { main: one })).toBe(false);
    expect(await grown({ main: two }, { main: other })).toBe(false);
    expect(await grown({}, { main: one })).toBe(false);
  });
});
