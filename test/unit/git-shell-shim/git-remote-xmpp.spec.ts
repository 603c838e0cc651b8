import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeExit, encodeFrame, STDERR, STDOUT } from '../../../src/control/stream-format.ts';
import type { Routes } from '../../../src/control/server.ts';
import { findHome } from '../../../src/home/paths.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { utf8 } from '../../../src/lib/bytes.ts';
import { openDoor } from '../../helpers/door.ts';
import { gitRoutes } from '../../helpers/git-routes.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, type TestRepo } from '../../helpers/repo.ts';
import { bundle, bundleShims, run, shimEnv, type Ran, type Shims } from '../../helpers/shims.ts';

let shims: Shims;
const started: number[] = [];

beforeAll(async () => {
  shims = await bundleShims();
});

afterAll(() => {
  for (const pid of started) process.kill(pid);
});

interface Stage {
  readonly origin: TestRepo;
  readonly env: Record<string, string>;
  readonly fields: Readonly<Record<string, string>>[];
}

/** A home whose agent has one peer, `laptop`, that shares `notes`. */
async function setStage(): Promise<Stage> {
  const origin = makeRepo({ isBare: true });
  const work = makeRepo();
  commit(work, { 'a.txt': 'one\n', 'ü b.txt': 'two\n' }, 'first');
  git(work.dir, 'tag', '-a', '-m', 'v1', 'v1');
  commit(work, { 'a.txt': 'more\n' }, 'second');
  git(work.dir, 'push', '-q', origin.dir, 'main', 'v1');
  const fields: Readonly<Record<string, string>>[] = [];
  const home = await openHome(
    gitRoutes({ repos: { notes: origin.dir, gone: '/nowhere' }, env: cleanEnv(), onStream: (each) => fields.push(each) }),
  );
  return { origin, env: shimEnv(shims, home), fields };
}

async function openHome(routes: Routes): Promise<string> {
  const home = findHome({ GIT_XMPP_HOME: makeFolder() });
  await openDoor(routes, { socketPath: home.socket, home: home.dir });
  return home.dir;
}

function streams(open: (socket: Duplex) => void): Routes {
  return { 'POST /streams': { kind: 'stream', open: async (_request, socket) => open(socket) } };
}

function runHelper(env: Record<string, string>, input: string | Uint8Array, url = 'laptop/notes'): Promise<Ran> {
  return run('git-remote-xmpp', ['origin', url], { env, input });
}

describe('git-remote-xmpp', () => {
  it('clones with tags, over protocol version 2', async () => {
    const { origin, env, fields } = await setStage();
    const dir = join(makeFolder(), 'clone');
    const ran = await run('git', ['clone', '-q', 'xmpp::laptop/notes', dir], { env });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(tipOf({ dir, gitDir: dir }, 'HEAD')).toBe(tipOf(origin, 'main'));
    expect(git(dir, 'tag')).toBe('v1');
    expect(git(dir, 'fsck', '--full')).toBe('');
    expect(fields).toEqual([{ peer: 'laptop', repo: 'notes', service: 'git-upload-pack', protocol: 'version=2' }]);
  });

  it('pushes, fetches, lists, clones shallowly, and forces only with lease', async () => {
    const { origin, env, fields } = await setStage();
    const [one, two] = [join(makeFolder(), 'one'), join(makeFolder(), 'two')];
    const ok = async (...args: string[]): Promise<string> => {
      const ran = await run('git', args, { env });
      expect(ran.code, ran.stderr).toBe(0);
      return ran.stdout;
    };
    await ok('clone', '-q', 'xmpp://laptop/notes', one);
    await ok('clone', '-q', '--depth', '1', 'xmpp::laptop/notes', two);
    expect(git(two, 'rev-list', '--count', 'HEAD')).toBe('1');

    const tip = commit({ dir: one, gitDir: one }, { 'c.txt': 'three\n' }, 'third');
    await ok('-C', one, 'push', '-q', 'origin', 'main');
    expect(tipOf(origin, 'main')).toBe(tip);
    expect(fields.at(-1)).toEqual({ peer: 'laptop', repo: 'notes', service: 'git-receive-pack' });
    await ok('-C', two, 'fetch', '-q');
    expect(tipOf({ dir: two, gitDir: two }, 'origin/main')).toBe(tip);
    expect(await ok('ls-remote', 'xmpp::laptop/notes', 'refs/heads/*')).toBe(`${tip}\trefs/heads/main\n`);

    git(one, 'reset', '-q', '--hard', 'HEAD^');
    const stale = await run('git', ['-C', one, 'push', `--force-with-lease=main:${'1'.repeat(40)}`, 'origin', 'main'], { env });
    expect(stale).toMatchObject({ code: 1, stderr: expect.stringContaining('stale info') });
    await ok('-C', one, 'push', '-q', `--force-with-lease=main:${tip}`, 'origin', 'main');
    expect(tipOf(origin, 'main')).toBe(tipOf({ dir: one, gitDir: one }, 'HEAD'));
  });

  it('shows the words of the far git and ends with its exit code', async () => {
    const { env } = await setStage();
    const ran = await runHelper(env, 'connect git-upload-pack\n', 'laptop/gone');
    expect(ran).toMatchObject({ code: 128, stdout: '\n' });
    expect(ran.stderr).toMatch(/^fatal: '\/nowhere' does not appear to be a git repository/);
  });

  it('lets a push that the far side refuses fail with its reason', async () => {
    const { origin, env } = await setStage();
    git(origin.dir, 'config', 'receive.denyNonFastForwards', 'true');
    const dir = join(makeFolder(), 'clone');
    await run('git', ['clone', '-q', 'xmpp::laptop/notes', dir], { env });
    git(dir, 'reset', '-q', '--hard', 'HEAD^');
    const ran = await run('git', ['-C', dir, 'push', '-f', 'origin', 'main'], { env });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('denying non-fast-forward');
  });

  it('tells why the agent opened no stream, and what to do, without control characters', async () => {
    const { env } = await setStage();
    const missing = await runHelper(env, 'connect git-upload-pack\n', 'laptop/other');
    expect(missing).toEqual({
      code: 1,
      stdout: '',
      stderr: 'git-xmpp: [no-such-repo] laptop shares no "other"\n  git xmpp repos laptop\n',
    });
    const home = await openHome({
      'POST /streams': { kind: 'stream', open: () => Promise.reject(new Fault('server', 'a\x1b[2Jb\nc')) },
    });
    expect((await runHelper(shimEnv(shims, home), 'connect git-upload-pack\n')).stderr).toMatch(/^git-xmpp: \[server\] a\?\[2Jb\nc\n {2}\S/);
  });

  it('refuses a wrong URL, a service or command that is not known, and a start by hand', async () => {
    const { env } = await setStage();
    expect(await runHelper(env, 'capabilities\n', '../x')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('name: ".."'),
    });
    expect((await runHelper(env, 'connect git-upload-archive\n')).stderr).toContain('"git-upload-archive" is not served');
    expect((await runHelper(env, 'list for-push\n')).stderr).toContain('"list for-push"');
    expect(await run('git-remote-xmpp', [], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('git clone xmpp::peer/repo'),
    });
    expect(await runHelper(env, '')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('passes the end of input on and still delivers what comes after it, to the byte', async () => {
    const sent = randomBytes(3_000_000);
    const home = await openHome(
      streams((socket) => {
        const parts: Buffer[] = [];
        socket.on('data', (bytes: Buffer) => parts.push(bytes));
        socket.on('end', () => {
          const all = Buffer.concat(parts);
          socket.write(encodeFrame(STDERR, utf8(`got ${all.length}\n`)));
          for (let at = 0; at < all.length; at += 50_000) socket.write(encodeFrame(STDOUT, all.subarray(at, at + 50_000)));
          socket.end(encodeExit(7));
        });
      }),
    );
    const ran = await runHelper(shimEnv(shims, home), Buffer.concat([Buffer.from('connect git-receive-pack\n'), sent]));
    expect(ran).toMatchObject({ code: 7, stderr: 'got 3000000\n' });
    expect(Buffer.from(ran.stdout, 'latin1').equals(Buffer.concat([Buffer.from('\n'), sent]))).toBe(true);
  });

  it('fails when the stream ends without an exit code, though git was told nothing wrong', async () => {
    const home = await openHome(streams((socket) => socket.end(encodeFrame(STDOUT, utf8('0000')))));
    const ran = await runHelper(shimEnv(shims, home), 'connect git-upload-pack\n');
    expect(ran).toMatchObject({
      code: 1,
      stdout: '\n0000',
      stderr: expect.stringContaining('the agent closed the stream before git was done'),
    });
  });

  it('fails when the agent sends what is no frame', async () => {
    const home = await openHome(streams((socket) => socket.end('fatal: hello')));
    const ran = await runHelper(shimEnv(shims, home), 'connect git-upload-pack\n');
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('channel 102 is unknown') });
  });

  it('holds the agent back while git does not read, and goes quietly when git has gone', async () => {
    const state = { sent: 0, isHeldBack: false };
    const home = await openHome(
      streams((socket) => {
        const frame = encodeFrame(STDOUT, new Uint8Array(60_000));
        const fill = (): void => {
          while (socket.write(frame)) state.sent += frame.length;
          state.isHeldBack = true;
        };
        socket.on('drain', fill);
        fill();
      }),
    );
    const child = spawn('git-remote-xmpp', ['origin', 'laptop/notes'], { env: shimEnv(shims, home) });
    let words = '';
    child.stderr.on('data', (bytes: Buffer) => (words += bytes.toString()));
    child.stdin.write('connect git-upload-pack\n');
    await once(child.stdout, 'readable');
    child.stdout.destroy();
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(words).toBe('');
    expect(state.isHeldBack).toBe(true);
    expect(state.sent).toBeLessThan(8_000_000);
  });

  it('refuses to speak with the agent of another home', async () => {
    const home = findHome({ GIT_XMPP_HOME: makeFolder() });
    await openDoor(streams(() => undefined), { socketPath: home.socket, home: '/another/home' });
    const ran = await runHelper(shimEnv(shims, home.dir), 'connect git-upload-pack\n');
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining(`serves /another/home, not ${home.dir}`) });
  });

  it('says so when no agent runs and none can be started', async () => {
    const env = shimEnv(shims, makeFolder());
    const ran = await runHelper(env, 'connect git-upload-pack\n');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(`no agent runs, and none can be started: ${shims.dist}/git-xmpp.cjs is missing`);
  });

  it('starts the agent when none runs, out of reach of git’s own variables, and goes on', async () => {
    const { origin } = await setStage();
    const own = await bundleShims();
    const home = findHome({ GIT_XMPP_HOME: makeFolder() });
    await bundle(['test/fixtures/shim-agent.ts'], own.dist);
    writeFileSync(join(own.dist, 'git-xmpp.cjs'), startScript(home.socket, home.dir, origin.dir));
    const dir = join(makeFolder(), 'clone');
    const ran = await run('git', ['clone', '-q', 'xmpp::laptop/notes', dir], { env: shimEnv(own, home.dir) });
    const record: unknown = JSON.parse(readFileSync(join(own.dist, 'started.json'), 'utf8'));
    started.push(Number(readFileSync(join(own.dist, 'pid'), 'utf8')));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(dir, 'a.txt'))).toBe(true);
    expect(record).toEqual({ args: ['daemon', 'start'], cwd: '/', git: ['GIT_XMPP_HOME'] });
  });

  it('gives the last words of an agent that does not start', async () => {
    const own = await bundleShims();
    writeFileSync(
      join(own.dist, 'git-xmpp.cjs'), "console.error('git-xmpp: no account\\nrun: git xmpp login'); process.exit(2);",
    );
    const ran = await runHelper(shimEnv(own, makeFolder()), 'connect git-upload-pack\n');
    expect(ran.stderr).toMatch(/^git-xmpp: \[agent\] the agent did not start: git-xmpp: no account; run: git xmpp login\n/);
  });
});

/** Stands in for `git xmpp daemon start`: leaves an agent running that holds on to its stderr, and notes how it was called. */
function startScript(socket: string, home: string, dir: string): string {
  const args = JSON.stringify([socket, home, 'notes', dir]);
  return `
    const { spawn } = require('node:child_process');
    const { writeFileSync } = require('node:fs');
    const git = Object.keys(process.env).filter((name) => name.startsWith('GIT_'));
    writeFileSync(__dirname + '/started.json', JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd(), git }));
    const agent = spawn(
      process.execPath, [__dirname + '/shim-agent.cjs', ...${args}], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    writeFileSync(__dirname + '/pid', String(agent.pid));
    agent.stdout.once('data', () => process.exit(0));
  `;
}
