// Peers and repositories that are not there, and repositories of an unusual kind.
// Rule: what cannot be is refused in one sentence and changes nothing; what can be is carried like any other.

import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import type { Device, Ended } from '../helpers/device.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes } = await shareNotes(setting));
});

afterAll(() => setting?.stop());

function expectSentence(end: Ended, code: number, words: RegExp): void {
  expect(end, end.stderr).toMatchObject({ code });
  expect(end.stderr).toMatch(words);
  expect(end.stderr).not.toMatch(/\n\s+at |\[object|undefined|internal/);
}

async function sharedBy(device: Device): Promise<string[]> {
  return (await device.status()).repos.map(({ name }) => name);
}

async function expectSound(device: Device, dir: string): Promise<void> {
  const { code, stdout, stderr } = await device.run('git', ['fsck', '--full', '--strict'], { cwd: dir });
  expect(code, stderr).toBe(0);
  expect(stdout).not.toMatch(/missing|broken|error/);
}

describe('a peer that is not there', () => {
  it.each([
    ['clone', 'tablet/diary'],
    ['repos', 'tablet'],
    ['unpair', 'tablet'],
    ['rename', 'tablet', 'phone'],
    ['grant', 'tablet', 'notes', 'read'],
    ['share', '--join', 'tablet/notes'],
    ['share', '--with', 'tablet'],
  ])('is named with those that are: %s', async (...args) => {
    const cwd = args[0] === 'share' ? desktop.path('notes') : desktop.dir;
    expectSentence(await desktop.xmppIn(cwd, ...args), 1, /no peer is called "tablet"\n.*paired are: laptop/);
    expect((await desktop.status()).peers.map(({ petname }) => petname)).toEqual(['laptop']);
  });

  it('is named by plain git as well, which makes no folder', async () => {
    const end = await desktop.run('git', ['clone', 'xmpp::tablet/notes', 'from-tablet']);
    expectSentence(end, 128, /no peer is called "tablet"/);
    expect(existsSync(desktop.path('from-tablet'))).toBe(false);
  });

  it('does not take a name that no remote could have', async () => {
    expectSentence(await desktop.xmpp('peers'), 0, /^$/);
    expectSentence(await desktop.run('git-xmpp', ['rename', 'laptop', 'my laptop']), 1, /name: "my laptop" may hold letters/);
    expectSentence(await desktop.run('git-xmpp', ['rename', 'laptop', 'HEAD']), 1, /name: "HEAD" may hold letters/);
    expect((await desktop.status()).peers.map(({ petname }) => petname)).toEqual(['laptop']);
  });
});

describe('a repository that is not there', () => {
  it('is not cloned, and those that are there are named', async () => {
    const words = /git-(?:remote-)?xmpp: (?:\[no-such-repo\] )?laptop shows no repository "nothing"\n.* it shows: notes/;
    const end = await desktop.run('git-xmpp', ['clone', 'laptop/nothing']);
    expectSentence(end, 1, words);
    expect(end.stderr).not.toMatch(/choose another folder/);
    expectSentence(await desktop.run('git', ['ls-remote', 'xmpp::laptop/nothing']), 128, words);
    expect(existsSync(desktop.path('nothing'))).toBe(false);
    expect(await sharedBy(desktop)).toEqual(['notes']);
  });

  it.each([
    [['clone', 'laptop'], 2, /"laptop" is not of the form peer\/repo\n\s+git xmpp repos/],
    [['clone', 'laptop/a/b'], 2, /"laptop\/a\/b" is not of the form peer\/repo/],
    [['clone', 'laptop/..'], 1, /repo name: "\.\."/],
    [['grant', 'laptop', 'nothing', 'read'], 1, /no repository called "nothing" is shared here\n\s+shared are: notes/],
    [['grant', 'laptop', 'notes', 'everything'], 2, /"everything" is none of read, offer, write and none/],
    [['unshare', '/nowhere'], 1, /\/nowhere is not in a git repository|\/nowhere is not shared/],
    [['sync', '/nowhere'], 1, /\/nowhere is not in a git repository|\/nowhere is not shared/],
    [['share', '--read', '--write'], 2, /only one of --read, --offer and --write/],
    [['share', '--join', 'laptop/notes', '--new'], 2, /only one of --join and --new can hold/],
    [['share', '--branches', 'two words'], 1, /branch: "two words" names no branch/],
  ])('is told from one that cannot be: %j', async (args, code, words) => {
    expectSentence(await desktop.xmppIn(desktop.path('notes'), ...args), code, words);
    expect(await sharedBy(desktop)).toEqual(['notes']);
  });

  it('is not made of a folder without git, nor of one that does not exist', async () => {
    const plain = laptop.path('plain');
    await mkdir(plain);
    await writeFile(path.join(plain, 'a.txt'), 'a\n');
    const words = /is not in a git repository\n\s+run `git init`, or `git xmpp share --folder`/;
    for (const folder of [plain, laptop.path('nowhere')]) {
      const end = await laptop.run('git-xmpp', ['share', folder]);
      expectSentence(end, 1, words);
      expect(end.stderr).toContain(folder);
    }
    expectSentence(await laptop.xmppIn(plain, 'unshare'), 1, /not in a git repository/);
    expect(existsSync(path.join(plain, '.git'))).toBe(false);
    expect(existsSync(laptop.path('nowhere'))).toBe(false);
    expect(await sharedBy(laptop)).toEqual(['notes']);
  });

  it('is not shared again from a second clone on the same device', async () => {
    await desktop.git(desktop.dir, 'clone', '--quiet', 'notes', 'second');
    await desktop.git(desktop.path('second'), 'remote', 'set-url', 'origin', 'xmpp::laptop/notes');
    const end = await desktop.xmppIn(desktop.path('second'), 'share');
    expectSentence(end, 1, /is shared already, from .*notes\n\s+share one clone on each device/);
    expect((await desktop.run('git', ['config', 'xmpp.id'], { cwd: desktop.path('second') })).code).toBe(1);
  });

  it('says so when its folder is gone, goes on when it is back, and from another place once it is shared there', async () => {
    const [gone, away] = [await laptop.repo('gone'), laptop.path('moved')];
    expect(await laptop.xmppIn(gone, 'share')).toMatchObject({ code: 0 });
    expect(await desktop.run('git-xmpp', ['clone', 'laptop/gone'])).toMatchObject({ code: 0 });
    const isGone = ({ repos }: StatusAnswer): boolean => repos.find(({ name }) => name === 'gone')?.problem?.code === 'not-a-repository';
    await laptop.run('mv', [gone, away]);
    await laptop.statusWhen(isGone);
    expect((await laptop.xmpp('status')).stdout).toMatch(/gone is not there\n\s+moved: git xmpp share <where it is now>; gone for good: git xmpp unshare/);
    await laptop.head(notes, await desktop.commit(desktop.path('notes'), { 'while-gone.txt': 'x' }, 'the others go on'));
    const missed = await desktop.commit(desktop.path('gone'), { 'b.txt': 'b' }, 'while it was gone');
    await laptop.run('mv', [away, gone]);
    await laptop.head(gone, missed);
    await laptop.stop();
    await laptop.run('mv', [gone, away]);
    await laptop.xmpp('daemon', 'start');
    await laptop.statusWhen(isGone);
    const shared = await laptop.xmppIn(away, 'share');
    expect(shared, shared.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining(`gone: goes on here; it was at ${gone}`) });
    await desktop.head(desktop.path('gone'), await laptop.commit(away, { 'c.txt': 'c' }, 'from where it is now'));
    await laptop.head(away, await desktop.commit(desktop.path('gone'), { 'd.txt': 'd' }, 'and back'));
  });

  it('takes nothing of the other devices with it when it is deleted, nor what is made in its place', async () => {
    const [away, copy] = [laptop.path('moved'), desktop.path('gone')];
    await laptop.git(away, 'branch', 'side');
    await desktop.ref(copy, 'refs/remotes/origin/side', await laptop.git(away, 'rev-parse', 'side'));
    await desktop.git(copy, 'branch', '--no-track', 'side', 'origin/side');
    await laptop.git(away, 'pack-refs', '--all');
    const tip = await laptop.commit(away, { 'e.txt': 'e' }, 'newer than what is packed');
    await desktop.head(copy, tip);
    await laptop.inSync('desktop');
    // As a slow rm would: the refs first.
    await laptop.run('rm', ['-r', path.join(away, '.git/refs/heads')]);
    await laptop.run('mkdir', [path.join(away, '.git/refs/heads')]);
    await laptop.statusWhen(({ repos }) => repos.find(({ name }) => name === 'gone')?.problem?.message.includes('looking again') === true);
    await laptop.run('rm', ['-r', away]);
    await laptop.statusWhen(({ repos }) => repos.find(({ name }) => name === 'gone')?.problem?.message.includes('is not there') === true);
    await laptop.repo('moved');
    await laptop.statusWhen(({ repos }) => repos.find(({ name }) => name === 'gone')?.problem?.message.includes('is another repository now') === true);
    await desktop.xmpp('sync');
    expect(await desktop.git(copy, 'rev-parse', 'main')).toBe(tip);
    expect(await desktop.git(copy, 'rev-parse', '--verify', 'side')).toMatch(/^[0-9a-f]{40}$/);
    await laptop.xmpp('unshare', away);
    await desktop.xmpp('unshare', copy);
    expect(await sharedBy(laptop)).toEqual(['notes']);
  });
});

describe('a bare repository', () => {
  it('is shared and cloned, and commits go both ways', async () => {
    const bare = laptop.path('hub.git');
    await laptop.git(laptop.dir, 'clone', '--quiet', '--bare', notes, bare);
    const shared = await laptop.xmppIn(bare, 'share', '--new');
    expect(shared, shared.stderr).toMatchObject({ code: 0 });
    expect(await desktop.run('git-xmpp', ['clone', 'laptop/hub'])).toMatchObject({ code: 0 });
    const copy = desktop.path('hub');
    const first = await desktop.commit(copy, { 'a.txt': 'to a bare one\n' }, 'to a bare one');
    await laptop.ref(bare, 'refs/heads/main', first);
    await laptop.git(laptop.dir, 'clone', '--quiet', bare, 'work');
    const second = await laptop.commit(laptop.path('work'), { 'b.txt': 'from a bare one\n' }, 'from a bare one');
    await laptop.git(laptop.path('work'), 'push', '--quiet');
    await desktop.head(copy, second);
    await laptop.inSync('desktop');
    await expectSound(laptop, bare);
    await expectSound(desktop, copy);
  });
});

describe('an empty repository', () => {
  it('is shared and cloned, and the first commit arrives, whoever makes it', async () => {
    for (const [name, author] of [['first-here', laptop], ['first-there', desktop]] as const) {
      await laptop.git(laptop.dir, 'init', '--quiet', name);
      const shared = await laptop.xmppIn(laptop.path(name), 'share');
      expect(shared, shared.stderr).toMatchObject({ code: 0 });
      const cloned = await desktop.run('git-xmpp', ['clone', `laptop/${name}`]);
      expect(cloned, cloned.stderr).toMatchObject({ code: 0 });
      const reader = author === laptop ? desktop : laptop;
      const tip = await author.commit(author.path(name), { 'a.txt': 'the first\n' }, 'the first');
      await reader.head(reader.path(name), tip);
      await author.head(author.path(name), await reader.commit(reader.path(name), { 'b.txt': 'the second\n' }, 'the second'));
      await laptop.inSync('desktop');
      await expectSound(reader, reader.path(name));
    }
  });

  it('is not written over what lies in its way', async () => {
    await laptop.git(laptop.dir, 'init', '--quiet', 'in-the-way');
    expect(await laptop.xmppIn(laptop.path('in-the-way'), 'share')).toMatchObject({ code: 0 });
    expect(await desktop.run('git-xmpp', ['clone', 'laptop/in-the-way'])).toMatchObject({ code: 0 });
    const mine = path.join(desktop.path('in-the-way'), 'a.txt');
    await writeFile(mine, 'mine\n');
    const tip = await laptop.commit(laptop.path('in-the-way'), { 'a.txt': 'theirs\n' }, 'theirs');
    await desktop.event(({ type, words }) => type === 'waiting' && /a\.txt is in the way/.test(words));
    expect(await desktop.run('cat', [mine])).toMatchObject({ stdout: 'mine\n' });
    await desktop.run('rm', [mine]);
    await desktop.head(desktop.path('in-the-way'), tip);
  });
});

describe('a repository with a broken line in its configuration', () => {
  it('is named with the line by share, sync, status and fetch, and goes on once it is mended', async () => {
    const config = path.join(notes, '.git/config');
    const before = await readFile(config, 'utf8');
    const words = new RegExp(`bad config line ${before.split('\n').length} in file `);
    await appendFile(config, '[broken\n');
    for (const command of ['share', 'sync']) expectSentence(await laptop.xmppIn(notes, command), 1, words);
    expect((await laptop.xmpp('status')).stdout).toMatch(words);
    expectSentence(await desktop.run('git', ['fetch'], { cwd: desktop.path('notes') }), 128, words);
    await writeFile(config, before);
    await desktop.head(desktop.path('notes'), await laptop.commit(notes, { 'mended.txt': 'm\n' }, 'mended'));
    await laptop.xmpp('sync');
    expect((await laptop.xmpp('status')).stdout).not.toMatch(words);
  });
});

describe('a repository that does not hold its whole history', () => {
  it.each([
    ['shallow', ['--depth', '1'], /is a shallow clone: others could not fetch whole branches from it\n\s+run git fetch --unshallow/],
    ['partial', ['--filter', 'blob:none'], /is a partial clone: it does not hold the objects that others would fetch from it\n\s+share a full clone/],
  ])('is not shared when %s, and stays as it was', async (name, args, words) => {
    await laptop.commit(notes, { [`${name}.txt`]: 'more\n' }, `before a ${name} clone`);
    await laptop.git(notes, 'config', 'uploadpack.allowFilter', 'true');
    await laptop.git(laptop.dir, 'clone', '--quiet', ...args, `file://${notes}`, name);
    const before = await laptop.git(laptop.path(name), 'config', '--local', '--list');
    expectSentence(await laptop.xmppIn(laptop.path(name), 'share'), 1, words);
    expect(await laptop.git(laptop.path(name), 'config', '--local', '--list')).toBe(before);
    expect(await sharedBy(laptop)).not.toContain(name);
  });

  it('is shared once it has all of it', async () => {
    await laptop.git(laptop.path('shallow'), 'fetch', '--quiet', '--unshallow');
    const end = await laptop.xmppIn(laptop.path('shallow'), 'share', '--new');
    expect(end, end.stderr).toMatchObject({ code: 0 });
    await laptop.xmpp('unshare', laptop.path('shallow'));
  });
});
