// The walk that slices are cut from, on real history.

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRunGit, createStartGit, NO_EXIT_CODE } from '../../../src/git/run.ts';
import type { GitProcess, StartGit } from '../../../src/git/run.ts';
import { edgeOf, measureRange, sortTips, walkSteps } from '../../../src/git/steps.ts';
import { Fault } from '../../../src/lib/errors.ts';
import type { Oid } from '../../../src/lib/names.ts';
import type { Step } from '../../../src/sync/slice-plan.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const [runGit, startGit] = [createRunGit(cleanEnv()), createStartGit(cleanEnv())];

let repo: TestRepo;
let one: Oid;
let merge: Oid;

beforeAll(() => {
  repo = makeRepo();
  one = commit(repo, { a: randomBytes(10_000) }, 'one');
  commit(repo, { a: randomBytes(20_000) }, 'two');
  git(repo.dir, 'switch', '-q', '-c', 'side', one);
  commit(repo, { b: randomBytes(30_000) }, 'side');
  git(repo.dir, 'switch', '-q', 'main');
  git(repo.dir, 'merge', '-q', '-m', 'merge', 'side');
  merge = tipOf(repo, 'HEAD');
  git(repo.dir, 'tag', '-a', '-m', 'v1', 'v1');
  git(repo.dir, 'tag', 'data', tipOf(repo, 'HEAD:a'));
});

async function walk(tips: readonly Oid[], bases: readonly Oid[] = []): Promise<Step[]> {
  const steps: Step[] = [];
  for await (const step of walkSteps(startGit, await open(repo), { tips, bases })) steps.push(step);
  return steps;
}

describe('walkSteps', () => {
  it('gives every commit once, behind its parents, and every byte with the commit that brings it', async () => {
    const steps = await walk([merge]);
    expect(steps.map(({ oid }) => git(repo.dir, 'log', '-1', '--format=%s', oid))).toEqual(expect.arrayContaining(['one', 'two', 'side', 'merge']));
    expect(steps).toHaveLength(4);
    for (const [index, step] of steps.entries()) {
      const before = new Set(steps.slice(0, index).map(({ oid }) => oid));
      expect(step.parents.filter((parent) => !before.has(parent))).toEqual([]);
    }
    expect(steps[0]?.bytes).toBeGreaterThan(10_000);
    const sum = steps.reduce((total, { bytes }) => total + bytes, 0);
    expect(sum).toBe(await measureRange(runGit, await open(repo), { tips: [merge], bases: [] }));
  });

  it('leaves out what the bases lead to', async () => {
    const steps = await walk([merge], [tipOf(repo, 'side')]);
    expect(steps.map(({ oid }) => oid)).toEqual([tipOf(repo, 'main~1'), merge]);
    expect(await walk([one], [merge])).toEqual([]);
  });

  it('begins where the edge of the range is', async () => {
    const edge = async (tips: readonly Oid[], bases: readonly Oid[]): Promise<readonly Oid[]> => [...(await edgeOf(runGit, await open(repo), { tips, bases }))].sort();
    expect(await edge([merge], [tipOf(repo, 'side')])).toEqual([one, tipOf(repo, 'side')].sort());
    expect(await edge([one], [merge])).toEqual([]);
    expect(await edge([], [merge])).toEqual([]);
  });

  it('says so where an object is missing', async () => {
    const broken = makeRepo();
    commit(broken, { a: '1' }, 'one');
    const tree = git(broken.dir, 'rev-parse', 'HEAD^{tree}');
    const tip = commit(broken, { a: '2' }, 'two');
    rmSync(join(broken.gitDir, 'objects', tree.slice(0, 2), tree.slice(2)));
    const walking = walkSteps(startGit, await open(broken), { tips: [tip], bases: [] });
    const all = (async () => {
      for await (const step of walking) expect(step.oid).not.toBe('');
    })();
    await expect(all).rejects.toMatchObject({ code: 'git' });
  });

  it('leaves no git waiting where the second one cannot be started', async () => {
    const started: GitProcess[] = [];
    const once: StartGit = (args, options) => {
      if (started.length > 0) throw new Fault('too-many-files', 'git could not be started: too many files are open');
      started.push(startGit(args, options));
      return started[0] as GitProcess;
    };
    const walking = walkSteps(once, await open(repo), { tips: [merge], bases: [] });
    await expect(walking.next()).rejects.toMatchObject({ code: 'too-many-files' });
    expect(await started[0]?.exit).toBe(NO_EXIT_CODE);
  });

  it('may be given up in the middle', async () => {
    for await (const step of walkSteps(startGit, await open(repo), { tips: [merge], bases: [] })) {
      expect(step.oid).toBe(one);
      break;
    }
  });
});

describe('sortTips', () => {
  it('peels tags to commits, and tells what leads to none', async () => {
    const blob = tipOf(repo, 'HEAD:a');
    expect(await sortTips(runGit, await open(repo), [tipOf(repo, 'v1'), merge, blob])).toEqual({ commits: [merge], others: [blob] });
    expect(await sortTips(runGit, await open(repo), [])).toEqual({ commits: [], others: [] });
  });
});
