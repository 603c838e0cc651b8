// What a person types wrong, or has wrong on the machine, before any other device has a part in it.
// Rule: real commands, a real agent, a real server; each gets one clear sentence and an exit code, and what was there stays.

import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findHome } from '../../src/home/paths.ts';
import { Device } from '../helpers/device.ts';
import type { Ended } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PASSWORD = 'correct-horse';

let server: Prosody;

beforeAll(async () => {
  server = await startProsody({ accounts: { romeo: PASSWORD } });
});

afterAll(() => server?.stop());

/** A device that is gone when the test is done. */
async function makeDevice(env: Readonly<Record<string, string>> = {}): Promise<Device> {
  const device = await new Device('tablet', env).prepare();
  onTestFinished(() => device.remove());
  return device;
}

/** What a person reads: a sentence of ours, then at most a remedy or two; no stack, no internals. */
function expectSentence(end: Ended, code: number, words: RegExp): void {
  expect(end, end.stderr).toMatchObject({ code });
  expect(end.stderr).toMatch(words);
  expect(end.stderr.trim().split('\n').length).toBeLessThanOrEqual(4);
  expect(end.stderr).not.toMatch(/\n\s+at |\[object|undefined|internal/);
}

describe('git xmpp used wrongly', () => {
  let device: Device;

  beforeAll(async () => {
    device = await new Device('tablet').prepare();
  });

  afterAll(() => device?.remove());

  it.each([
    ['an unknown command', ['frobnicate'], /no command "frobnicate"\n\s+git xmpp help lists them/],
    ['an unknown option', ['status', '--yaml'], /unknown option '--yaml'/],
    ['an argument too few', ['rename', 'laptop'], /missing required argument 'name'/],
    ['an argument too many', ['logout', 'now'], /too many arguments/],
    ['an unknown word for the agent', ['daemon', 'dance'], /"dance" is none of start, stop, status and run/],
    ['a CA file that is not there', ['login', 'romeo@localhost', '--ca', '/nowhere/ca.pem', '--password-stdin'], /--ca \/nowhere.* cannot be read/],
  ])('says what is wrong with %s and ends with 2', async (_what, args, words) => {
    expectSentence(await device.run('git-xmpp', args, { input: 'secret\n' }), 2, words);
    expect(existsSync(device.home)).toBe(false);
  });

  it('says what is wrong with an account that is none', async () => {
    expectSentence(await device.run('git-xmpp', ['login', 'romeo@', '--password-stdin'], { input: 'secret\n' }), 1, /JID: "romeo@"/);
  });

  it.each([['pair'], ['share'], ['clone', 'laptop/notes'], ['sync']])('names login where there is no account and no terminal to ask on: %s', async (...args) => {
    expectSentence(await device.run('git-xmpp', args), 2, /signed in to no account\n\s+git xmpp login you@example\.org/);
  });

  it('asks for account and password nowhere but on a terminal', async () => {
    expectSentence(await device.run('git-xmpp', ['login']), 2, /which account\?\n\s+git xmpp login/);
    expectSentence(await device.run('git-xmpp', ['login', 'romeo@localhost']), 2, /a password is needed[^]*--password-stdin/);
    expectSentence(await device.run('git-xmpp', ['login', 'romeo@localhost', '--password-stdin']), 2, /no password came on standard input/);
    expect(await device.status()).toMatchObject({ account: { state: 'none' } });
  });
});

describe('a home', () => {
  it('with a broken line in its config is not used, and file and line are named', async () => {
    const device = await makeDevice();
    await device.login(server, 'romeo', PASSWORD);
    await device.stop();
    const { config } = findHome(device.env);
    const before = await readFile(config, 'utf8');
    await writeFile(config, `${before}[xmpp\n\tquota = 1g\n`);
    const line = before.split('\n').length;
    expectSentence(await device.run('git-xmpp', ['status']), 1, new RegExp(`${config}, line ${line} cannot be read[^]*correct line ${line}`));
    expect(await readFile(config, 'utf8')).toBe(`${before}[xmpp\n\tquota = 1g\n`);
    await writeFile(config, before);
    await device.xmpp('status');
    await device.statusWhen(({ account }) => account.state === 'online');
  });

  it('is not blamed for a broken line in the configuration of its person', async () => {
    const device = await makeDevice();
    await device.login(server, 'romeo', PASSWORD);
    await device.stop();
    await appendFile(device.path('.gitconfig'), '[user\n');
    expectSentence(await device.run('git-xmpp', ['status']), 1, /line 8 [^]*\.gitconfig|\.gitconfig, line 8/);
  });

  it('with a value that is none of its kind names the key', async () => {
    const device = await makeDevice();
    await device.xmpp('daemon', 'start');
    await device.stop();
    await writeFile(findHome(device.env).config, '[xmpp]\n\tquota = plenty\n');
    expectSentence(await device.run('git-xmpp', ['status']), 1, /xmpp\.quota: is no number of bytes/);
  });

  it('whose own files are damaged is left as it is, and the file is named', async () => {
    const device = await makeDevice();
    await device.xmpp('daemon', 'start');
    await device.stop();
    const peers = path.join(device.home, 'peers.json');
    await writeFile(peers, '{"version": 1, "peers": [');
    expectSentence(await device.run('git-xmpp', ['peers']), 1, /peers\.json: is no whole JSON text/);
    expect(await readFile(peers, 'utf8')).toBe('{"version": 1, "peers": [');
  });

  it('whose socket would have too long a path is reached by a short one, and is not mistaken for its neighbour', async () => {
    const device = await makeDevice();
    const deep = path.join(device.home, 'a'.repeat(60), 'b'.repeat(60));
    await mkdir(deep, { recursive: true, mode: 0o700 });
    const homes = ['first', 'second'].map((name) => path.join(deep, name));
    const fingerprints: string[] = [];
    for (const home of homes) {
      device.env['GIT_XMPP_HOME'] = home;
      const { socket } = findHome(device.env);
      expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(100);
      const { stdout } = await device.xmpp('account');
      expect(existsSync(socket)).toBe(true);
      expect(existsSync(path.join(home, 'lock'))).toBe(true);
      fingerprints.push(/fingerprint\s+(.*)/.exec(stdout)?.[1] ?? '');
    }
    expect(new Set(fingerprints).size).toBe(2);
    for (const home of homes) {
      device.env['GIT_XMPP_HOME'] = home;
      await device.stop();
      expect(existsSync(findHome(device.env).socket)).toBe(false);
    }
  });

  it('for whose socket no path is short enough says so', async () => {
    const device = await makeDevice();
    const deep = device.path('c'.repeat(100));
    const env = { GIT_XMPP_HOME: deep, XDG_RUNTIME_DIR: deep, TMPDIR: deep };
    expectSentence(await device.run('git-xmpp', ['status'], { env }), 1, /longer than 100 bytes[^]*shorter path/);
    expect(existsSync(deep)).toBe(false);
  });

  it('takes no second agent: it names the first, ends with 3, and the first goes on', async () => {
    const device = await makeDevice();
    await device.login(server, 'romeo', PASSWORD);
    const lock = readFileSync(findHome(device.env).lock, 'utf8');
    const { pid } = JSON.parse(lock) as { pid: number };
    const before = await device.status();
    expectSentence(await device.run('git-xmpp', ['daemon', 'run']), 3, new RegExp(`already running \\(process ${pid}\\)`));
    expect(readFileSync(findHome(device.env).lock, 'utf8')).toBe(lock);
    expect(await device.status()).toEqual(before);
    expect(before.account.state).toBe('online');
  });

  it('starts one agent for many commands at once', async () => {
    const device = await makeDevice();
    const all = await Promise.all(Array.from({ length: 5 }, () => device.run('git-xmpp', ['account'])));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(new Set(all.map(({ stdout }) => stdout)).size).toBe(1);
  });
});

describe('a server that offers only PLAIN', () => {
  it('gets no password, and the login changes nothing', async () => {
    const plain = await startProsody({ isPlainOnly: true, hasStanzaLog: true, accounts: { romeo: PASSWORD } });
    onTestFinished(() => plain.stop());
    const device = await makeDevice();
    const args = ['login', 'romeo@localhost', '--server', `${plain.host}:${plain.port}`, '--ca', plain.caFile, '--password-stdin'];
    expectSentence(await device.run('git-xmpp', args, { input: `${PASSWORD}\n` }), 1, /PLAIN|plain/);
    expect(await device.status()).toMatchObject({ account: { state: 'none' } });
    expect(existsSync(findHome(device.env).credentials)).toBe(false);
    expect(plain.output()).not.toMatch(/Authenticated as romeo/);
  });

  it('is not signed in to by who knows it better, says why, and a login after it is mended goes on', async () => {
    const device = await makeDevice();
    const other = await startProsody({ accounts: { romeo: PASSWORD } });
    onTestFinished(() => other.stop());
    await device.login(other, 'romeo', PASSWORD);
    await other.restart({ isPlainOnly: true });
    const { account } = await device.statusWhen((status) => status.account.state === 'stopped');
    expect(account).toMatchObject({ jid: 'romeo@localhost', fault: { code: 'no-mechanism' } });
    expectSentence(await device.run('git-xmpp', ['sync']), 1, /PLAIN|plain/);
    await other.restart({ isPlainOnly: false });
    await device.login(other, 'romeo', PASSWORD);
    await device.statusWhen((status) => status.account.state === 'online');
  });
});
