// Automatic merges on real repositories: the same commit whatever the machine, and no work lost whatever the conflict.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { foldParents } from '../../../src/git/fold.ts';
import type { FoldDeps, Folded } from '../../../src/git/fold.ts';
import { IsolatedRepo } from '../../../src/git/isolated.ts';
import { createRunGit, createStartGit } from '../../../src/git/run.ts';
import { openRepository } from '../../../src/git/repository.ts';
import { readTips } from '../../../src/git/tips.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestFile, TestRepo } from '../../helpers/repo.ts';

const LIMITS = { paths: 1000, bytes: 1 << 20 };
const LINES = '1\n2\n3\n4\n5\n6\n7\n8\n9\n';

let repo: TestRepo;
let base: Oid;

async function depsOf(where: TestRepo, env: Readonly<Record<string, string>> = cleanEnv()): Promise<FoldDeps> {
  const runGit = createRunGit(env);
  const repository = await openRepository(runGit, where.dir);
  return { runGit, startGit: createStartGit(env), repository, isolated: new IsolatedRepo(runGit, repository, join(makeFolder(), 'merge')) };
}

/** The merge of `parents`, given in any order. */
async function fold(parents: readonly Oid[], options: { readonly mayMergeUnrelated?: boolean; readonly limits?: typeof LIMITS } = {}, deps?: FoldDeps): Promise<Folded> {
  return foldParents(deps ?? (await depsOf(repo)), parents.toSorted(), { limits: LIMITS, mayMergeUnrelated: false, ...options });
}

function commitOf(folded: Folded): Oid {
  if ('waits' in folded) throw new Error(folded.waits);
  return folded.commit;
}

/** What `files` make of the first commit, or of another. */
function side(files: Readonly<Record<string, TestFile>>, from: Oid = base): Oid {
  git(repo.dir, 'checkout', '-q', '--detach', from);
  return commit(repo, files, `side ${Object.keys(files).join(' ')}`);
}

const filesOf = (tip: string, where = repo): string[] => git(where.dir, 'ls-tree', '-r', '--name-only', tip).split('\n');
const show = (tip: string, path: string): string => git(repo.dir, 'show', `${tip}:${path}`);
const blobOf = (tip: string, path: string): string => git(repo.dir, 'rev-parse', `${tip}:${path}`);
const modeOf = (tip: string, path: string): string | undefined => git(repo.dir, 'ls-tree', tip, path).split(' ')[0];
const variant = (name: string, tip: string, path = name): string => {
  const mark = `.variant-${blobOf(tip, path).slice(0, 8)}`;
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) + mark + name.slice(dot) : name + mark;
};

beforeEach(() => {
  repo = makeRepo();
  base = commit(repo, { 'f.txt': LINES, plain: 'p\n', 'd/in': 'in\n' }, 'base');
});

describe('foldParents', () => {
  it('merges changes of different files and lines, with all as sorted parents, a fixed person and the latest date', async () => {
    const sides = [side({ 'f.txt': LINES.replace('1', 'one') }), side({ 'f.txt': LINES.replace('9', 'nine') }), side({ new: 'n\n' })];
    const tip = commitOf(await fold(sides));
    expect(git(repo.dir, 'show', '-s', '--format=%P', tip).split(' ')).toEqual(sides.toSorted());
    expect(git(repo.dir, 'show', '-s', '--format=%an <%ae> %cn <%ce>', tip)).toBe('git-xmpp <git-xmpp@localhost> git-xmpp <git-xmpp@localhost>');
    const dates = sides.map((each) => Number(git(repo.dir, 'show', '-s', '--format=%ct', each)));
    expect(git(repo.dir, 'show', '-s', '--format=%at %ct', tip)).toBe(`${Math.max(...dates)} ${Math.max(...dates)}`);
    expect(git(repo.dir, 'show', '-s', '--format=%(trailers:key=Xmpp-Merge,valueonly)', tip).trim()).toBe('1');
    expect(show(tip, 'f.txt')).toBe(LINES.replace('1', 'one').replace('9', 'nine').trim());
    expect(show(tip, 'new')).toBe('n');
    expect(git(repo.dir, 'fsck', '--full', '--strict', '--no-dangling')).toBe('');
    expect((await readTips(await depsOf(repo), [tip]))[0]).toMatchObject({ isAutomatic: true, solids: sides.toSorted() });
  });

  it('gives the same commit in another clone', async () => {
    const sides = [side({ 'f.txt': 'x\n' }), side({ 'f.txt': 'y\n' }), side({ 'f.txt': 'z\n' })];
    const other = { dir: makeFolder(), gitDir: '' };
    for (const [index, tip] of sides.entries()) git(repo.dir, 'branch', `b${index}`, tip);
    git(other.dir, 'clone', '-q', '--bare', repo.dir, 'copy');
    const copy = { dir: join(other.dir, 'copy'), gitDir: join(other.dir, 'copy') };
    const tip = commitOf(await fold(sides));
    expect(commitOf(await fold(sides, {}, await depsOf(copy)))).toBe(tip);
    expect(filesOf(tip, copy)).toEqual(filesOf(tip));
  });

  it('refuses histories without a common commit until it is told to', async () => {
    git(repo.dir, 'checkout', '-q', '--orphan', 'alone');
    const alone = commit(repo, { other: 'o\n' }, 'alone');
    expect(await fold([base, alone])).toEqual({ waits: expect.stringContaining('xmpp.mergeUnrelated') as string });
    expect(filesOf(commitOf(await fold([base, alone], { mayMergeUnrelated: true })))).toContain('other');
  });

  it('waits where two commits differ by more than its limits', async () => {
    const sides = [side({ a: 'a\n', b: 'b\n', c: 'c\n' }), side({ x: 'x\n' })];
    expect(await fold(sides, { limits: { paths: 2, bytes: 1 << 20 } })).toEqual({ waits: expect.stringContaining('more than 2 files') as string });
  });

  it('names objects as the repository does', async () => {
    repo = makeRepo({ args: ['--object-format=sha256'] });
    base = commit(repo, { f: 'f\n' }, 'base');
    const tip = commitOf(await fold([side({ a: 'a\n' }), side({ b: 'b\n' })]));
    expect(tip).toHaveLength(64);
    expect(filesOf(tip)).toEqual(['a', 'b', 'f']);
  });
});

describe('a merge is made of the commits alone', () => {
  let sides: Oid[];
  let expected: Oid;

  beforeEach(async () => {
    sides = [side({ 'f.txt': LINES.replace('5', 'five'), 'd/in': null, 'e/in': 'in\n' }), side({ 'f.txt': LINES.replace('5', 'cinq'), 'd/new': 'n\n' })];
    git(repo.dir, 'checkout', '-q', '--detach', sides[0] ?? '');
    expected = commitOf(await fold(sides));
  });

  /** A commit as git was asked to make it in an environment that differs. */
  const again = async (env: Readonly<Record<string, string>> = {}): Promise<Oid> => commitOf(await fold(sides, {}, await depsOf(repo, { ...cleanEnv(), ...env })));

  it.each(['.gitattributes', '.git/info/attributes'])('whatever %s says', async (file) => {
    writeFileSync(join(repo.dir, file), '* merge=mine\n*.txt -merge\n');
    git(repo.dir, 'config', 'merge.mine.driver', 'cp %B %A');
    expect(await again()).toBe(expected);
  });

  it('whatever attributes the commits hold', async () => {
    const attributed = sides.map((tip) => side({ '.gitattributes': '*.txt merge=union\n' }, tip));
    const tip = commitOf(await fold(attributed));
    expect(filesOf(tip).filter((name) => name.startsWith('f.'))).toHaveLength(2);
  });

  it.each([
    ['merge.directoryRenames', 'true'],
    ['merge.conflictStyle', 'diff3'],
    ['merge.renames', 'false'],
    ['merge.renameLimit', '1'],
    ['diff.algorithm', 'histogram'],
    ['i18n.commitEncoding', 'latin1'],
    ['core.attributesFile', 'attributes-of-the-user'],
  ])('whatever %s is in the repository and for the user', async (key, value) => {
    git(repo.dir, 'config', key, value);
    const home = makeFolder();
    git(repo.dir, 'config', '--file', join(home, '.gitconfig'), key, value);
    expect(await again({ HOME: home })).toBe(expected);
  });

  it('whatever attributes the user has everywhere', async () => {
    const home = makeFolder();
    mkdirSync(join(home, 'git'), { recursive: true });
    writeFileSync(join(home, 'git/attributes'), '*.txt merge=union\n');
    expect(await again({ XDG_CONFIG_HOME: home })).toBe(expected);
  });

  it('whatever is replaced', async () => {
    git(repo.dir, 'replace', base, sides[0] ?? '');
    git(repo.dir, 'replace', sides[1] ?? '', base);
    expect(await again()).toBe(expected);
  });

  it('whatever branch is checked out, and whether there is a commit graph', async () => {
    git(repo.dir, 'branch', 'kept', sides[1] ?? '');
    git(repo.dir, 'commit-graph', 'write', '--reachable');
    git(repo.dir, 'checkout', '-q', 'kept');
    writeFileSync(join(repo.dir, 'f.txt'), 'not committed\n');
    expect(await again()).toBe(expected);
  });

  it('whatever lies where it is made', async () => {
    const dir = join(makeFolder(), 'merge');
    mkdirSync(join(dir, 'git/info'), { recursive: true });
    writeFileSync(join(dir, 'git/info/attributes'), '*.txt merge=union\n');
    const deps = await depsOf(repo);
    expect(commitOf(await fold(sides, {}, { ...deps, isolated: new IsolatedRepo(deps.runGit, deps.repository, dir) }))).toBe(expected);
  });
});

describe('conflicts', () => {
  it.each([2, 3, 4])('of %i sides of one line leave the name and one file for each other side', async (count) => {
    const sides = Array.from({ length: count }, (_none, index) => side({ 'f.txt': LINES.replace('5', `five ${index}`) }));
    const tip = commitOf(await fold(sides));
    const [first, ...rest] = sides.toSorted((a, b) => (blobOf(a, 'f.txt') < blobOf(b, 'f.txt') ? -1 : 1));
    expect(blobOf(tip, 'f.txt')).toBe(blobOf(first ?? '', 'f.txt'));
    for (const each of rest) expect(blobOf(tip, variant('f.txt', each))).toBe(blobOf(each, 'f.txt'));
    expect(filesOf(tip).filter((name) => name.startsWith('f.'))).toHaveLength(count);
  });

  it('of a variant make no variant of a variant', async () => {
    const first = commitOf(await fold([side({ 'f.txt': 'a\n' }), side({ 'f.txt': 'b\n' })]));
    const name = filesOf(first).find((each) => each.includes('.variant-')) ?? '';
    const tip = commitOf(await fold([side({ [name]: 'c\n' }, first), side({ [name]: 'd\n' }, first)]));
    const names = filesOf(tip).filter((each) => each.startsWith('f.'));
    expect(names).toHaveLength(3);
    expect(names.every((each) => /^f(?:\.variant-[0-9a-f]{8})?\.txt$/.test(each))).toBe(true);
  });

  it('of two new files of one name keep both', async () => {
    const sides = [side({ new: 'a\n' }), side({ new: 'b\n' })];
    const tip = commitOf(await fold(sides));
    const [small, large] = sides.toSorted((a, b) => (blobOf(a, 'new') < blobOf(b, 'new') ? -1 : 1));
    expect([show(tip, 'new'), show(tip, variant('new', large ?? ''))]).toEqual([show(small ?? '', 'new'), show(large ?? '', 'new')]);
  });

  it('of a change against a deletion keep the change', async () => {
    const sides = [side({ 'f.txt': LINES.replace('5', 'five') }), side({ 'f.txt': null })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip)).toEqual(['d/in', 'f.txt', 'plain']);
    expect(show(tip, 'f.txt')).toContain('five');
  });

  it('of a file against a folder leave the name to the folder', async () => {
    const sides = [side({ plain: 'changed\n' }), side({ plain: null, 'plain/in': 'in\n' })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip)).toEqual(['d/in', 'f.txt', variant('plain', sides[0] ?? ''), 'plain/in']);
  });

  it('of a folder with a changed file against a file keep both', async () => {
    const sides = [side({ 'd/in': 'changed\n' }), side({ 'd/in': null, d: 'a file\n' })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip)).toEqual([variant('d', sides[1] ?? ''), 'd/in', 'f.txt', 'plain']);
    expect(show(tip, 'd/in')).toBe('changed');
  });

  it('of two modes make the file executable', async () => {
    const sides = [side({ new: { executable: 'n\n' } }), side({ new: 'n\n' })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip)).toEqual(['d/in', 'f.txt', 'new', 'plain']);
    expect(modeOf(tip, 'new')).toBe('100755');
  });

  it('of symbolic links, and of one against a file, keep both', async () => {
    const links = [side({ plain: { link: 'a' } }), side({ plain: { link: 'b' } })];
    const tip = commitOf(await fold(links));
    expect(filesOf(tip).filter((name) => name.startsWith('plain')).map((name) => modeOf(tip, name))).toEqual(['120000', '120000']);
    const mixed = [side({ plain: { link: 'a' } }), side({ plain: 'changed\n' })];
    const both = commitOf(await fold(mixed));
    const names = filesOf(both).filter((name) => name.startsWith('plain'));
    expect(names).toHaveLength(2);
    expect(names.map((name) => modeOf(both, name) ?? '').toSorted()).toEqual(['100644', '120000']);
  });

  it('of binary files keep both', async () => {
    const sides = [side({ 'f.txt': new Uint8Array([0, 1, 2]) }), side({ 'f.txt': new Uint8Array([0, 1, 3]) })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip).filter((name) => name.startsWith('f.'))).toHaveLength(2);
  });

  it('of a file renamed on both sides keep each name with what its side had there', async () => {
    const sides = [side({ 'f.txt': null, one: LINES.replace('5', 'five') }), side({ 'f.txt': null, two: LINES.replace('5', 'cinq') })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip)).toEqual(['d/in', 'one', 'plain', 'two']);
    expect([blobOf(tip, 'one'), blobOf(tip, 'two')]).toEqual([blobOf(sides[0] ?? '', 'one'), blobOf(sides[1] ?? '', 'two')]);
  });

  it('of a rename against a change of the same line keep both under the new name', async () => {
    const sides = [side({ 'f.txt': null, 'g.txt': LINES.replace('5', 'five') }), side({ 'f.txt': LINES.replace('5', 'cinq') })];
    const tip = commitOf(await fold(sides));
    expect(filesOf(tip).filter((name) => /^[fg]\./.test(name))).toHaveLength(2);
    const kept = filesOf(tip).filter((name) => name.startsWith('g.')).map((name) => blobOf(tip, name));
    expect(kept.toSorted()).toEqual([blobOf(sides[0] ?? '', 'g.txt'), blobOf(sides[1] ?? '', 'f.txt')].toSorted());
  });

  it('of a folder renamed against a file that is new in it keep the file where it was made', async () => {
    const tip = commitOf(await fold([side({ 'd/in': null, 'e/in': 'in\n' }), side({ 'd/new': 'new\n' })]));
    expect(filesOf(tip)).toEqual(['d/new', 'e/in', 'f.txt', 'plain']);
  });

  it('of a rename against a deletion keep the renamed file', async () => {
    const tip = commitOf(await fold([side({ 'f.txt': null, 'g.txt': LINES }), side({ 'f.txt': null })]));
    expect(filesOf(tip)).toEqual(['d/in', 'g.txt', 'plain']);
  });

  it('of two files renamed to one name keep every version, and no marker', async () => {
    const other = LINES.replaceAll('\n', ' b\n');
    base = commit(repo, { 'g.txt': other }, 'second');
    const sides = [
      side({ 'f.txt': null, c: LINES.replace('5', 'five'), 'g.txt': other.replace('5', 'V') }),
      side({ 'g.txt': null, c: other.replace('5', 'fünf'), 'f.txt': LINES.replace('5', 'cinq') }),
    ];
    const tip = commitOf(await fold(sides));
    const all = filesOf(tip).map((name) => show(tip, name)).join('\n');
    expect(all).not.toMatch(/<<<<<<<|>>>>>>>|=======/);
    for (const word of ['five', 'V', 'fünf', 'cinq']) expect(all).toContain(word);
  });

  it('of submodules take the smaller link', async () => {
    const links = ['a'.repeat(40), 'b'.repeat(40)];
    const withLink = (oid: string): Oid => {
      git(repo.dir, 'checkout', '-q', '--detach', base);
      git(repo.dir, 'update-index', '--add', '--cacheinfo', `160000,${oid},sub`);
      git(repo.dir, 'commit', '-q', '-m', 'link');
      return tipOf(repo, 'HEAD');
    };
    const tip = commitOf(await fold(links.map(withLink)));
    expect(git(repo.dir, 'ls-tree', tip, 'sub')).toBe(`160000 commit ${'a'.repeat(40)}\tsub`);
    expect(filesOf(tip)).toEqual(['d/in', 'f.txt', 'plain', 'sub']);
  });

  it('keep names that are no UTF-8, and short ones of long names', async () => {
    const long = `${'é'.repeat(126)}.md`;
    const sides = [side({ [long]: 'a\n' }), side({ [long]: 'b\n' })];
    const tip = commitOf(await fold(sides));
    const names = git(repo.dir, '-c', 'core.quotePath=false', 'ls-tree', '-r', '--name-only', tip).split('\n').filter((name) => name.endsWith('.md'));
    expect(names).toHaveLength(2);
    expect(names.every((name) => Buffer.byteLength(name) <= 255 && !name.includes('\uFFFD'))).toBe(true);
  });
});
