// Another user of the machine, and a caller with a hostile environment: what they reach of an agent that runs (docs/THREATS.md, "The machine, attack by
// attack"). Rule: the other user is a real one (nobody, 65534), who may walk through every folder above the home.

import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findHome } from '../../src/home/paths.ts';
import { Device } from '../helpers/device.ts';
import { familyOf } from '../helpers/memory.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const NOBODY = 65_534;
const PASSWORD = 'correct-horse';
const isRoot = process.getuid?.() === 0;

let server: Prosody;
let anna: Device;
let repo: string;

beforeAll(async () => {
  server = await startProsody({ accounts: { anna: PASSWORD }, hasProxy: false });
  anna = await new Device('anna').prepare();
  await anna.login(server, 'anna', PASSWORD);
  repo = await anna.repo('notes');
  await anna.xmppIn(repo, 'share');
});

afterAll(async () => {
  await anna?.remove();
  await server?.stop();
});

/** Runs a command as nobody. @returns its exit code and all that it said */
function asNobody(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<{ readonly code: number; readonly said: string }> {
  const words = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', command, ...args];
  return new Promise((resolve) => {
    execFile('setpriv', words, { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd: '/' }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 255), said: stdout + stderr }),
    );
  });
}

/** Everything in a home, with its mode. */
function modesIn(dir: string): string[] {
  const below = readdirSync(dir, { withFileTypes: true, recursive: true }).map((entry) => path.join(entry.parentPath, entry.name));
  return [dir, ...below].map((each) => {
    const stat = lstatSync(each);
    const kind = stat.isDirectory() ? 'folder' : stat.isSocket() ? 'socket' : 'file';
    return `${kind} ${(stat.mode & 0o777).toString(8)}`;
  });
}

describe.runIf(isRoot)('another user of the machine', () => {
  beforeAll(() => chmodSync(anna.dir, 0o755));

  it('may walk up to the home, and reads nothing of it', async () => {
    expect(await asNobody('ls', [anna.dir])).toMatchObject({ code: 0 });
    expect(await asNobody('ls', [anna.home])).toMatchObject({ said: expect.stringContaining('Permission denied') });
    for (const name of ['config', 'identity', 'agent.log', 'repos.json', 'agent.sock']) {
      expect(existsSync(path.join(anna.home, name))).toBe(true);
      expect((await asNobody('cat', [path.join(anna.home, name)])).said).toContain('Permission denied');
    }
  });

  it('reads nothing of it either where the home itself was left open', async () => {
    chmodSync(anna.home, 0o755);
    onTestFinished(() => chmodSync(anna.home, 0o700));
    expect(await asNobody('ls', [anna.home])).toMatchObject({ code: 0 });
    for (const name of ['config', 'agent.log', 'repos.json']) expect((await asNobody('cat', [path.join(anna.home, name)])).said).toContain('Permission denied');
    const ask = "require('net').connect(process.argv[1]).on('connect', () => console.log('connected')).on('error', (e) => console.log(e.code))";
    expect((await asNobody('node', ['-e', ask, path.join(anna.home, 'agent.sock')])).said.trim()).toBe('EACCES');
  });

  it('finds files, hooks, folders and a socket for their owner alone in the home of an agent that runs', () => {
    expect([...new Set(modesIn(anna.home))].toSorted()).toEqual(['file 600', 'file 700', 'folder 700', 'socket 600']);
  });

  it('sees in arguments and environment of the agent nothing that is secret, and may not read its memory or files', async () => {
    const pid = anna.agentPid();
    expect((await asNobody('cat', [`/proc/${pid}/environ`])).said).toContain('Permission denied');
    expect((await asNobody('ls', [`/proc/${pid}/fd`])).said).toContain('Permission denied');
    expect((await asNobody('cat', [`/proc/${pid}/cmdline`])).said).not.toContain(PASSWORD);
  });

  /** A folder of nobody's. */
  const theirs = (): string => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'theirs-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    chownSync(dir, NOBODY, NOBODY);
    return dir;
  };

  it('owns the folder that somebody takes for his home: no word is sent to who listens there, and nothing written where its log leads', async () => {
    const dir = theirs();
    const victim = path.join(anna.dir, 'bashrc');
    writeFileSync(victim, 'mine\n');
    symlinkSync(victim, path.join(dir, 'agent.log'));
    const heard = await anna.run('git-xmpp', ['login', 'anna@localhost', '--password-stdin'], { input: `${PASSWORD}\n`, env: { GIT_XMPP_HOME: dir } });
    expect(heard.code).toBe(1);
    expect(heard.stderr).toContain(`${dir} belongs to another user`);
    const link = path.join(anna.dir, 'link');
    symlinkSync(dir, link);
    expect((await anna.run('git-xmpp', ['status'], { env: { GIT_XMPP_HOME: link } })).stderr).toContain('belongs to another user');
    expect(readFileSync(victim, 'utf8')).toBe('mine\n');
    expect(readdirSync(dir)).toEqual(['agent.log']);
  });

  it('has made the folder for sockets before: no agent is asked or started there', async () => {
    const tmp = mkdtempSync(path.join(os.tmpdir(), 'tmp-'));
    onTestFinished(() => rmSync(tmp, { recursive: true, force: true }));
    chmodSync(tmp, 0o1777);
    const squatted = path.join(tmp, 'git-xmpp-0');
    mkdirSync(squatted, { mode: 0o777 });
    chownSync(squatted, NOBODY, NOBODY);
    const env = { GIT_XMPP_HOME: path.join(anna.dir, 'x'.repeat(110)), XDG_RUNTIME_DIR: theirs(), TMPDIR: tmp };
    const refused = await anna.run('git-xmpp', ['status'], { env });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`${squatted} is not a folder of your own`);
    expect(readdirSync(squatted)).toEqual([]);
  });
});

describe('a home that was tampered with', () => {
  const made = (): { readonly dir: string; readonly run: (...args: string[]) => ReturnType<Device['run']> } => {
    const dir = mkdtempSync(path.join(anna.dir, 'home-'));
    return { dir, run: (...args) => anna.run('timeout', ['20', 'git-xmpp', ...args], { env: { GIT_XMPP_HOME: dir } }) };
  };

  it.each([
    ['a pipe', 'config', (file: string) => runTool('mkfifo', [file])],
    ['a device that never ends', 'config', (file: string) => Promise.resolve(symlinkSync('/dev/zero', file))],
    ['2 MB', 'config', (file: string) => Promise.resolve(writeFileSync(file, `[x]\n${'#\n'.repeat(1_000_000)}`))],
    ['a folder', 'repos.json', (file: string) => Promise.resolve(mkdirSync(file))],
    ['a pipe', 'repos.json', (file: string) => runTool('mkfifo', [file])],
    ['a device that never ends', 'peers.json', (file: string) => Promise.resolve(symlinkSync('/dev/zero', file))],
    ['17 MB', 'peers.json', (file: string) => Promise.resolve(writeFileSync(file, ' '.repeat(17 << 20)))],
    ['a file', 'agent.sock', (file: string) => Promise.resolve(writeFileSync(file, 'mine'))],
    ['a link', 'agent.sock', (file: string) => Promise.resolve(symlinkSync('/etc/passwd', file))],
    ['a pipe', 'lock', (file: string) => runTool('mkfifo', [file])],
  ])('with %s for its %s: the command ends in words that name it, and it stays as it is', async (_what, name, make) => {
    const { dir, run } = made();
    const file = path.join(dir, name);
    await make(file);
    const before = lstatSync(file);
    const end = await run('status');
    expect(end.code).toBe(1);
    expect(end.stderr).toContain(name);
    expect(lstatSync(file)).toMatchObject({ ino: before.ino, size: before.size });
  });
});

/** Runs a helper of the system. */
function runTool(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(command, args, (error) => (error === null ? resolve() : reject(error)));
  });
}

describe('a caller with a hostile environment', () => {
  it('starts the agent, and no git of the agent’s hears of it', async () => {
    await anna.stop();
    const evil = path.join(anna.dir, 'evil');
    mkdirSync(evil);
    const mark = path.join(anna.dir, 'ran');
    writeFileSync(path.join(evil, 'hook'), `#!/bin/sh\ntouch '${mark}'\n`, { mode: 0o755 });
    const env = {
      GIT_DIR: path.join(evil, 'none'),
      GIT_WORK_TREE: evil,
      GIT_INDEX_FILE: path.join(evil, 'index'),
      GIT_OBJECT_DIRECTORY: path.join(evil, 'objects'),
      GIT_CONFIG_GLOBAL: path.join(evil, 'config'),
      GIT_CONFIG_COUNT: '2',
      GIT_CONFIG_KEY_0: 'core.fsmonitor',
      GIT_CONFIG_VALUE_0: path.join(evil, 'hook'),
      GIT_CONFIG_KEY_1: 'core.hooksPath',
      GIT_CONFIG_VALUE_1: evil,
      GIT_CONFIG_PARAMETERS: `'core.fsmonitor=${evil}/hook'`,
      GIT_SSH_COMMAND: path.join(evil, 'hook'),
      GIT_EXTERNAL_DIFF: path.join(evil, 'hook'),
      GIT_TRACE: path.join(evil, 'trace'),
      GIT_TEMPLATE_DIR: evil,
    };
    expect((await anna.run('git-xmpp', ['daemon', 'start'], { env })).code).toBe(0);
    await anna.event(({ type }) => type === 'online');
    const tip = await anna.commit(repo, { 'a.txt': 'news' }, 'news');
    await anna.statusWhen(({ repos }) => repos[0]?.name === 'notes');
    await anna.ref(repo, `refs/xmpp/${await deviceOf(repo)}/heads/main`, tip);
    for (const pid of familyOf(anna.agentPid())) expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(evil);
    expect(readdirSync(evil)).toEqual(['hook']);
    expect(existsSync(mark)).toBe(false);
    expect(findHome(anna.env).dir).toBe(anna.home);
  });

  /** The one device whose corner is there. */
  async function deviceOf(dir: string): Promise<string> {
    return (await anna.git(dir, 'for-each-ref', '--format=%(refname)', 'refs/xmpp/')).split('/')[2] ?? '';
  }
});
