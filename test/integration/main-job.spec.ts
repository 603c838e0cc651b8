// The main job on a real server: sign in, pair, share, clone, commit here and see it there (docs/ARCHITECTURE.md).
// Rule: real agents, real git, real Prosody; every wait is for a state that git or the agent shows.

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccountAnswer, StatusAnswer } from '../../src/agent/answers.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PASSWORD = 'correct-horse';
const JID = 'romeo@localhost';

describe('two devices of one account', () => {
  let server: Prosody;
  let laptop: Device;
  let desktop: Device;
  let paired: { readonly shown: Ended; readonly typed: Ended };
  let notes: string;
  let copy: string;

  beforeAll(async () => {
    server = await startProsody({ accounts: { romeo: PASSWORD } });
    laptop = await new Device('laptop').prepare();
    desktop = await new Device('desktop').prepare();
    await Promise.all([laptop.login(server, 'romeo', PASSWORD), desktop.login(server, 'romeo', PASSWORD)]);
    paired = await pairDevices(laptop, desktop);
    notes = await laptop.repo('notes');
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', 'laptop/notes');
    copy = desktop.path('notes');
  });

  afterAll(async () => {
    await laptop?.remove();
    await desktop?.remove();
    await server?.stop();
  });

  /** What must hold whenever nothing is under way. */
  const expectEqual = async (): Promise<void> => {
    const [ours, theirs] = await Promise.all([laptop.git(notes, 'rev-parse', 'HEAD', 'HEAD^{tree}'), desktop.git(copy, 'rev-parse', 'HEAD', 'HEAD^{tree}')]);
    expect(theirs).toBe(ours);
    for (const [device, dir] of [[laptop, notes], [desktop, copy]] as const) {
      expect(await device.git(dir, 'status', '--porcelain')).toBe('');
      expect((await device.run('git', ['fsck', '--full', '--strict'], { cwd: dir })).stdout).not.toMatch(/missing|broken|error/);
    }
  };

  const account = async (device: Device): Promise<AccountAnswer> => (await device.status()).account;

  it('show each other name, JID and fingerprint at pairing', async () => {
    const [first, second] = [await account(laptop), await account(desktop)];
    expect(paired.typed).toMatchObject({ code: 0 });
    expect(paired.shown).toMatchObject({ code: 0 });
    expect(paired.shown.stderr).toContain(`paired with desktop (desktop, ${JID})`);
    expect(paired.shown.stderr).toContain(`its fingerprint: ${second.fingerprint}`);
    expect(paired.typed.stderr).toContain(`paired with laptop (laptop, ${JID})`);
    expect(paired.typed.stderr).toContain(`its fingerprint: ${first.fingerprint}`);
    expect(first.fingerprint).not.toBe(second.fingerprint);
  });

  it('see the same files after share and clone', async () => {
    expect(readFileSync(path.join(copy, 'README.md'), 'utf8')).toBe('hello\n');
    await expectEqual();
  });

  it('say "in sync" with the peer and its fingerprint in status --json', async () => {
    await laptop.inSync('desktop');
    await desktop.inSync('laptop');
    for (const [device, other] of [[laptop, desktop], [desktop, laptop]] as const) {
      const { stdout } = await device.xmpp('status', '--json');
      const status = JSON.parse(stdout) as StatusAnswer;
      const { fingerprint } = await account(other);
      expect(status.peers).toMatchObject([{ petname: other.name, name: other.name, jid: JID, kind: 'own', fingerprint, isOnline: true }]);
      expect(status.repos).toMatchObject([{ name: 'notes', peers: [{ peer: other.name, state: 'in sync', branches: [{ branch: 'main', ahead: 0, behind: 0 }] }] }]);
      expect(status.notes).toEqual([]);
    }
  });

  it('carry commits both ways: thirty in turn, and every one arrives in the other work tree', async () => {
    for (let round = 0; round < 15; round += 1) {
      await desktop.head(copy, await laptop.commit(notes, { 'a.txt': `a ${round}\n`, [`from-laptop/${round}`]: 'x' }, `laptop ${round}`));
      await laptop.head(notes, await desktop.commit(copy, { 'b.txt': `b ${round}\n`, [`from-desktop/${round}`]: 'y' }, `desktop ${round}`));
    }
    await expectEqual();
    expect(await laptop.git(notes, 'rev-list', '--count', 'HEAD')).toBe('31');
    await laptop.inSync('desktop');
    await desktop.inSync('laptop');
  });

  it('write the mirror of the other, so that plain git shows where it stands', async () => {
    const tip = await desktop.commit(copy, { 'mirror.txt': 'm\n' }, 'for the mirror');
    await laptop.head(notes, tip);
    await laptop.ref(notes, 'refs/remotes/desktop/main', tip);
    await desktop.ref(copy, 'refs/remotes/origin/main', tip);
  });

  it('take a new branch into the mirror and make no local branch of it', async () => {
    await laptop.git(notes, 'branch', 'feature');
    const there = await desktop.git(copy, 'rev-parse', 'main');
    await desktop.ref(copy, 'refs/remotes/origin/feature', there);
    expect(await desktop.git(copy, 'branch', '--list', 'feature')).toBe('');
    await laptop.git(notes, 'branch', '-D', 'feature');
    await desktop.ref(copy, 'refs/remotes/origin/feature', undefined);
  });

  it('carry a tag', async () => {
    await laptop.git(notes, 'tag', '-a', '-m', 'one', 'v1');
    const tag = await laptop.git(notes, 'rev-parse', 'v1');
    await desktop.ref(copy, 'refs/tags/v1', tag);
  });

  it('catch up when one was offline, and the other says meanwhile what waits', async () => {
    await desktop.stop();
    await laptop.commit(notes, { 'c.txt': '1\n' }, 'while away 1');
    const tip = await laptop.commit(notes, { 'c.txt': '2\n' }, 'while away 2');
    await laptop.statusWhen(({ repos, peers }) => peers[0]?.isOnline === false && repos[0]?.peers[0]?.state === 'ahead 2');
    await desktop.xmpp('daemon', 'start');
    await desktop.head(copy, tip);
    await laptop.inSync('desktop');
    await expectEqual();
  });

  it('send what was committed while their own agent was not running', async () => {
    await desktop.stop();
    const tip = await desktop.commit(copy, { 'd.txt': 'made without an agent\n' }, 'alone');
    await desktop.xmpp('daemon', 'start');
    await laptop.head(notes, tip);
  });

  it('go on after a restart of the agent, in both directions', async () => {
    await laptop.stop();
    await laptop.xmpp('daemon', 'start');
    await desktop.head(copy, await laptop.commit(notes, { 'e.txt': '1\n' }, 'restarted'));
    await laptop.head(notes, await desktop.commit(copy, { 'e.txt': '2\n' }, 'answered'));
    await expectEqual();
  });

  it('follow an amend, and keep what it replaced', async () => {
    const before = await laptop.commit(notes, { 'f.txt': 'tpyo\n' }, 'with a tpyo');
    await desktop.head(copy, before);
    await laptop.inSync('desktop');
    writeFileSync(path.join(notes, 'f.txt'), 'typo\n');
    await laptop.git(notes, 'commit', '--quiet', '--all', '--amend', '-m', 'without a typo');
    await desktop.head(copy, await laptop.git(notes, 'rev-parse', 'HEAD'));
    expect(readFileSync(path.join(copy, 'f.txt'), 'utf8')).toBe('typo\n');
    expect(await desktop.git(copy, 'for-each-ref', '--format=%(objectname)', 'refs/xmpp/kept/')).toContain(before);
    await expectEqual();
  });

  it('leave undone what was reset, say so on both, and end it as they say', async () => {
    await laptop.git(notes, 'config', 'xmpp.rewrite', 'ask');
    const tip = await laptop.commit(notes, { 'g.txt': 'unwanted\n' }, 'unwanted');
    await desktop.head(copy, tip);
    await laptop.inSync('desktop');
    await desktop.git(copy, 'reset', '--quiet', '--hard', 'HEAD~1');
    const kept = await desktop.git(copy, 'rev-parse', 'HEAD');
    await desktop.statusWhen(({ repos }) => repos[0]?.peers[0]?.waiting.some((words) => words.includes('you left that commit')) === true);
    await laptop.statusWhen(({ repos }) => repos[0]?.peers[0]?.waiting.some((words) => words.includes('it was rewritten there')) === true);
    await laptop.xmpp('sync');
    await desktop.xmpp('sync');
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(kept);
    expect(await laptop.git(notes, 'rev-parse', 'HEAD')).toBe(tip);
    await laptop.git(notes, 'config', '--unset', 'xmpp.rewrite');
    await laptop.git(notes, 'reset', '--quiet', '--keep', 'desktop/main');
    await laptop.inSync('desktop');
    await desktop.inSync('laptop');
    await expectEqual();
  });

  it('wait for a dirty work tree, say which file, and move when it is clean', async () => {
    writeFileSync(path.join(copy, 'a.txt'), 'my own words\n');
    const tip = await laptop.commit(notes, { 'a.txt': 'other words\n' }, 'the same file');
    const waiting = await desktop.event(({ type, words }) => type === 'waiting' && words.includes('a.txt'));
    expect(waiting).toMatchObject({ peer: 'laptop', repo: 'notes', ref: 'refs/heads/main' });
    expect(readFileSync(path.join(copy, 'a.txt'), 'utf8')).toBe('my own words\n');
    expect((await desktop.xmpp('status')).stdout).toMatch(/waits: main: .*a\.txt/);
    await desktop.git(copy, 'checkout', '--quiet', 'a.txt');
    await desktop.head(copy, tip);
    expect((await desktop.xmpp('status')).stdout).not.toContain('waits:');
  });

  it('never overwrite an ignored file that is in the way', async () => {
    await desktop.head(copy, await laptop.commit(notes, { '.gitignore': 'secret.env\n' }, 'ignore it'));
    writeFileSync(path.join(copy, 'secret.env'), 'mine\n');
    writeFileSync(path.join(notes, 'secret.env'), 'theirs\n');
    await laptop.git(notes, 'add', '--force', 'secret.env');
    await laptop.git(notes, 'commit', '--quiet', '-m', 'not ignored here');
    await desktop.event(({ type, words }) => type === 'waiting' && words.includes('secret.env'));
    expect(readFileSync(path.join(copy, 'secret.env'), 'utf8')).toBe('mine\n');
    await desktop.run('rm', [path.join(copy, 'secret.env')]);
    await desktop.head(copy, await laptop.git(notes, 'rev-parse', 'HEAD'));
  });

  it('stand still when both commit at once, name the way out, and are in sync after it', async () => {
    await Promise.all([laptop.inSync('desktop'), desktop.inSync('laptop')]);
    await Promise.all([laptop.commit(notes, { 'left.txt': 'l\n' }, 'left'), desktop.commit(copy, { 'right.txt': 'r\n' }, 'right')]);
    await laptop.statusWhen(({ repos }) => repos[0]?.peers[0]?.state === 'diverged');
    const { repos } = await desktop.statusWhen((status) => status.repos[0]?.peers[0]?.waiting.length === 1);
    expect(repos[0]?.peers[0]?.branches).toMatchObject([{ branch: 'main', ahead: 1, behind: 1 }]);
    const [words = ''] = repos[0]?.peers[0]?.waiting ?? [];
    const [, command = ''] = /"(git merge [^"]+)"/.exec(words) ?? [];
    await desktop.git(copy, ...command.split(' ').slice(1), '--no-edit');
    await laptop.head(notes, await desktop.git(copy, 'rev-parse', 'HEAD'));
    await laptop.inSync('desktop');
    await expectEqual();
  });
});
