// `git xmpp remotedaemon` without --foreground: in the background, on named pipes in the repository (docs/decisions/0041-remotedaemon-on-two-pipes.md).
// Rule: one at a time for a repository; it ends by STOP, or with its pipes, and leaves none behind.

import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nap, realClock } from '../lib/clock.ts';
import { Fault, parseFaultLines } from '../lib/errors.ts';
import { DaemonPipes, pipePlaces } from '../control/daemon-pipes.ts';
import { LineReader } from '../control/remotedaemon-format.ts';
import { acquireLock } from '../home/lock.ts';
import type { Lock } from '../home/lock.ts';
import type { Door, World } from './door.ts';
import { print, say } from './out.ts';
import { Driver } from './remotedaemon.ts';

const READY = 'ready ';
/** What was said last is given so long to be read. */
const LAST_WORDS_MS = 200;

/** Starts it, and says where its pipes are once they are there. */
export async function runInBackground(door: Door, world: World, remotes: readonly string[]): Promise<void> {
  if (!(await door.isRunning())) await door.start();
  const chosen = remotes.length === 0 ? [] : ['--remote', ...remotes];
  const child = spawn(process.execPath, [join(world.distDir, 'git-xmpp.cjs'), 'remotedaemon-pipes', ...chosen], {
    detached: true,
    cwd: world.cwd,
    env: { ...world.env, GIT_XMPP_HOME: door.home.dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()));
  const gitDir = await new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', (part: Buffer) => {
      said.out += part.toString();
      if (said.out.endsWith('\n')) resolve(said.out.trim().slice(READY.length));
    });
    child.once('close', () => resolve(undefined)).once('error', () => resolve(undefined));
  });
  if (gitDir === undefined) {
    const fault = parseFaultLines(said.err);
    throw fault === undefined ? new Fault('internal', 'remotedaemon could not be started') : new Fault(fault.code, fault.message, fault);
  }
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  const { control, events } = pipePlaces(gitDir);
  print(control);
  print(events);
  say('write PAUSE, LOSTNET, RESUME, CHANGED <ref>, RELOAD or STOP to the first, and read from the second');
}

/** What runs behind the pipes, until STOP. */
export async function runOnPipes(door: Door, path: string, remotes: readonly string[]): Promise<void> {
  const reader = new LineReader();
  let pipes: DaemonPipes | undefined;
  let lock: Lock | undefined;
  const driver: Driver = new Driver({
    door,
    path,
    remotes,
    say: (line) => {
      pipes?.say(line);
      return undefined;
    },
    reading: () => pipes?.input,
    onBegin: async ({ gitDir }) => {
      if (pipes !== undefined) return;
      const made = new DaemonPipes({
        gitDir,
        clock: realClock,
        onData: (bytes) => driver.lines(reader.receive(bytes)),
        standing: () => driver.standing,
        onGone: () => driver.eof(),
      });
      lock = await acquirePipes(gitDir);
      await made.start();
      pipes = made;
      print(`${READY}${gitDir}`);
    },
  });
  try {
    await driver.run();
    await nap(LAST_WORDS_MS);
  } finally {
    await pipes?.stop();
    await lock?.release();
  }
}

/** @throws Fault `already-running` with the pipes that there are */
async function acquirePipes(gitDir: string): Promise<Lock> {
  const { control, events } = pipePlaces(gitDir);
  const folder = join(gitDir, 'xmpp');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return acquireLock(join(folder, 'lock')).catch((error: unknown) => {
    if (!(error instanceof Fault) || error.code !== 'already-running') throw error;
    throw new Fault('already-running', `a remotedaemon runs for this repository already, on ${control} and ${events}`, { remedy: `to end it: echo STOP > '${control}'`, cause: error });
  });
}
