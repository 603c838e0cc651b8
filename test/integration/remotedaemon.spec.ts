// git-annex's control protocol, driven by a small program that knows the protocol and nothing else: each message both ways, a pause in the middle of a push, STOP,
// and the end of what is read.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { findHome } from '../../src/home/paths.ts';
import { AnnexController } from '../helpers/annex-controller.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { until } from '../helpers/waiting.ts';

const DESKTOP = 'xmpp::desktop/notes';

let two: TwoDevices;
let notes: string;
let copy: string;
let controller: AnnexController | undefined;

beforeAll(async () => {
  two = await startTwoDevices();
  ({ notes, copy } = await shareNotes(two));
  await two.laptop.inSync('desktop');
});

afterEach(() => controller?.kill());
afterAll(() => two.stop());

function drive(...more: string[]): AnnexController {
  controller = new AnnexController(['git', 'xmpp', 'remotedaemon', '--foreground', ...more], { cwd: notes, env: two.laptop.env });
  return controller;
}

describe('over standard input and output', () => {
  it('tells who is there, and of each sync that it is done', async () => {
    const { laptop, desktop } = two;
    const annex = drive();
    await annex.next(`CONNECTED ${DESKTOP}`);
    const out = await laptop.commit(notes, { 'out.txt': 'out\n' }, 'out');
    annex.say('CHANGED refs/heads/main');
    await annex.next(`SYNCING ${DESKTOP}`);
    await annex.next(`DONESYNCING ${DESKTOP} 1`);
    await desktop.head(copy, out);
    const back = await desktop.commit(copy, { 'in.txt': 'in\n' }, 'in');
    await annex.next(`SYNCING ${DESKTOP}`);
    await annex.next(`DONESYNCING ${DESKTOP} 1`);
    await laptop.head(notes, back);
    await desktop.stop();
    await annex.next(`DISCONNECTED ${DESKTOP}`);
    await desktop.xmpp('daemon', 'start');
    await annex.next(`CONNECTED ${DESKTOP}`);
    expect(await annex.close()).toBe(0);
  });

  it('stops in the middle of a push when it says PAUSE, and goes on with RESUME', async () => {
    const { laptop, desktop } = two;
    // A limit that is set while the agent runs holds a second or two later: all might have been sent by then.
    await laptop.stop();
    await laptop.git(notes, 'config', '--global', 'xmpp.limit.up', '300k');
    await laptop.xmpp('daemon', 'start');
    const annex = drive();
    await annex.next(`CONNECTED ${DESKTOP}`);
    await writeFile(path.join(notes, 'large.bin'), randomBytes(3 * 2 ** 20));
    const since = Date.now();
    const large = await laptop.commit(notes, {}, 'large');
    await annex.next(`SYNCING ${DESKTOP}`);
    await laptop.event(({ type, at }) => type === 'transfer' && at >= since);
    annex.say('PAUSE');
    await annex.next(`DONESYNCING ${DESKTOP} 0`);
    await annex.next(`DISCONNECTED ${DESKTOP}`);
    const { repos, account } = await laptop.status();
    expect([repos[0]?.pause, account.state]).toEqual([{ by: 'program', words: 'paused by the program that drives it' }, 'online']);
    // Nothing moves, whatever happens meanwhile: not even a person's own push.
    const length = annex.lines.length;
    const pushed = await laptop.run('git', ['push', 'desktop', 'HEAD:refs/heads/by-hand'], { cwd: notes });
    expect([pushed.code, pushed.stderr]).toEqual([128, expect.stringContaining('notes is paused by the program that drives it')]);
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).not.toBe(large);
    await laptop.git(notes, 'config', '--global', '--unset', 'xmpp.limit.up');
    annex.say('RESUME');
    await annex.next(`CONNECTED ${DESKTOP}`);
    await annex.next(`SYNCING ${DESKTOP}`);
    await annex.next(`DONESYNCING ${DESKTOP} 1`);
    await desktop.head(copy, large);
    expect(annex.lines.slice(length)[0]).toBe(`CONNECTED ${DESKTOP}`);
    annex.say('STOP');
    expect(await annex.ended).toBe(0);
  });

  it('lets go of what it holds when the program goes, with LOSTNET as with PAUSE', async () => {
    const { laptop, desktop } = two;
    for (const word of ['LOSTNET', 'PAUSE']) {
      const annex = drive();
      await annex.next(`CONNECTED ${DESKTOP}`);
      annex.say(word);
      await annex.next(`DISCONNECTED ${DESKTOP}`);
      const held = await laptop.commit(notes, { [word]: 'x\n' }, `while ${word}`);
      expect((await laptop.status()).repos[0]?.pause?.by).toBe('program');
      expect(await annex.close()).toBe(0);
      await desktop.head(copy, held);
    }
  });

  it('warns of lines that are no message, and does nothing for them', async () => {
    const annex = drive();
    await annex.next(`CONNECTED ${DESKTOP}`);
    for (const line of ['pause', 'PAUSE now', 'CHANGED', '', 'x'.repeat(5000)]) {
      annex.say(line);
      await annex.next(/^WARNING xmpp::laptop\/notes ./);
    }
    expect((await two.laptop.status()).repos[0]?.pause).toBeUndefined();
    expect(annex.lines.filter((line) => !line.startsWith('WARNING'))).toEqual([`CONNECTED ${DESKTOP}`]);
    // More than waits at once is read on as it is done.
    annex.say('RESUME\n'.repeat(60).trim());
    annex.say('STOP');
    expect(await annex.ended).toBe(0);
    expect((await two.laptop.xmpp('daemon', 'status')).stdout).toContain('running');
  });

  it('takes in a remote that was added with RELOAD, by its URL, percent-encoded; and tells of those that were named only', async () => {
    const { laptop } = two;
    const hub = laptop.path('Meine Bücher.git');
    await laptop.git(laptop.dir, 'init', '--quiet', '--bare', hub);
    const uri = encodeURI(`file://${hub}`);
    const [annex, other] = [drive(), new AnnexController(['git', 'xmpp', 'remotedaemon', '--foreground', '--remote', 'books'], { cwd: notes, env: laptop.env })];
    try {
      await annex.next(`CONNECTED ${DESKTOP}`);
      await other.next(/^WARNING .*there is no remote books/);
      await laptop.git(notes, 'remote', 'add', 'books', hub);
      await laptop.git(notes, 'config', 'remote.books.xmppSync', 'both');
      for (const each of [annex, other]) each.say('RELOAD');
      await annex.next(`SYNCING ${uri}`);
      await annex.next(`DONESYNCING ${uri} 1`);
      await annex.next(`CONNECTED ${uri}`);
      await other.next(`CONNECTED ${uri}`);
      await laptop.git(notes, 'config', '--unset', 'remote.books.xmppSync');
      annex.say('RELOAD');
      await annex.next(`DISCONNECTED ${uri}`);
      expect(other.lines.some((line) => line.includes(DESKTOP))).toBe(false);
    } finally {
      other.kill();
    }
  });

  it('outlives the agent, and has the next one hold what it holds', async () => {
    const { laptop } = two;
    const annex = drive();
    await annex.next(`CONNECTED ${DESKTOP}`);
    annex.say('PAUSE');
    await annex.next(`DISCONNECTED ${DESKTOP}`);
    await laptop.stop();
    await annex.next(/^WARNING xmpp::laptop\/notes /);
    await laptop.xmpp('daemon', 'start');
    await laptop.statusWhen(({ repos }) => repos[0]?.pause?.by === 'program');
    annex.say('RESUME');
    await annex.next(`CONNECTED ${DESKTOP}`);
    annex.say('STOP');
    expect(await annex.ended).toBe(0);
  });

  it('says why it cannot begin', async () => {
    const annex = new AnnexController(['git', 'xmpp', 'remotedaemon', '--foreground'], { cwd: two.laptop.dir, env: two.laptop.env });
    expect(await annex.ended).toBe(1);
    expect(annex.stderr).toContain('[not-a-repository]');
    expect(annex.lines).toEqual([]);
  });
});

describe('on pipes', () => {
  it('does the same in the background, for one program after another, until STOP', async () => {
    const { laptop } = two;
    const started = await laptop.xmppIn(notes, 'remotedaemon');
    expect(started.code, started.stderr).toBe(0);
    const [control = '', events = ''] = started.stdout.trim().split('\n');
    expect([control, events]).toEqual([path.join(notes, '.git/xmpp/control'), path.join(notes, '.git/xmpp/events')]);
    for (const pipe of [control, events]) expect([statSync(pipe).isFIFO(), statSync(pipe).mode & 0o777]).toEqual([true, 0o600]);
    const again = await laptop.xmppIn(notes, 'remotedaemon');
    expect([again.code, again.stderr]).toEqual([3, expect.stringContaining('runs for this repository already')]);
    // As a shell script would: what a program wrote holds after it has gone.
    const reader = new AnnexController(['cat', events], { cwd: notes, env: laptop.env });
    await reader.next(`CONNECTED ${DESKTOP}`);
    writeFileSync(control, 'PAUSE\n');
    await reader.next(`DISCONNECTED ${DESKTOP}`);
    expect((await laptop.status()).repos[0]?.pause?.by).toBe('program');
    writeFileSync(control, 'nonsense\n');
    await reader.next(/^WARNING /);
    writeFileSync(control, 'RESUME\n');
    await reader.next(`CONNECTED ${DESKTOP}`);
    writeFileSync(control, 'STOP\n');
    expect(await reader.ended).toBe(0);
    await until(() => !existsSync(control) && !existsSync(events));
  });

  it('refuses to take the place of what is no pipe', async () => {
    writeFileSync(path.join(notes, '.git/xmpp/events'), 'mine');
    const end = await two.laptop.xmppIn(notes, 'remotedaemon');
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('it is no pipe')]);
  });
});

describe('events for programs', () => {
  it('come as one object a line, and end quietly with their reader', async () => {
    const { laptop } = two;
    const child = spawn('git', ['xmpp', 'events', '--follow', '--json'], { cwd: notes, env: laptop.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => child.once('close', resolve));
    let err = '';
    child.stderr.on('data', (part: Buffer) => (err += part.toString()));
    const line = await new Promise<string>((resolve) => child.stdout.once('data', (part: Buffer) => resolve(part.toString().split('\n')[0] ?? '')));
    child.stdout.destroy();
    await laptop.commit(notes, { 'more.txt': 'more\n' }, 'something to tell');
    expect([await ended, err]).toEqual([0, '']);
    expect(JSON.parse(line)).toMatchObject({ at: expect.any(Number), type: expect.any(String), words: expect.any(String) });
  });

  it('come as server-sent events after the last one that the program has', async () => {
    const { laptop } = two;
    const ids: number[] = [];
    for await (const event of laptop.client.lines('GET', '/events')) ids.push((event as AgentEvent).id);
    expect([...ids].sort((a, b) => a - b)).toEqual(ids);
    const [before = 0, last = 0] = ids.slice(-2);
    const { socket, dir } = findHome(laptop.env);
    const headers = { 'x-git-xmpp-home': encodeURIComponent(dir), accept: 'text/event-stream', 'last-event-id': String(before) };
    const asked = request({ socketPath: socket, path: '/events', headers }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    let text = '';
    response.on('data', (part: Buffer) => (text += part.toString()));
    await laptop.commit(notes, { 'sse.txt': 'x\n' }, 'for the stream');
    await until(() => text.includes('"type":"done-syncing"'));
    asked.destroy();
    expect(response.headers['content-type']).toBe('text/event-stream');
    expect(/^id: (\d+)$/m.exec(text)?.[1]).toBe(String(last));
  });
});
