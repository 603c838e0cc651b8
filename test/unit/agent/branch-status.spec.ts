// How branches stand to a peer's. Rule: who has what is told in few words, whatever the other device wrote.

import { beforeAll, describe, expect, it } from 'vitest';
import { compareBranches } from '../../../src/agent/branch-status.ts';
import type { BranchStatus } from '../../../src/agent/branch-status.ts';
import type { Peer } from '../../../src/home/peers.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair } from '../../helpers/agent-pair.ts';
import { copyOf, refsOf } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

let pair: AgentPair;
let repo: TestRepo;
let peer: Peer;
let ours: Oid;
let theirs: Oid;

beforeAll(async () => {
  const base = makeRepo();
  commit(base, { a: '1' }, 'one');
  pair = await makeAgentPair({ near: copyOf(base), far: copyOf(base) });
  ({ repo } = pair.far);
  [peer] = pair.peers.list() as [Peer];
  git(repo.dir, 'checkout', '-q', '-b', 'theirs');
  for (const subject of ['first', 'second', 'third', `\u001b[31mred\u202e${'x'.repeat(200)}`]) theirs = commit(repo, { b: subject }, subject);
  git(repo.dir, 'checkout', '-q', 'main');
  ours = commit(repo, { a: '2' }, 'mine');
});

async function compare(branch = 'main'): Promise<BranchStatus | undefined> {
  const [status] = await compareBranches(pair.loop, { ours: refsOf({ [branch]: ours }), theirs: refsOf({ [branch]: theirs, other: theirs }), peer });
  return status;
}

describe('compareBranches', () => {
  it('counts what each side lacks, and lists nothing where one has it all', async () => {
    const one = tipOf(repo, 'main~1');
    const stand = async (a: Oid, b: Oid): Promise<unknown> => compareBranches(pair.loop, { ours: refsOf({ main: a, x: a }), theirs: refsOf({ main: b }), peer });
    expect(await stand(ours, ours)).toEqual([{ branch: 'main', state: 'in sync', ahead: 0, behind: 0 }]);
    expect(await stand(ours, one)).toEqual([{ branch: 'main', state: 'ahead', ahead: 1, behind: 0 }]);
    expect(await stand(one, theirs)).toEqual([{ branch: 'main', state: 'behind', ahead: 0, behind: 4 }]);
  });

  it('lists of a diverged branch the newest commits of each side, at most three, and the command that ends it', async () => {
    const status = await compare();
    expect(status).toMatchObject({ branch: 'main', state: 'diverged', ahead: 1, behind: 4, here: [{ oid: ours, subject: 'mine' }], end: `git merge ${theirs}` });
    expect(status?.there?.map(({ subject }) => subject)).toEqual([`?[31mred?${'x'.repeat(62)}…`, 'third', 'second']);
  });

  it('names the mirror where there is one, and switches where the branch is not checked out', async () => {
    git(repo.dir, 'config', 'remote.near.url', 'xmpp::near/notes');
    expect((await compare())?.end).toBe('git merge near/main');
    expect((await compare('topic'))?.end).toBe('git switch topic && git merge near/topic');
    expect((await compare('$(id)'))?.end).toBe(`git merge ${theirs}`);
  });

  it('names no command where the repository is set to merge by itself', async () => {
    git(repo.dir, 'config', 'xmpp.merge', 'merge');
    const status = await compare();
    expect(status?.there).toHaveLength(3);
    expect(status).not.toHaveProperty('end');
    git(repo.dir, 'config', '--unset', 'xmpp.merge');
  });

  it('lists commits of at most twenty branches', async () => {
    const many = (oid: Oid): ReturnType<typeof refsOf> => refsOf(Object.fromEntries(Array.from({ length: 22 }, (_, index) => [`b${index}`, oid])));
    const all = await compareBranches(pair.loop, { ours: many(ours), theirs: many(theirs), peer });
    expect(all.filter(({ state }) => state === 'diverged')).toHaveLength(22);
    expect(all.filter(({ here }) => here !== undefined)).toHaveLength(20);
  });
});
