// What a repository that is being deleted must not tell. Rule: what a person did with git is told at once, or a second later.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CONFIRM_MS, Doubt, Vanishing } from '../../../src/agent/vanishing.ts';
import { listRefs } from '../../../src/git/refs.ts';
import { openAgentRepo, refsOf } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

type Refs = Awaited<ReturnType<typeof listRefs>>;

async function begin(repo = makeRepo()): Promise<{ agent: AgentRepo; clock: VirtualClock; refs: () => Promise<Refs>; check: (before: Refs) => Promise<string> }> {
  const agent = await openAgentRepo(repo);
  const clock = new VirtualClock();
  const vanishing = new Vanishing(agent, clock);
  const refs = (): Promise<Refs> => listRefs(agent.runGit, agent.repository, ['refs/heads/', 'refs/tags/']);
  const check = async (before: Refs): Promise<string> => {
    try {
      await vanishing.check(before, await refs());
      return 'told';
    } catch (error) {
      if (error instanceof Doubt) return `again in ${error.retryMs}`;
      throw error;
    }
  };
  return { agent, clock, refs, check };
}

describe('Vanishing', () => {
  it.each([
    ['a commit', ['commit', '-q', '--allow-empty', '-m', 'more']],
    ['an amend', ['commit', '-q', '--amend', '--allow-empty', '-m', 'other']],
    ['a reset', ['reset', '-q', '--hard', 'HEAD~1']],
    ['a branch', ['branch', 'new']],
    ['a branch that is moved by force', ['branch', '--force', 'topic', 'HEAD~1']],
  ])('lets %s be told at once', async (_what, args) => {
    const { agent, refs, check } = await begin();
    for (const text of ['1', '2']) commit(agent.repo, { a: text }, text);
    git(agent.repo.dir, 'branch', 'topic');
    const before = await refs();
    git(agent.repo.dir, ...args);
    expect(await check(before)).toBe('told');
  });

  it('lets a deletion be told when it still stands a moment later', async () => {
    const { agent, clock, refs, check } = await begin();
    commit(agent.repo, { a: '1' }, 'one');
    git(agent.repo.dir, 'branch', 'topic');
    const before = await refs();
    git(agent.repo.dir, 'branch', '-D', 'topic');
    expect(await check(before)).toBe(`again in ${CONFIRM_MS}`);
    clock.advance(CONFIRM_MS - 1);
    expect(await check(before)).toBe(`again in ${CONFIRM_MS}`);
    clock.advance(1);
    expect(await check(before)).toBe('told');
  });

  it('begins to wait anew when more goes, and forgets what came back', async () => {
    const { agent, clock, refs, check } = await begin();
    const one = commit(agent.repo, { a: '1' }, 'one');
    for (const name of ['x', 'y']) git(agent.repo.dir, 'branch', name);
    const before = await refs();
    git(agent.repo.dir, 'branch', '-D', 'x');
    await check(before);
    clock.advance(CONFIRM_MS);
    git(agent.repo.dir, 'branch', '-D', 'y');
    expect(await check(before)).toMatch('again');
    git(agent.repo.dir, 'branch', 'x', one);
    git(agent.repo.dir, 'branch', 'y', one);
    expect(await check(before)).toBe('told');
  });

  it('never tells of older branches that are read out of packed-refs once the newer are deleted', async () => {
    const { agent, clock, refs, check } = await begin();
    const one = commit(agent.repo, { a: '1' }, 'one');
    git(agent.repo.dir, 'pack-refs', '--all');
    commit(agent.repo, { a: '2' }, 'two');
    const before = await refs();
    rmSync(join(agent.repo.gitDir, 'refs/heads/main'));
    expect(tipOf(agent.repo, 'main')).toBe(one);
    expect(await check(before)).toMatch('again');
    clock.advance(60_000);
    expect(await check(before)).toMatch('again');
    git(agent.repo.dir, 'commit', '-q', '--allow-empty', '-m', 'gone on from there');
    expect(await check(before)).toBe('told');
  });

  it('never tells of deletions in a repository of which more is gone', async () => {
    const { agent, clock, refs, check } = await begin();
    commit(agent.repo, { a: '1' }, 'one');
    git(agent.repo.dir, 'branch', 'topic');
    const before = await refs();
    git(agent.repo.dir, 'branch', '-D', 'topic');
    rmSync(join(agent.repo.gitDir, 'config'));
    await check(before);
    clock.advance(60_000);
    expect(await check(before)).toMatch('again');
  });

  it('never tells that the branch which is checked out has gone, and looks ever more seldom', async () => {
    const { agent, clock, refs, check } = await begin();
    commit(agent.repo, { a: '1' }, 'one');
    const before = await refs();
    git(agent.repo.dir, 'update-ref', '-d', 'refs/heads/main');
    await check(before);
    clock.advance(10_000);
    expect(await check(before)).toBe('again in 10000');
    clock.advance(10 * 60_000);
    expect(await check(before)).toBe('again in 30000');
    commit(agent.repo, { a: '2' }, 'begun anew');
    expect(await check(before)).toBe('told');
  });

  it('takes a bare repository at its word after a moment, for it writes no reflog', async () => {
    const { agent, clock, refs, check } = await begin(makeRepo({ isBare: true }));
    const other = makeRepo();
    const one = commit(other, { a: '1' }, 'one');
    commit(other, { a: '2' }, 'two');
    git(other.dir, 'push', '-q', agent.repo.dir, 'main');
    const before = await refs();
    git(agent.repo.dir, 'update-ref', 'refs/heads/main', one);
    expect(await check(before)).toMatch('again');
    clock.advance(CONFIRM_MS);
    expect(await check(before)).toBe('told');
    git(agent.repo.dir, 'branch', '-D', 'main');
    await check(before);
    clock.advance(CONFIRM_MS);
    expect(await check(before)).toBe('told');
  });

  it('has no doubt about what is no branch and no tag', async () => {
    const { agent, refs, check } = await begin();
    const one = commit(agent.repo, { a: '1' }, 'one');
    expect(await check(new Map([...(await refs()), ...refsOf({ 'refs/xmpp/left': one })]))).toBe('told');
  });
});
