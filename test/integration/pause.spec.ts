// Pausing: what stands still, what is said to whoever asks for it, and how it goes on.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let two: TwoDevices;
let notes: string;
let copy: string;

beforeAll(async () => {
  two = await startTwoDevices();
  ({ notes, copy } = await shareNotes(two));
  await two.laptop.inSync('desktop');
});

afterAll(() => two.stop());

describe('a repository that is paused', () => {
  it('is left alone by both sides, who say why, also after a restart; what was made meanwhile arrives after resume', async () => {
    const { laptop, desktop } = two;
    const paused = await laptop.xmpp('pause', '2h', '--repo', notes);
    expect(paused.stderr).toMatch(/^notes is paused until (?:\d{4}-\d\d-\d\d )?\d\d:\d\d\nto go on before: git xmpp resume --repo /);
    const here = await laptop.commit(notes, { 'here.txt': 'here\n' }, 'made while paused');
    const there = await desktop.commit(copy, { 'there.txt': 'there\n' }, 'made on the other device');
    // The desktop offers it, and is told.
    const refused = await desktop.event(({ type, code }) => type === 'offer-failed' && code === 'paused');
    expect(refused.words).toBe('offering to laptop: notes is paused on that device');
    const fetched = await desktop.run('git', ['fetch', 'origin'], { cwd: copy });
    expect([fetched.code, fetched.stderr]).toEqual([128, expect.stringContaining('notes is paused on that device')]);
    expect((await desktop.xmpp('repos', 'laptop')).stdout).toBe('laptop/notes  paused there\n');
    const cloned = await desktop.run('git-xmpp', ['clone', 'laptop/notes', desktop.path('again')]);
    expect([cloned.code, cloned.stderr]).toEqual([1, 'git-xmpp: [paused] notes is paused on laptop\n  there: git xmpp resume\n']);
    const pushed = await laptop.run('git', ['push', 'desktop', 'HEAD:refs/heads/other'], { cwd: notes });
    expect([pushed.code, pushed.stderr]).toEqual([128, expect.stringContaining(`git xmpp resume --repo ${notes}`)]);
    const synced = await laptop.xmppIn(notes, 'sync', '.');
    expect([synced.code, synced.stderr]).toEqual([1, expect.stringMatching(/^git-xmpp: \[paused\] notes is paused until .*\n {2}git xmpp resume --repo /)]);

    await laptop.stop();
    const { repos } = await laptop.xmpp('status', '--json').then(({ stdout }) => JSON.parse(stdout) as Awaited<ReturnType<typeof laptop.status>>);
    expect(repos[0]).toMatchObject({ name: 'notes', pause: { by: 'person', words: expect.stringMatching(/^paused until/) }, peers: [{ peer: 'desktop', state: expect.stringMatching(/^paused until (?:\d{4}-\d\d-\d\d )?\d\d:\d\d$/) }] });
    expect(await laptop.git(notes, 'rev-parse', 'HEAD')).toBe(here);
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(there);

    expect((await laptop.xmpp('resume', '--repo', notes)).stderr).toBe('notes goes on\n');
    await desktop.ref(copy, 'refs/remotes/origin/main', here);
    await laptop.ref(notes, 'refs/remotes/desktop/main', there);
    await laptop.git(notes, 'reset', '--hard', there);
    await laptop.inSync('desktop');
  });
});

describe('everything paused', () => {
  it('signs out and closes the links, refuses what needs them, and ends by itself at its time', async () => {
    const { laptop, desktop } = two;
    await laptop.xmpp('pause');
    await desktop.statusWhen(({ peers }) => peers.every(({ isOnline }) => !isOnline));
    const { account, pause, peers } = await laptop.status();
    expect([account.state, pause?.words, peers[0]?.links]).toEqual(['paused', 'paused', []]);
    for (const args of [['sync'], ['repos', 'desktop'], ['pair'], ['clone', 'desktop/notes', laptop.path('again')]]) {
      const end = await laptop.xmppIn(laptop.dir, ...args);
      expect([args[0], end.code, end.stderr]).toEqual([args[0], 1, expect.stringMatching(/git-xmpp is paused\n {2}git xmpp resume/)]);
    }
    const fetched = await laptop.run('git', ['fetch', 'desktop'], { cwd: notes });
    expect(fetched.stderr).toContain('git-xmpp is paused');
    // A new time takes the place of none.
    await laptop.xmpp('pause', '1s');
    await laptop.event(({ type, words }) => type === 'unpaused' && words === 'everything: the pause is over');
    await desktop.statusWhen((status) => status.peers.every(({ isOnline }) => isOnline));
    const tip = await laptop.commit(notes, { 'after.txt': 'after\n' }, 'after the pause');
    await desktop.head(copy, tip);
  });

  it('refuses a time that is none, and changes nothing', async () => {
    const end = await two.laptop.xmppIn(notes, 'pause', 'tomorrow');
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('is no duration, such as 90s, 30m or 2h')]);
    expect((await two.laptop.status()).pause).toBeUndefined();
  });
});
