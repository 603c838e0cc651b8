// Repositories of every kind that git makes, on two devices. Rule: what can be kept in sync is; what cannot says so in one sentence with the
// command that does it, and nothing is touched meanwhile.

import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes, copy } = await shareNotes(setting, { 'README.md': 'hello\n', 'in/a.txt': 'a\n', 'out/b.txt': 'b\n' }));
});

afterAll(() => setting?.stop());

/** Waits until the desktop says why main does not move, and gives that back. */
async function waiting(words: string): Promise<string> {
  const { words: said } = await desktop.event((event) => event.type === 'waiting' && event.words.includes(words));
  return said;
}

/** Runs the command that a sentence ends with. */
async function obey(said: string): Promise<void> {
  const [, command = ''] = /run (git .+)$/.exec(said) ?? [];
  await desktop.git(copy, ...command.split(' ').slice(1));
}

describe('a linked work tree', () => {
  it('moves with its branch, and the main one stays as it is', async () => {
    const linked = desktop.path('linked');
    await laptop.git(notes, 'branch', 'side');
    await desktop.ref(copy, 'refs/remotes/origin/side', await laptop.git(notes, 'rev-parse', 'side'));
    await desktop.git(copy, 'worktree', 'add', '-q', '-b', 'side', linked, 'origin/side');
    await laptop.git(notes, 'switch', '-q', 'side');
    const tip = await laptop.commit(notes, { 'side.txt': 's\n' }, 'on the side');
    await desktop.head(linked, tip);
    expect(readFileSync(path.join(linked, 'side.txt'), 'utf8')).toBe('s\n');
    expect(existsSync(path.join(copy, 'side.txt'))).toBe(false);
    await laptop.git(notes, 'switch', '-q', 'main');
    await laptop.head(notes, await laptop.git(notes, 'rev-parse', 'main'));
    const back = await desktop.commit(linked, { 'back.txt': 'b\n' }, 'from the linked one');
    await laptop.ref(notes, 'refs/heads/side', back);
    await desktop.git(copy, 'worktree', 'remove', linked);
  });

  it('is shared by itself', async () => {
    const [whole, tree] = [await laptop.repo('whole'), laptop.path('tree')];
    await laptop.git(whole, 'worktree', 'add', '-q', '-b', 'other', tree);
    const shared = await laptop.xmppIn(tree, 'share');
    expect(shared, shared.stderr).toMatchObject({ code: 0 });
    expect(await desktop.run('git-xmpp', ['clone', 'laptop/tree'])).toMatchObject({ code: 0 });
    await desktop.ref(desktop.path('tree'), 'refs/remotes/origin/main', await laptop.git(whole, 'rev-parse', 'main'));
    await desktop.ref(desktop.path('tree'), 'refs/remotes/origin/other', await laptop.commit(tree, { 't.txt': 't\n' }, 'in the tree'));
    await laptop.xmpp('unshare', tree);
    await desktop.xmpp('unshare', desktop.path('tree'));
  });
});

describe('a detached HEAD', () => {
  it('stays where it is, and the branch moves without it', async () => {
    const before = await desktop.git(copy, 'rev-parse', 'HEAD');
    await desktop.git(copy, 'switch', '-q', '--detach');
    const tip = await laptop.commit(notes, { 'c.txt': 'c\n' }, 'while detached');
    await desktop.ref(copy, 'refs/heads/main', tip);
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(before);
    expect(existsSync(path.join(copy, 'c.txt'))).toBe(false);
    await desktop.git(copy, 'switch', '-q', 'main');
    await desktop.head(copy, tip);
  });
});

describe('a sparse checkout', () => {
  it('waits with the command that moves it, and is left sparse', async () => {
    await desktop.git(copy, 'sparse-checkout', 'set', '--cone', 'in');
    const tip = await laptop.commit(notes, { 'in/a.txt': 'A\n', 'out/b.txt': 'B\n' }, 'in and out');
    const said = await waiting('its checkout is sparse');
    expect(readFileSync(path.join(copy, 'in/a.txt'), 'utf8')).toBe('a\n');
    await obey(said);
    await desktop.head(copy, tip);
    expect(existsSync(path.join(copy, 'out/b.txt'))).toBe(false);
    await laptop.inSync('desktop');
    await desktop.git(copy, 'sparse-checkout', 'disable');
  });
});

describe('a submodule', () => {
  it('is a commit to name, never a place to go: nothing of it is fetched, and the one there stays as it is', async () => {
    const inner = await laptop.repo('inner');
    const options = ['-c', 'protocol.file.allow=always'];
    await laptop.git(notes, ...options, 'submodule', '--quiet', 'add', inner, 'sub');
    await laptop.git(notes, 'commit', '-q', '-m', 'with a submodule');
    await desktop.git(copy, 'config', 'submodule.recurse', 'true');
    await desktop.head(copy, await laptop.git(notes, 'rev-parse', 'HEAD'));
    expect(existsSync(path.join(copy, '.git/modules'))).toBe(false);
    expect(await desktop.git(copy, 'ls-files', '-s', 'sub')).toContain(await laptop.git(inner, 'rev-parse', 'HEAD'));
    await desktop.git(copy, ...options, 'submodule', '--quiet', 'update', '--init');
    const there = await desktop.git(path.join(copy, 'sub'), 'rev-parse', 'HEAD');
    await laptop.commit(path.join(notes, 'sub'), { 'more.txt': 'm\n' }, 'more');
    const tip = await laptop.commit(notes, { 'd.txt': 'd\n' }, 'the submodule went on');
    await desktop.ref(copy, 'refs/heads/main', tip);
    expect(await desktop.git(path.join(copy, 'sub'), 'rev-parse', 'HEAD')).toBe(there);
    expect(await desktop.git(copy, 'status', '--porcelain', '--ignore-submodules=all')).toBe('');
    await laptop.git(notes, 'rm', '-qf', 'sub', '.gitmodules');
    await laptop.git(notes, 'commit', '-q', '-m', 'no submodule');
    await desktop.ref(copy, 'refs/heads/main', await laptop.git(notes, 'rev-parse', 'HEAD'));
    await desktop.run('rm', ['-rf', path.join(copy, 'sub')]);
  });
});

describe('files that pass through a filter, as those of git-lfs do', () => {
  it('wait with the command that writes them', async () => {
    await desktop.git(copy, 'config', 'filter.lfs.smudge', 'sed s/pointer/content/');
    await desktop.git(copy, 'config', 'filter.lfs.clean', 'sed s/content/pointer/');
    const tip = await laptop.commit(notes, { '.gitattributes': '*.bin filter=lfs\n', 'big.bin': 'pointer\n' }, 'a large one');
    const said = await waiting('big.bin passes through filter=lfs');
    expect(existsSync(path.join(copy, 'big.bin'))).toBe(false);
    await obey(said);
    await desktop.head(copy, tip);
    expect(readFileSync(path.join(copy, 'big.bin'), 'utf8')).toBe('content\n');
    await laptop.inSync('desktop');
  });
});

describe('replaced and grafted history', () => {
  it('is what it is on every other device: only what is really there counts, and stays at home', async () => {
    const [tip, root] = (await desktop.git(copy, 'rev-list', 'main')).split('\n').filter((_oid, index, all) => index === 0 || index === all.length - 1);
    await desktop.git(copy, 'replace', '--graft', tip ?? '');
    await writeFile(path.join(copy, '.git/info/grafts'), `${root} ${tip}\n`);
    const next = await laptop.commit(notes, { 'e.txt': 'e\n' }, 'on what is replaced there');
    await desktop.ref(copy, 'refs/heads/main', next);
    await laptop.inSync('desktop');
    expect(await laptop.git(notes, 'for-each-ref', 'refs/replace')).toBe('');
    await rm(path.join(copy, '.git/info/grafts'));
    await desktop.git(copy, 'replace', '-d', tip ?? '');
    await laptop.head(notes, await desktop.commit(copy, { 'f.txt': 'f\n' }, 'and back'));
  });
});

describe('a repository that is made shallow', () => {
  it('stands still, says what mends it, and goes on by itself', async () => {
    await writeFile(path.join(copy, '.git/shallow'), `${await desktop.git(copy, 'rev-parse', 'HEAD')}\n`);
    await desktop.statusWhen(({ repos }) => repos.find(({ name }) => name === 'notes')?.problem?.code === 'refused-repository');
    expect((await desktop.xmpp('status')).stdout).toMatch(/is a shallow clone: .*\n\s+run git fetch --unshallow/);
    const tip = await laptop.commit(notes, { 'g.txt': 'g\n' }, 'while shallow');
    await rm(path.join(copy, '.git/shallow'));
    await desktop.head(copy, tip);
  });
});

describe('a repository with other formats', () => {
  it('of refs is refused, and nothing of it is changed', async () => {
    const tables = await laptop.repo('tables');
    await laptop.git(tables, 'config', 'core.repositoryFormatVersion', '1');
    await laptop.git(tables, 'config', 'extensions.refStorage', 'reftable');
    const end = await laptop.xmppIn(tables, 'share');
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/refstorage|keeps its refs as reftable/i);
    expect(readFileSync(path.join(tables, '.git/config'), 'utf8')).not.toContain('xmpp');
  });

  it('of object names is kept in sync: SHA-256', async () => {
    const dir = laptop.path('long');
    await laptop.git(laptop.dir, 'init', '--quiet', '--object-format=sha256', dir);
    const first = await laptop.commit(dir, { 'a.txt': 'a\n' }, 'long names');
    expect(await laptop.xmppIn(dir, 'share')).toMatchObject({ code: 0 });
    const cloned = await desktop.run('git-xmpp', ['clone', 'laptop/long']);
    expect(cloned, cloned.stderr).toMatchObject({ code: 0 });
    await desktop.head(desktop.path('long'), first);
    await laptop.head(dir, await desktop.commit(desktop.path('long'), { 'b.txt': 'b\n' }, 'and back'));
  });
});
