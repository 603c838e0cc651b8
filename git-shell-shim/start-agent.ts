// Starts the agent when git needs it and none runs. Rule: it is started by the command line beside this very file, in a clean
// environment, for git gives its helpers variables and pipes that an agent must not inherit.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ChildProcess } from 'node:child_process';
import { Fault, messageOf } from '../src/lib/errors.ts';
import { realClock, withDeadline, type Clock } from '../src/lib/clock.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** `git xmpp daemon start` returns when the agent answers, so it is given time to sign in to nothing slower than a disk. */
const DEADLINE_MS = 15_000;
const MAX_WORDS = 4096;

/**
 * Runs `git-xmpp daemon start` to its end.
 * @param entry path of the running shim; git-xmpp.cjs lies in the same folder
 * @throws Fault `agent` with the last words of what failed
 */
export async function startAgent(entry: string, env: Env, clock: Clock = realClock): Promise<void> {
  const cli = join(dirname(realpathSync(entry)), 'git-xmpp.cjs');
  if (!existsSync(cli)) {
    throw new Fault('agent', `no agent runs, and none can be started: ${cli} is missing`, { remedy: 'install git-xmpp again' });
  }
  // Loaded here: most runs of a shim find an agent, and need no child process.
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, [cli, 'daemon', 'start'], {
    cwd: '/',
    env: cleanEnv(env),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words = collectWords(child);
  const late = (): Fault => {
    child.kill();
    return didNotStart(`it took more than ${DEADLINE_MS / 1000} s`);
  };
  const code = await withDeadline(exitOf(child), DEADLINE_MS, clock, late);
  child.stderr?.destroy();
  if (code !== 0) throw didNotStart(words() || `exit code ${code}`);
}

/** All of `env` but git's own variables: with GIT_DIR or GIT_INDEX_FILE an agent would work on the wrong repository. */
export function cleanEnv(env: Env): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || name === 'GIT_XMPP_HOME');
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(didNotStart(messageOf(error))));
    // Not 'close': the agent may hold on to the pipe after the command is done.
    child.once('exit', (code) => setImmediate(() => resolve(code ?? 1)));
  });
}

function didNotStart(why: string): Fault {
  return new Fault('agent', `the agent did not start: ${why}`, { remedy: 'see why with: git xmpp daemon run' });
}

function collectWords(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-MAX_WORDS);
  });
  return () => words.trim().replace(/\s*\n\s*/g, '; ');
}
