// What tips stand for, and which of several contain the others.

import { beforeAll, describe, expect, it } from 'vitest';
import { formatAutomatic } from '../../../src/git/automatic-format.ts';
import { ObjectReader } from '../../../src/git/object-reader.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { maximalOf, readTips } from '../../../src/git/tips.ts';
import type { TipDeps } from '../../../src/git/tips.ts';
import { parseOid } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';

const repo = makeRepo();
const one = commit(repo, { a: '1' }, 'one');
const two = commit(repo, { a: '2' }, 'two');
const three = commit(repo, { a: '3' }, 'three');
git(repo.dir, 'checkout', '-q', '--detach', two);
const side = commit(repo, { b: 'b' }, 'side');
git(repo.dir, 'checkout', '-q', 'main');

let plain: TipDeps;
let ran: string[];
let merge: Oid;
let onTop: Oid;

beforeAll(async () => {
  const runGit = createRunGit(cleanEnv());
  const repository = await open(repo);
  plain = { repository, runGit: (args, options) => (ran.push(args[0] ?? ''), runGit(args, options)) };
  const input = formatAutomatic({ tree: tipOf(repo, `${three}^{tree}`), parents: [three, side].toSorted(), seconds: 1_800_000_000 });
  merge = parseOid((await runGit(['-C', repo.dir, 'hash-object', '-t', 'commit', '-w', '--stdin'], { input })).stdout.trim());
  git(repo.dir, 'checkout', '-q', '--detach', merge);
  onTop = commit(repo, { c: 'c' }, 'on top');
  ran = [];
});

describe.each([['with a process that waits', true], ['without'  , false]])('readTips %s', (_title, hasReader) => {
  const deps = (): TipDeps => (hasReader ? { ...plain, objects: new ObjectReader(createStartGit(cleanEnv()), plain.repository) } : plain);

  it('takes an automatic merge for its parents, and any other commit for itself', async () => {
    const [automatic, person] = await readTips(deps(), [merge, two]);
    expect(automatic).toMatchObject({ oid: merge, isAutomatic: true, solids: [three, side].toSorted(), seconds: 1_800_000_000 });
    expect(person).toMatchObject({ oid: two, isAutomatic: false, solids: [two], parents: [one], seconds: Number(git(repo.dir, 'show', '-s', '--format=%ct', two)) });
  });

  it('reads the commit itself where it is replaced', async () => {
    git(repo.dir, 'replace', two, one);
    const [tip] = await readTips(deps(), [two]).finally(() => git(repo.dir, 'replace', '-d', two));
    expect(tip?.parents).toEqual([one]);
  });

  it('fails for what is not here, or is no commit', async () => {
    await expect(readTips(deps(), [parseOid('d'.repeat(40))])).rejects.toThrow(/git/);
    await expect(readTips(deps(), [tipOf(repo, `${two}^{tree}`)])).rejects.toThrow(/commit|git/);
  });
});

describe('maximalOf', () => {
  it('starts no process where one holds the others as parents, or what a parent stands for', async () => {
    const known = await readTips(plain, [two, three, merge, onTop]);
    ran = [];
    expect(await maximalOf(plain, [two], known)).toEqual([two]);
    expect(await maximalOf(plain, [two, three], known)).toEqual([three]);
    expect(await maximalOf(plain, [onTop, side, three], known)).toEqual([onTop]);
    expect(ran).toEqual([]);
  });

  it('asks git otherwise', async () => {
    const known = await readTips(plain, [one, three, side]);
    expect(await maximalOf(plain, [one, three], known)).toEqual([three]);
    expect((await maximalOf(plain, [one, side, three], known)).toSorted()).toEqual([side, three].toSorted());
    expect(await maximalOf(plain, [two, three, side, onTop], known)).toEqual([onTop]);
  });
});
