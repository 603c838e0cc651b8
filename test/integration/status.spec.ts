// `git xmpp status` and `log --agent` on two real devices: for programs, in a narrow terminal, and live while the other device, the transfer and the agent come and go.

import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import { cellsOf } from '../../src/cli/cells-format.ts';
import { findHome } from '../../src/home/paths.ts';
import type { Device } from '../helpers/device.ts';
import { seenIn, startInTerminal } from '../helpers/script-terminal.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const ESC = '\u001b';
const ENTERED = `${ESC}[?1049h`;
const LEFT = `${ESC}[?25h${ESC}[?1049l`;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let copy: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes, copy } = await shareNotes(setting));
  await Promise.all([laptop.inSync('desktop'), desktop.inSync('laptop')]);
});

afterAll(() => setting?.stop());

describe('status', () => {
  it('is the same data for programs as it is documented', async () => {
    const status = JSON.parse((await laptop.xmpp('status', '--json')).stdout) as StatusAnswer;
    const link = { kind: 'in-band', addressClass: 'server', srttMs: expect.any(Number), up: expect.any(Number), down: expect.any(Number), sent: expect.any(Number), received: expect.any(Number), again: expect.any(Number), changes: expect.any(Number) };
    const text = expect.any(String) as string;
    // Further fields may come; these stay.
    expect(status).toMatchObject({
      account: { state: 'online', jid: 'romeo@localhost', address: text, device: text, name: 'laptop', fingerprint: text },
      peers: [
        { petname: 'desktop', name: 'desktop', jid: 'romeo@localhost', kind: 'own', device: text, fingerprint: text, isOnline: true, lastSeen: expect.any(Number), carrier: link, links: expect.arrayContaining([expect.objectContaining(link)]) },
      ],
      repos: [
        {
          name: 'notes',
          id: text,
          path: notes,
          peers: [
            { peer: 'desktop', device: text, isOnline: true, isShared: true, state: 'in sync', ahead: 0, behind: 0, carrier: link, moving: [], waiting: [], branches: [{ branch: 'main', state: 'in sync', ahead: 0, behind: 0 }] },
          ],
          policies: expect.any(Object),
          hubs: [],
        },
      ],
      notes: [],
    });
  });

  it('has colours in a terminal, none where NO_COLOR is set, and no escape at all where it is piped', async () => {
    const [coloured, faded, piped] = await Promise.all([
      startInTerminal(laptop, ['status'], { columns: 80 }).ended,
      startInTerminal(laptop, ['status'], { columns: 80, env: { NO_COLOR: '1' } }).ended,
      laptop.xmpp('status'),
    ]);
    expect(coloured.stdout).toContain('\u001b[32min sync');
    expect(faded.stdout).toContain('in sync');
    expect(faded.stdout + piped.stdout).not.toContain('\u001b');
  });

  it('fits into 40 columns', async () => {
    const { stdout } = await startInTerminal(laptop, ['status'], { columns: 40 }).ended;
    const lines = seenIn(stdout);
    expect(lines).toContain('  desktop: in sync');
    expect(lines.filter((line) => cellsOf(line) > 40)).toEqual([]);
  });
});

describe('status --watch', () => {
  it('shows what moves while it moves, and what stands there when it has', async () => {
    const watch = startInTerminal(desktop, ['status', '--watch'], { columns: 100 });
    await watch.line(/in sync/);
    setting.proxy.slow(400_000);
    const oid = await laptop.commit(notes, { 'large.bin': randomBytes(1_500_000).toString('latin1') }, 'large');
    await watch.line(/receiving {2}.*\d+ (kB|MB)\/s/);
    setting.proxy.slow(undefined);
    await desktop.head(copy, oid);
    process.kill(await watch.pid, 'SIGINT');
    const { code, stdout } = await watch.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(ENTERED);
    expect(stdout.split(LEFT)).toHaveLength(2);
    // What was seen last stays, below what was there before.
    expect(stdout.split(LEFT)[1]).toMatch(/repo +notes[^]*laptop: /);
  });

  it('waits for an agent that goes away, starts none, and goes on when it is back', async () => {
    const watch = startInTerminal(desktop, ['status', '--watch'], { columns: 60 });
    await watch.line(/in sync/);
    await desktop.stop();
    await watch.line(/no agent runs|went away/);
    expect(() => desktop.agentPid()).toThrow('no agent runs');
    // What is old has no colour.
    const isBack = watch.next(`${ESC}[32min sync`);
    await desktop.xmpp('daemon', 'start');
    await isBack;
    process.kill(await watch.pid, 'SIGTERM');
    expect(await watch.ended).toMatchObject({ code: 143, stdout: expect.stringContaining(LEFT) });
  });

  it('tells programs one object a line, whenever something changes', async () => {
    const watch = laptop.start('git-xmpp', ['status', '--watch', '--json']);
    await watch.line(/"isOnline":true/);
    await desktop.stop();
    const line = await watch.line(/"isOnline":false/);
    expect(JSON.parse(line)).toMatchObject({ repos: [{ peers: [{ isOnline: false, offlineSince: expect.any(Number) }] }] });
    watch.child.kill('SIGTERM');
    const { code, stdout } = await watch.ended;
    expect(code).toBe(143);
    expect(stdout.trimEnd().split('\n').map((each) => Object.keys(JSON.parse(each) as object))).toContainEqual(['account', 'peers', 'repos', 'refused', 'notes']);
  });
});

describe('the log of the agent', () => {
  it('tells what it does, for its owner alone, without names of branches and files', async () => {
    const { stdout } = await laptop.xmpp('log', '--agent', '--lines', '1000');
    expect(stdout).toMatch(/^\S+Z info \S*.*signed in/m);
    expect(stdout).not.toMatch(/refs\/heads|large\.bin|README/);
    expect(statSync(findHome(laptop.env).log).mode & 0o777).toBe(0o600);
  });

  it('is as talkative as is set', async () => {
    expect((await laptop.xmpp('log', '--agent', '--level', 'debug')).stdout).not.toMatch(/^\S+ debug /m);
    await laptop.git(laptop.dir, 'config', '--global', 'xmpp.logLevel', 'debug');
    await laptop.stop();
    await laptop.xmpp('daemon', 'start');
    const followed = laptop.start('git-xmpp', ['log', '--agent', '--follow', '--level', 'debug']);
    // Nobody shares that.
    await laptop.xmppIn(laptop.dir, 'log', '/nowhere');
    await followed.line(/^\S+ debug .*GET \/log/);
    followed.child.kill('SIGTERM');
    await followed.ended;
  });

  it('shows stanzas while they go, and of what they carry only the length', async () => {
    const shown = laptop.start('git-xmpp', ['log', '--stanzas']);
    await shown.line(/Ctrl-C ends/);
    await desktop.xmpp('daemon', 'start');
    await laptop.statusWhen(({ peers }) => peers[0]?.isOnline === true);
    await laptop.commit(notes, { 'b.txt': 'b' }, 'b');
    await shown.line(/<data .*\[\d+ characters\]<\/data>/);
    shown.child.kill('SIGTERM');
    const { stderr } = await shown.ended;
    expect(stderr).toMatch(/^(IN|OUT)$/m);
    expect(stderr).not.toMatch(/<data [^>]*>[A-Za-z0-9+/]/);
  });
});
