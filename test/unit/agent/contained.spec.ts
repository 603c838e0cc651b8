// Which of a hub's tips ours contain, on a real repository.

import { describe, expect, it } from 'vitest';
import { Contained } from '../../../src/agent/contained.ts';
import { copyOf, openAgentRepo, refsOf } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';

const repo = makeRepo();
const one = commit(repo, { a: '1' }, 'one');
const two = commit(repo, { a: '2' }, 'two');

describe('Contained', () => {
  it('names the branches of a hub that can go forward there, and no tag', async () => {
    const contained = new Contained(await openAgentRepo(copyOf(repo)));
    const ours = refsOf({ main: two, same: two, back: one, 'refs/tags/v1': two });
    const hub = refsOf({ main: one, same: two, back: two, absent: one, 'refs/tags/v1': one });
    expect(await contained.of(ours, hub)).toEqual(refsOf({ main: one, same: two }));
  });

  it('takes what is not here for not contained, and finds it once it is', async () => {
    const context = await openAgentRepo(copyOf(repo));
    const contained = new Contained(context);
    const elsewhere = copyOf(repo);
    const theirs = commit(elsewhere, { a: '3' }, 'theirs');
    const ours = commit(elsewhere, { a: '4' }, 'ours');
    const [here, there] = [refsOf({ main: ours }), refsOf({ main: theirs })];
    expect(await contained.of(here, there)).toEqual(new Map());
    git(context.repo.dir, 'fetch', '-q', elsewhere.dir, 'main');
    expect(await contained.of(here, there)).toEqual(there);
  });
});
