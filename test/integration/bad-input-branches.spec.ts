// Branches with names that few expect (git-check-ref-format(1)). Rule: whatever git takes as a name travels
// under just that name; what cannot is told, and holds up no other.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

/** Each is a valid name to git. */
const SIGNS = ['#1', "'quote", 'say"so"', '$(id);&|<>', '%41%2f', 'a,b=c!', '--force'];
const ODD = ['ünï/çødé', '🎉', '日本語/ブランチ', 'ﬁ-ligature', 'e\u0301', ...SIGNS];

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  notes = await laptop.repo("mein Prøjekt 'x'");
  const shared = await laptop.xmppIn(notes, 'share');
  expect(shared, shared.stderr).toMatchObject({ code: 0 });
  const cloned = await desktop.run('git-xmpp', ['clone', "laptop/mein Prøjekt -x-"]);
  expect(cloned, cloned.stderr).toMatchObject({ code: 0 });
  copy = desktop.path('mein Prøjekt -x-');
});

afterAll(() => setting?.stop());

async function branchesOf(device: Device, dir: string, prefix: string): Promise<string[]> {
  const list = await device.git(dir, 'for-each-ref', '--format=%(refname)', prefix);
  return list.split('\n').map((ref) => ref.slice(prefix.length)).filter((name) => name !== '' && name !== 'HEAD').toSorted();
}

async function expectSound(): Promise<void> {
  for (const [device, dir] of [[laptop, notes], [desktop, copy]] as const) await device.git(dir, 'fsck', '--full', '--strict');
}

describe('a branch name', () => {
  it.each(ODD)('that git takes travels as it is, and its commits come back: %s', async (name) => {
    const tip = await laptop.git(notes, 'rev-parse', 'main');
    await laptop.git(notes, 'update-ref', `refs/heads/${name}`, tip);
    await desktop.ref(copy, `refs/remotes/origin/${name}`, tip);
    await desktop.git(copy, 'symbolic-ref', 'HEAD', `refs/heads/${name}`);
    await desktop.git(copy, 'update-ref', `refs/heads/${name}`, tip);
    const next = await desktop.commit(copy, { 'a.txt': `${name}\n` }, `on ${name}`);
    await laptop.ref(notes, `refs/heads/${name}`, next);
    await laptop.ref(notes, `refs/remotes/desktop/${name}`, next);
  });

  it('is told byte for byte, all of them together', async () => {
    await desktop.git(copy, 'symbolic-ref', 'HEAD', 'refs/heads/main');
    await desktop.git(copy, 'reset', '--quiet', '--hard');
    const here = await branchesOf(laptop, notes, 'refs/heads/');
    expect(here).toEqual([...ODD, 'main'].toSorted());
    expect(await branchesOf(desktop, copy, 'refs/remotes/origin/')).toEqual(here);
    const { stdout, code } = await desktop.run('git', ['-c', 'core.quotePath=false', 'ls-remote', '--heads', 'origin'], { cwd: copy });
    expect(code).toBe(0);
    const listed = stdout.trim().split('\n').map((line) => line.split('\trefs/heads/')[1] ?? '');
    expect(new Set(listed)).toEqual(new Set(here));
    await laptop.inSync('desktop');
    await expectSound();
  });

  it('goes by plain git as well, into a branch of that name', async () => {
    await desktop.git(copy, 'fetch', '--quiet', 'origin');
    const tip = await desktop.commit(copy, { 'b.txt': 'b\n' }, 'pushed');
    const end = await desktop.run('git', ['push', 'origin', 'HEAD:refs/heads/große/änderung-#2'], { cwd: copy });
    expect(end, end.stderr).toMatchObject({ code: 0 });
    expect(await laptop.git(notes, 'rev-parse', 'große/änderung-#2')).toBe(tip);
    await laptop.head(notes, tip);
  });

  it('that git refuses beside another is refused in its words, and nothing moves', async () => {
    const before = await laptop.git(notes, 'for-each-ref', 'refs/heads');
    const end = await desktop.run('git', ['push', 'origin', 'HEAD:refs/heads/main/below'], { cwd: copy });
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/remote rejected\].*main\/below|refs\/heads\/main.*exists; cannot create/);
    expect(await laptop.git(notes, 'for-each-ref', 'refs/heads')).toBe(before);
    await expectSound();
  });

  it('may give way to one below it, and back', async () => {
    const tip = await laptop.git(notes, 'rev-parse', 'main');
    await laptop.git(notes, 'branch', 'topic');
    await desktop.ref(copy, 'refs/remotes/origin/topic', tip);
    await laptop.git(notes, 'branch', '-m', 'topic', 'topic/one');
    await desktop.ref(copy, 'refs/remotes/origin/topic/one', tip);
    await desktop.ref(copy, 'refs/remotes/origin/topic', undefined);
    await laptop.commit(notes, { 'c.txt': 'c\n' }, 'below');
    await laptop.git(notes, 'branch', '-m', 'topic/one', 'topic');
    await desktop.ref(copy, 'refs/remotes/origin/topic', tip);
    await laptop.inSync('desktop');
    await expectSound();
  });

  it('HEAD is left out of the mirror, where it would stand for another', async () => {
    const main = await laptop.git(notes, 'rev-parse', 'main');
    await laptop.git(notes, 'update-ref', 'refs/heads/HEAD', 'main~1');
    await laptop.git(notes, 'branch', 'after-head');
    await desktop.ref(copy, 'refs/remotes/origin/after-head', main);
    expect(await desktop.git(copy, 'symbolic-ref', 'refs/remotes/origin/HEAD')).toBe('refs/remotes/origin/main');
    await laptop.git(notes, 'update-ref', '-d', 'refs/heads/HEAD');
  });

  it('that is not UTF-8 stays at home and is named, while the others go on', async () => {
    // As bytes, which only a shell can hand over.
    expect(await laptop.run('sh', ['-c', 'git branch "$(printf "caf\\351")"'], { cwd: notes })).toMatchObject({ code: 0 });
    const event = await laptop.event(({ type }) => type === 'left-out');
    expect(event).toMatchObject({ repo: 'mein Prøjekt -x-' });
    expect(event.words).toMatch(/^refs\/heads\/caf\ufffd is not synced: its name is not UTF-8/);
    await desktop.head(copy, await laptop.commit(notes, { 'd.txt': 'd\n' }, 'beside it'));
    expect(await branchesOf(desktop, copy, 'refs/remotes/origin/')).not.toContain('caf\ufffd');
    await laptop.inSync('desktop');
  });
});
