// What a branch becomes under xmpp.merge = merge, on real repositories with work trees.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { consider } from '../../../src/agent/consider.ts';
import type { Outcome } from '../../../src/agent/consider.ts';
import type { RepoContext, SourceId } from '../../../src/agent/context.ts';
import type { RepoPolicy } from '../../../src/agent/policies-format.ts';
import { formatAutomatic } from '../../../src/git/automatic-format.ts';
import { listRefs } from '../../../src/git/refs.ts';
import { readTips } from '../../../src/git/tips.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { NO_LEFT, noteMove } from '../../../src/sync/left-format.ts';
import type { LeftBook } from '../../../src/sync/left-format.ts';
import { copyOf, openAgentRepo, refsBelow, refsOf } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';

const { device } = makeDeviceKey();
const POLICY: RepoPolicy = { merge: 'merge', mergeFrom: 'own', rewrite: 'follow', isFolder: false, mayMergeUnrelated: false };
const MAIN = parseRefName('refs/heads/main');

/** main: one → mine; one → other → more; one → third; alone: a root of its own. */
const base = makeRepo();
const one = commit(base, { a: '1\n' }, 'one');
const branch = (from: Oid, files: Readonly<Record<string, string>>, message: string): Oid => {
  git(base.dir, 'checkout', '-q', '--detach', from);
  return commit(base, files, message);
};
const other = branch(one, { b: 'b\n' }, 'other');
const more = branch(other, { b: 'bb\n' }, 'more');
const third = branch(one, { c: 'c\n' }, 'third');
git(base.dir, 'checkout', '-q', '--orphan', 'alone');
const alone = commit(base, { d: 'd\n' }, 'alone');
git(base.dir, 'checkout', '-q', '-f', 'main');
const mine = commit(base, { a: 'mine\n' }, 'mine');
git(base.dir, 'branch', '-q', '-D', 'alone');

let agent: AgentRepo;
let acted: Readonly<Record<string, string>>;
let ran: string[];

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base));
  [acted, ran] = [{}, []];
});

interface Rules extends Partial<RepoPolicy> {
  readonly isOwn?: boolean;
  readonly id?: SourceId;
  readonly book?: LeftBook;
}

/** A source is at `tip`, and that is considered. */
async function hear(tip: Oid, { isOwn = true, id = device, book = NO_LEFT, ...rules }: Rules = {}): Promise<Outcome> {
  const ours = await listRefs(agent.runGit, agent.repository, ['refs/heads/']);
  const context: RepoContext = { ...agent, runGit: (args, options) => (ran.push(args.find((arg) => !arg.startsWith('-')) ?? ''), agent.runGit(args, options)) };
  const setActed = (tips: Readonly<Record<string, string>>): Promise<void> => Promise.resolve(void (acted = tips));
  const source = { id, remote: 'laptop', isOwn, refs: refsOf({ main: tip }), acted, setActed };
  return consider(context, source, { policy: { ...POLICY, ...rules }, ours, book });
}

const inRepo = (...args: string[]): string => git(agent.repo.dir, ...args);
const tip = (): Oid => tipOf(agent.repo, 'main');
const at = (oid: Oid): void => void inRepo('reset', '-q', '--hard', oid);
const parentsOf = (oid: Oid): string[] => inRepo('show', '-s', '--format=%P', oid).split(' ');
const left = (...oids: readonly Oid[]): LeftBook => noteMove(NO_LEFT, { ref: MAIN, left: oids, back: [], stamp: 1 });
const kept = (): string[] => Object.values(refsBelow(agent.repo, 'refs/xmpp/kept/'));
/** The automatic merge that joins `mine` and `with`. */
async function merged(...others: readonly Oid[]): Promise<Oid> {
  at(mine);
  for (const each of others) await hear(each);
  return tip();
}

describe('joining', () => {
  it('fast-forwards, with files and without one process to find out that it may', async () => {
    at(other);
    const { moved, waiting } = await hear(more);
    expect(moved).toEqual([{ ref: MAIN, from: other, to: more, how: 'fast-forward' }]);
    expect(waiting).toEqual([]);
    expect(readFileSync(join(agent.repo.dir, 'b'), 'utf8')).toBe('bb\n');
    expect(ran.filter((command) => ['merge-base', 'rev-list', 'cat-file', 'for-each-ref'].includes(command))).toEqual([]);
  });

  it('does nothing where ours contains theirs', async () => {
    at(more);
    expect(await hear(one)).toEqual({ moved: [], waiting: [] });
    expect(acted).toEqual({ [MAIN]: one });
  });

  it('merges what was committed on both sides, and moves the files', async () => {
    const { moved } = await hear(other);
    expect(moved).toEqual([{ ref: MAIN, from: mine, to: tip(), how: 'merge' }]);
    expect(parentsOf(tip())).toEqual([mine, other].toSorted());
    expect(inRepo('status', '--porcelain')).toBe('');
    expect(existsSync(join(agent.repo.dir, 'b'))).toBe(true);
    expect(inRepo('reflog', '-1', '--format=%gs', 'main')).toBe('xmpp: merge');
    expect(kept()).toEqual([]);
  });

  it('ends at one commit in any order of arrival, and keeps nothing of the merges in between', async () => {
    const orders = [[other, third], [third, other], [third, more], [more, third]];
    const ends: Oid[] = [];
    for (const order of orders) ends.push(await merged(...order));
    expect(ends[0]).toBe(ends[1]);
    expect(ends[2]).toBe(ends[3]);
    expect(parentsOf(ends[2] ?? one)).toEqual([mine, more, third].toSorted());
    expect(kept()).toEqual([]);
  });

  it('takes over a merge that another device made', async () => {
    const made = await merged(other);
    at(other);
    expect((await hear(made)).moved).toEqual([expect.objectContaining({ to: made, how: 'merge' })]);
    at(one);
    expect((await hear(made)).moved).toEqual([expect.objectContaining({ to: made, how: 'merge' })]);
  });

  it('goes from a merge to the commit that a person made of the same', async () => {
    const made = await merged(other);
    const person = commit(agent.repo, { e: 'e\n' }, 'on top');
    at(made);
    expect((await hear(person)).moved).toEqual([expect.objectContaining({ to: person, how: 'fast-forward' })]);
    at(await merged(more));
    const { moved } = await hear(person);
    expect(moved).toEqual([expect.objectContaining({ how: 'merge' })]);
    expect(parentsOf(tip())).toEqual([more, person].toSorted());
  });

  it('is not taken in by a merge whose tree holds ten thousand million files', async () => {
    const write = (type: string, input: string): string => execFileSync('git', ['hash-object', '-t', type, '-w', '--literally', '--stdin'], { cwd: agent.repo.dir, input }).toString().trim();
    const treeOf = (mode: string, oid: string): string => {
      const lines = Array.from({ length: 100 }, (_none, index) => `${mode} ${mode === '100644' ? 'blob' : 'tree'} ${oid}\tx${String(index).padStart(2, '0')}\n`);
      return execFileSync('git', ['mktree'], { cwd: agent.repo.dir, input: lines.join('') }).toString().trim();
    };
    let tree = treeOf('100644', write('blob', ''));
    for (let depth = 1; depth < 5; depth += 1) tree = treeOf('040000', tree);
    const bomb = write('commit', formatAutomatic({ tree: parseOid(tree), parents: [mine, other].toSorted(), seconds: 1 }));
    const { moved, waiting } = await hear(parseOid(bomb));
    expect([moved, waiting.map(({ words }) => words)]).toEqual([[], [expect.stringContaining('it changes more than 200000 files')]]);
    expect(tip()).toBe(mine);
  });

  it('names the variants of a conflict, on the device that merged and on one that took it over', async () => {
    const theirs = commitAt(one, { a: 'theirs\n' });
    at(mine);
    const [made] = (await hear(theirs)).moved;
    expect(made?.variants).toEqual([expect.stringMatching(/^a\.variant-[0-9a-f]{8}$/)]);
    at(one);
    const [taken] = (await hear(made?.to ?? one)).moved;
    expect(taken).toMatchObject({ to: made?.to, variants: made?.variants });
  });

  it('waits for a dirty work tree, touching nothing, and makes the merge once', async () => {
    writeFileSync(join(agent.repo.dir, 'b'), 'not in git\n');
    const { moved, waiting } = await hear(other);
    expect([moved, waiting]).toEqual([[], [expect.objectContaining({ ref: MAIN, why: 'busy' })]]);
    expect(acted).toEqual({});
    const made = ran.filter((command) => command === 'hash-object').length;
    await hear(other);
    expect(ran.filter((command) => command === 'hash-object')).toHaveLength(made);
    expect([tip(), readFileSync(join(agent.repo.dir, 'b'), 'utf8')]).toEqual([mine, 'not in git\n']);
    git(agent.repo.dir, 'clean', '-q', '-f');
    expect((await hear(other)).moved).toHaveLength(1);
  });

  it('makes a merge again that somebody pruned', async () => {
    const made = await merged(other);
    at(mine);
    inRepo('tag', 'other', other);
    inRepo('reflog', 'expire', '--expire=now', '--all');
    inRepo('-c', 'gc.auto=0', 'prune', '--expire=now');
    expect((await hear(other)).moved).toEqual([expect.objectContaining({ to: made })]);
  });

  it('refuses unrelated histories in words, unless asked for', async () => {
    const { waiting } = await hear(alone);
    expect(waiting).toEqual([expect.objectContaining({ ref: MAIN, why: 'unmerged', words: expect.stringContaining('xmpp.mergeUnrelated') as string })]);
    expect(tip()).toBe(mine);
    expect((await hear(alone, { mayMergeUnrelated: true })).moved).toHaveLength(1);
  });

  it('leaves other accounts alone: what is older is no news, what is newer waits', async () => {
    expect(await hear(one, { isOwn: false })).toEqual({ moved: [], waiting: [] });
    expect((await hear(other, { isOwn: false })).waiting).toEqual([expect.objectContaining({ why: 'other-account' })]);
    expect((await hear(other, { isOwn: false, mergeFrom: 'all' })).moved).toHaveLength(1);
  });
});

function commitAt(from: Oid, files: Readonly<Record<string, string>>): Oid {
  inRepo('checkout', '-q', '--detach', from);
  const oid = commit(agent.repo, files, 'at');
  inRepo('checkout', '-q', 'main');
  return oid;
}

describe('what was left', () => {
  it('is left here too, and kept', async () => {
    const { moved } = await hear(other, { book: left(mine) });
    expect(moved).toEqual([{ ref: MAIN, from: mine, to: other, how: 'follow' }]);
    expect(kept()).toEqual([mine]);
  });

  it('does not come back with a device that has not heard', async () => {
    at(other);
    expect(await hear(mine, { book: left(mine) })).toEqual({ moved: [], waiting: [] });
    expect(tip()).toBe(other);
  });

  it('goes out of a merge that was made meanwhile', async () => {
    const amended = commitAt(one, { a: 'amended\n' });
    await merged(other);
    const { moved } = await hear(amended, { book: left(mine) });
    expect(moved).toHaveLength(1);
    expect(parentsOf(tip())).toEqual([amended, other].toSorted());
    expect(kept()).toHaveLength(1);
  });

  it('steps back to what remains', async () => {
    const made = await merged(other);
    expect((await hear(mine, { book: left(other) })).moved).toEqual([{ ref: MAIN, from: made, to: mine, how: 'follow' }]);
    expect(kept()).toEqual([made]);
  });

  it('moves forward without a word where it lies within', async () => {
    at(other);
    expect((await hear(more, { book: left(other) })).moved).toEqual([expect.objectContaining({ how: 'fast-forward' })]);
    expect(kept()).toEqual([]);
  });
});

describe('a hub', () => {
  it('makes an automatic merge solid: what comes is built on it', async () => {
    const made = await merged(other);
    at(third);
    await hear(made, { id: 'hub:origin' });
    expect(parentsOf(tip())).toEqual([made, third].toSorted());
    const [solid] = await readTips(agent, [tip()]);
    expect(solid?.isAutomatic).toBe(true);
    at(await merged(other, third));
    await hear(made, { id: 'hub:origin' });
    expect(parentsOf(tip())).toEqual([made, third].toSorted());
  });

  it('has its merge taken for solid by devices that only read of it in the book', async () => {
    const made = await merged(other);
    at(third);
    await hear(made, { book: noteMove(NO_LEFT, { ref: MAIN, left: [], back: [], held: [made], stamp: 1 }) });
    expect(parentsOf(tip())).toEqual([made, third].toSorted());
  });
});
