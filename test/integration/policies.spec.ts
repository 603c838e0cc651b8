// What a person sets for one repository, and what they are in the middle of, on two devices. Rule: nothing is touched meanwhile, and it goes
// on by itself after.

import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import type { LogAnswer } from '../../src/agent/repo-log.ts';
import type { Device } from '../helpers/device.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { until } from '../helpers/waiting.ts';

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes, copy } = await shareNotes(setting));
});

afterAll(() => setting?.stop());

function waits(device: Device, words: string): Promise<StatusAnswer> {
  return device.statusWhen(({ repos }) => repos[0]?.peers[0]?.waiting.some((each) => each.includes(words)) === true);
}

/** Waits for a file that a hook has written to its end. */
async function written(file: string): Promise<string> {
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('end\n'));
  return readFileSync(file, 'utf8');
}

describe('hooks', () => {
  it('run where branches moved, and where a peer went', async () => {
    const out = desktop.path('out');
    await desktop.git(copy, 'config', 'xmpp.hook.changed', `{ echo "$GIT_XMPP_PEER $GIT_XMPP_REFS"; git rev-parse HEAD; echo end; } > '${out}.changed'`);
    await desktop.git(copy, 'config', 'xmpp.hook.offline', `{ echo "$GIT_XMPP_EVENT $GIT_XMPP_PEER $GIT_XMPP_REPO_NAME"; echo end; } > '${out}.offline'`);
    const from = await laptop.git(notes, 'rev-parse', 'HEAD');
    const tip = await laptop.commit(notes, { 'hook.txt': 'h\n' }, 'for the hook');
    expect(await written(`${out}.changed`)).toBe(`laptop ${from} ${tip} refs/heads/main\n${tip}\nend\n`);
    await laptop.stop();
    expect(await written(`${out}.offline`)).toBe('offline laptop notes\nend\n');
    await laptop.xmpp('daemon', 'start');
    await desktop.statusWhen(({ peers }) => peers[0]?.isOnline === true);
    await desktop.git(copy, 'config', '--remove-section', 'xmpp.hook');
  });
});

describe('xmpp.branches', () => {
  it('names what travels; the rest stays where it was told, on both', async () => {
    await laptop.git(notes, 'branch', 'wip');
    const wip = await laptop.git(notes, 'rev-parse', 'wip');
    await desktop.ref(copy, 'refs/remotes/origin/wip', wip);
    await desktop.git(copy, 'branch', 'wip', 'origin/wip');
    await laptop.git(notes, 'config', 'xmpp.branches', 'main');
    await laptop.git(notes, 'switch', '-q', 'wip');
    const unsent = await laptop.commit(notes, { 'wip.txt': 'w\n' }, 'not to be seen');
    await laptop.git(notes, 'switch', '-q', 'main');
    await desktop.head(copy, await laptop.commit(notes, { 'a.txt': 'a\n' }, 'to be seen'));
    await laptop.xmpp('sync');
    expect(await desktop.git(copy, 'rev-parse', 'wip', 'origin/wip')).toBe(`${wip}\n${wip}`);
    expect((await desktop.run('git', ['cat-file', '-e', unsent], { cwd: copy })).code).toBe(1);
    await laptop.git(notes, 'branch', '-D', 'wip');
    await desktop.head(copy, await laptop.commit(notes, { 'a.txt': 'b\n' }, 'after a deletion'));
    expect(await desktop.git(copy, 'rev-parse', 'wip')).toBe(wip);
  });

  it('and the other settings are shown by status, with what cannot be used', async () => {
    await laptop.git(notes, 'config', 'xmpp.rewrite', 'never');
    const bad = await laptop.event(({ type }) => type === 'bad-setting');
    expect(bad).toMatchObject({ repo: 'notes', words: 'xmpp.rewrite: "never" is none of follow, ask; the default holds' });
    const { stdout } = await laptop.xmpp('status');
    expect(stdout).toMatch(/set: branches=main\n\s+not used: xmpp\.rewrite: "never"/);
    expect((await laptop.status()).repos[0]?.policies).toMatchObject({ merge: 'ff', rewrite: 'follow', branches: ['main'], words: ['branches=main'] });
    for (const key of ['xmpp.rewrite', 'xmpp.branches']) await laptop.git(notes, 'config', '--unset', key);
    await laptop.statusWhen(({ repos }) => repos[0]?.policies?.words.length === 0);
    // What happened to it meanwhile is told now.
    await desktop.ref(copy, 'refs/heads/wip', undefined);
    expect((await laptop.xmpp('status')).stdout).not.toMatch(/set:|not used:/);
  });
});

describe('somebody at work', () => {
  it('in a rebase is not disturbed, and their branch goes on after it', async () => {
    const base = await desktop.git(copy, 'rev-parse', 'HEAD');
    const editor = { GIT_SEQUENCE_EDITOR: "sed -i -e 's/^pick/edit/'" };
    const started = await desktop.run('git', ['rebase', '-i', 'HEAD~1'], { cwd: copy, env: editor });
    expect(started, started.stderr).toMatchObject({ code: 0 });
    const tip = await laptop.commit(notes, { 'meanwhile.txt': 'm\n' }, 'meanwhile');
    await waits(desktop, 'a rebase is under way');
    await desktop.xmpp('sync');
    expect(await desktop.git(copy, 'rev-parse', 'HEAD', 'main')).toBe(`${base}\n${base}`);
    expect((await desktop.xmpp('status')).stdout).toMatch(/waits: main: a rebase is under way/);
    const ended = await desktop.run('git', ['rebase', '--continue'], { cwd: copy, env: { GIT_EDITOR: 'true' } });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    await desktop.head(copy, tip);
    await laptop.inSync('desktop');
  });

  it('in a rebase with a conflict is not disturbed either; what they make of it goes to the other side', async () => {
    await desktop.git(copy, 'switch', '-q', '-c', 'topic');
    await desktop.commit(copy, { 'same.txt': 'mine\n' }, 'mine');
    await desktop.git(copy, 'switch', '-q', 'main');
    await desktop.commit(copy, { 'same.txt': 'theirs\n' }, 'theirs');
    await desktop.git(copy, 'switch', '-q', 'topic');
    expect(await desktop.run('git', ['rebase', 'main'], { cwd: copy })).toMatchObject({ code: 1 });
    const [index, text] = [await desktop.git(copy, 'ls-files', '-s'), readFileSync(path.join(copy, 'same.txt'), 'utf8')];
    await laptop.ref(notes, 'refs/remotes/desktop/topic', await desktop.git(copy, 'rev-parse', 'topic'));
    await laptop.git(notes, 'switch', '-q', '-c', 'topic', 'desktop/topic');
    const tip = await laptop.commit(notes, { 'on-topic.txt': 't\n' }, 'on the branch under rebase');
    await waits(desktop, 'a rebase is under way');
    expect([await desktop.git(copy, 'ls-files', '-s'), readFileSync(path.join(copy, 'same.txt'), 'utf8')]).toEqual([index, text]);
    await writeFile(path.join(copy, 'same.txt'), 'both\n');
    await desktop.git(copy, 'add', 'same.txt');
    expect(await desktop.run('git', ['rebase', '--continue'], { cwd: copy, env: { GIT_EDITOR: 'true' } })).toMatchObject({ code: 0 });
    expect(await desktop.git(copy, 'status', '--porcelain')).toBe('');
    await laptop.ref(notes, 'refs/remotes/desktop/topic', await desktop.git(copy, 'rev-parse', 'topic'));
    expect(await laptop.git(notes, 'rev-parse', 'topic')).toBe(tip);
    for (const [device, dir] of [[laptop, notes], [desktop, copy]] as const) {
      await device.git(dir, 'switch', '-q', 'main');
      await device.git(dir, 'branch', '-D', 'topic');
      await device.git(dir, 'fsck', '--full', '--strict');
    }
    await laptop.inSync('desktop');
  });

  it('on the index, with files that are not committed, is not disturbed; both are said, and main moves after', async () => {
    const lock = path.join(copy, '.git/index.lock');
    await writeFile(lock, '');
    await writeFile(path.join(copy, 'README.md'), 'my own words\n');
    const before = await desktop.git(copy, 'rev-parse', 'HEAD');
    const tip = await laptop.commit(notes, { 'README.md': 'other words\n' }, 'the same file');
    await waits(desktop, 'git is at work on the index');
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(before);
    await rm(lock);
    await waits(desktop, 'README.md has changes that are not committed');
    expect(readFileSync(path.join(copy, 'README.md'), 'utf8')).toBe('my own words\n');
    await desktop.git(copy, 'checkout', '-q', 'README.md');
    await desktop.head(copy, tip);
  });
});

describe('a branch that diverged', () => {
  it('is told on both with who has what, and ends by the command that both name', async () => {
    await Promise.all([laptop.inSync('desktop'), desktop.inSync('laptop')]);
    await Promise.all([laptop.commit(notes, { 'l.txt': 'l\n' }, 'only on the laptop'), desktop.commit(copy, { 'd.txt': 'd\n' }, 'only on the desktop')]);
    const diverged = ({ repos }: StatusAnswer): boolean => repos[0]?.peers[0]?.branches.some(({ here }) => here !== undefined) === true;
    const [here, there] = await Promise.all([laptop.statusWhen(diverged), desktop.statusWhen(diverged)]);
    const branchOf = (status: StatusAnswer): unknown => status.repos[0]?.peers[0]?.branches.find(({ branch }) => branch === 'main');
    expect(branchOf(here)).toMatchObject({ ahead: 1, behind: 1, here: [{ subject: 'only on the laptop' }], there: [{ subject: 'only on the desktop' }], end: 'git merge desktop/main' });
    expect(branchOf(there)).toMatchObject({ here: [{ subject: 'only on the desktop' }], there: [{ subject: 'only on the laptop' }], end: 'git merge origin/main' });
    expect((await desktop.xmpp('status')).stdout).toMatch(/main has diverged:\n\s+1 commit only here:\n\s+[0-9a-f]{7} only on the desktop\n\s+1 commit only on laptop:\n\s+[0-9a-f]{7} only on the laptop\n/);
    await desktop.git(copy, 'merge', '-q', '--no-edit', 'origin/main');
    await laptop.head(notes, await desktop.git(copy, 'rev-parse', 'HEAD'));
  });
});

describe('git xmpp log', () => {
  it('tells what moved and what was left, with the command that gets it back', async () => {
    await Promise.all([laptop.inSync('desktop'), desktop.inSync('laptop')]);
    const left = await laptop.commit(notes, { 'z.txt': 'tpyo\n' }, 'with a tpyo');
    await desktop.head(copy, left);
    await laptop.inSync('desktop');
    await laptop.git(notes, 'commit', '-q', '--amend', '-m', 'without');
    await desktop.head(copy, await laptop.git(notes, 'rev-parse', 'HEAD'));
    const log = await desktop.xmppIn(copy, 'log');
    expect(log.code).toBe(0);
    const [newest = ''] = log.stdout.split('\n');
    expect(newest).toMatch(new RegExp(`main\\s+follow\\s+${left.slice(0, 7)}\\.\\.[0-9a-f]{7}\\s+was left; get it back: git branch main-${left.slice(0, 7)} ${left.slice(0, 12)}$`));
    const answer = JSON.parse((await desktop.xmppIn(copy, 'log', '--json')).stdout) as LogAnswer;
    expect(answer).toMatchObject({ name: 'notes', path: copy });
    expect(answer.entries.slice(0, 2)).toMatchObject([{ branch: 'main', how: 'follow', from: left, kept: expect.stringMatching(/^refs\/xmpp\/kept\/main-/) }, { how: 'fast-forward' }]);
    const [, command = ''] = /get it back: git (.+)$/.exec(newest) ?? [];
    await desktop.git(copy, ...command.split(' '));
    expect(await desktop.git(copy, 'rev-parse', `main-${left.slice(0, 7)}`)).toBe(left);
    expect(await desktop.xmppIn(desktop.dir, 'log')).toMatchObject({ code: 1, stderr: expect.stringContaining('not in a git repository') });
  });
});
