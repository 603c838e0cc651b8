// A person who interrupts, a terminal that is narrow, a reader that has gone. Rule: real terminals; each ends at once, says what it has to, and leaves
// the terminal, the account and the other device as they were.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { findHome } from '../../src/home/paths.ts';
import { NS_PAIR } from '../../src/pairing/messages-format.ts';
import { Device } from '../helpers/device.ts';
import { showCode } from '../helpers/shown-code.ts';
import { mayMount } from '../helpers/small-disk.ts';
import { CTRL_C, CTRL_D, onTerminal } from '../helpers/terminal.ts';
import type { TerminalEnd } from '../helpers/terminal.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

/** Ended by the signal itself, or as a shell says it. */
const INTERRUPTED = /^(?:code 130|signal 2)$/;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  setting = await startTwoDevices({ hasStanzaLog: true });
  ({ laptop, desktop } = setting);
});

afterAll(() => setting?.stop());

async function makeDevice(): Promise<Device> {
  const device = await new Device('tablet').prepare();
  onTestFinished(() => device.remove());
  return device;
}

/** Waits until the server has had something of that namespace from a device. */
async function sent(device: Device, namespace: string): Promise<void> {
  const address = (await device.status()).account.address ?? '';
  await expect.poll(() => setting.server.stanzaLog().split('\n').some((line) => line.includes(`\t${address}\t`) && line.includes(namespace)), { timeout: 10_000 }).toBe(true);
}

function expectInterrupted(end: TerminalEnd): void {
  expect(end.how, end.shown).toMatch(INTERRUPTED);
  expect(end.isEchoing).toBe(true);
}

describe('Ctrl-C', () => {
  it('at the question for an account ends login, and any command that needs one', async () => {
    const device = await makeDevice();
    for (const words of [['login'], ['pair'], ['share']]) {
      const terminal = onTerminal(device, words);
      await terminal.see(/XMPP account \(you@example\.org\): /);
      terminal.type(CTRL_C);
      expectInterrupted(await terminal.ended);
    }
    expect(await device.status()).toMatchObject({ account: { state: 'none' }, repos: [] });
  });

  it('at the question for a password ends login; what was typed of it is not shown', async () => {
    const device = await makeDevice();
    const terminal = onTerminal(device, ['login', 'romeo@localhost']);
    await terminal.see(/Password of romeo@localhost: /);
    terminal.type('half-a-pass');
    terminal.type(CTRL_C);
    const end = await terminal.ended;
    expectInterrupted(end);
    expect(end.shown).not.toContain('half');
    expect(existsSync(device.home)).toBe(false);
  });

  it('while the server is silent ends the sign-in on the agent as well, and the account is as before', async () => {
    const device = await makeDevice();
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const terminal = onTerminal(device, ['login', 'romeo@localhost', '--server', `127.0.0.1:${port}`]);
    const [socket] = (await Promise.all([
      once(silent, 'connection'),
      terminal.see(/Password of /).then(() => terminal.type('secret\r')),
    ]).then(([came]) => came)) as [import('node:net').Socket];
    socket.resume();
    // Well before the sign-in would be given up by itself.
    const left = once(socket, 'close', { signal: AbortSignal.timeout(5_000) });
    socket.on('error', () => undefined);
    terminal.type(CTRL_C);
    expectInterrupted(await terminal.ended);
    await left;
    expect(await device.status()).toMatchObject({ account: { state: 'none' } });
  });

  it('at the question for a code ends pair, and the end of input says that nothing was done', async () => {
    const terminal = onTerminal(desktop, ['pair', '-']);
    await terminal.see(/Code or invite: /);
    terminal.type(CTRL_C);
    expectInterrupted(await terminal.ended);
    const other = onTerminal(desktop, ['pair', '-']);
    await other.see(/Code or invite: /);
    other.type(CTRL_D);
    const end = await other.ended;
    expect(end).toMatchObject({ how: 'code 2', isEchoing: true });
    expect(end.shown).toMatch(/\[wrong-use\] nothing was typed, so nothing was done/);
  });

  it('while a code is shown takes it back', async () => {
    const terminal = onTerminal(laptop, ['pair']);
    await terminal.see(/Waiting; the code works once/);
    terminal.type(CTRL_C);
    const end = await terminal.ended;
    expectInterrupted(end);
    const [, words = ''] = /^git xmpp pair (\S+(?: --with \S+)?)/m.exec(end.shown) ?? [];
    // The agent notices that its caller has gone, and then takes the code back.
    await expect.poll(async () => (await desktop.run('git-xmpp', ['pair', ...words.split(' ')])).stderr, { timeout: 10_000 }).toMatch(/\[bad-code\] no device of .* shows code number|\[code-spent\] this code is spent/);
  });

  it('while a typed code is on its way sends no more of it, and the code can be typed again', async () => {
    const device = await makeDevice();
    await device.login(setting.server, 'romeo', 'correct-horse');
    const { shown, code, where } = await showCode(laptop);
    laptop.suspend();
    const typer = onTerminal(device, ['pair', code, ...where]);
    // Nobody answers; what was sent is on the laptop's doorstep.
    await sent(device, NS_PAIR);
    typer.type(CTRL_C);
    expectInterrupted(await typer.ended);
    laptop.wake();
    await shown.line(/is pairing…/);
    expect((await device.status()).peers).toEqual([]);
    expect((await laptop.status()).peers.map(({ petname }) => petname)).toEqual(['desktop']);
    // Had the first try gone on, it would have used the code before this one comes.
    await device.xmpp('pair', code, ...where);
    expect((await shown.ended).stderr).toMatch(/paired with tablet/);
  });

  it('while a clone waits for the other device leaves no folder', async () => {
    laptop.suspend();
    onTestFinished(() => laptop.wake());
    const terminal = onTerminal(desktop, ['clone', 'laptop/nothing']);
    await terminal.started;
    terminal.type(CTRL_C);
    expectInterrupted(await terminal.ended);
    expect(existsSync(desktop.path('nothing'))).toBe(false);
  });
});

describe('a terminal of 40 columns', () => {
  it.each([['help'], ['help', 'login'], ['help', 'errors'], ['peers', '--help']])('has no longer line than that in: %s', async (...words) => {
    const end = await onTerminal(desktop, words, { columns: 40 }).ended;
    expect(end.how).toBe('code 0');
    const examples = COMMANDS.flatMap((spec) => spec.examples.map(({ line }) => `  ${line}`));
    const lines = end.shown.split(/\r?\n/).filter((line) => !examples.includes(line) && !line.startsWith('[ended by'));
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
  });
});

describe('a reader that has gone', () => {
  const QUIET = ['', '--version', 'help', 'help errors', 'completion bash', 'status', 'status --json', 'peers', 'account', 'repos', 'events', 'events --json', 'daemon status'];

  const lines = [...COMMANDS.filter(({ isHidden }) => !isHidden).map(({ name }) => `${name} --help`), ...QUIET];

  it.each(lines)('is the quiet end of: git xmpp %s', async (line) => {
    const ongoing = desktop.start('git-xmpp', line.split(' ').filter((word) => word !== ''));
    ongoing.child.stdout?.destroy();
    const { code, stderr } = await ongoing.ended;
    expect(stderr).not.toMatch(/EPIPE|Error|\n\s+at /);
    expect(code).toBe(0);
  });

  it('of what is said is no reason to end otherwise', async () => {
    const ongoing = desktop.start('git-xmpp', ['frobnicate']);
    ongoing.child.stderr?.destroy();
    expect((await ongoing.ended).code).toBe(2);
  });

  it('is told from a disk that is full', async () => {
    const end = await desktop.run('sh', ['-c', 'git-xmpp help >/dev/full']);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/^git-xmpp: \[disk-full\] writing the result: no space is left on the device\n {2}free some space/);
  });
});

describe('a home', () => {
  it.runIf(process.getuid?.() !== 0 || mayMount())('that may not be written is named, with what to do', async () => {
    const device = await makeDevice();
    const dir = device.path('sealed');
    await mkdir(dir);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', dir]);
    else await chmod(dir, 0o500);
    onTestFinished(async () => (isRoot ? void execFileSync('umount', [dir]) : chmod(dir, 0o700)));
    const end = await device.run('git-xmpp', ['status'], { env: { GIT_XMPP_HOME: `${dir}/home` } });
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/^git-xmpp: \[permissions\] the home cannot be used: .*sealed'\n {2}make .*sealed\/home a folder that you may write to, or set GIT_XMPP_HOME to one\n$/);
    expect(existsSync(`${dir}/home`)).toBe(false);
  });

  it('below a file is named as well', async () => {
    const device = await makeDevice();
    await writeFile(device.path('file'), 'mine');
    const end = await device.run('git-xmpp', ['status'], { env: { GIT_XMPP_HOME: device.path('file/home') } });
    expect(end).toMatchObject({ code: 1, stderr: expect.stringMatching(/^git-xmpp: \[bad-config\] the home cannot be used: /) });
  });

  it('with the socket that a crash left is used by the next agent', async () => {
    const device = await makeDevice();
    await device.xmpp('account');
    await device.kill();
    expect(existsSync(findHome(device.env).socket)).toBe(true);
    await device.xmpp('account');
    expect(device.agentPid()).toBeGreaterThan(0);
  });
});
