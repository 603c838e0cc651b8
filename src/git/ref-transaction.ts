// One branch held locked while its work tree is written (git-update-ref(1), "--stdin": start, prepare, commit, abort).
// Rule: prepared means that the branch and HEAD can move for nobody else; whoever prepares commits or aborts.

import { createInterface } from 'node:readline';
import { realClock, withDeadline } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { GitPlace } from './environment.ts';
import { formatUpdate } from './refs.ts';
import type { RefUpdate } from './refs.ts';
import { lastWords, NO_EXIT_CODE } from './run.ts';
import type { GitProcess, StartGit } from './run.ts';

const DEADLINE_MS = 30_000;

/** A locked ref. */
export interface PreparedUpdate {
  /** Moves the ref. @throws Fault `git` */
  commit(): Promise<void>;
  /** Lets go of the ref; nothing has changed. Does nothing after either. */
  abort(): Promise<void>;
}

/** A process that waits for what to prepare: it holds nothing until then. */
export interface UpdateProcess {
  /** Locks a ref at the value that was seen, ready to move it; undefined when it has moved or is locked. */
  prepare(asked: RefUpdate): Promise<PreparedUpdate | undefined>;
  /** Whether a signal ended it, once it was used: then nobody removes the locks that it had taken. Waits for its end. */
  wasKilled(): Promise<boolean>;
  /** Ends it, if it was not used. */
  end(): void;
}

/** Starts `git update-ref` ahead of its use. @param message for the reflog */
export function startUpdate(startGit: StartGit, place: GitPlace, message: string): UpdateProcess {
  const process = startGit(['update-ref', '-m', message, '-z', '--stdin'], {
    ...place,
    config: { 'core.hooksPath': '/dev/null' },
  });
  let isUsed = false;
  return {
    prepare(asked) {
      isUsed = true;
      return prepare(process, asked);
    },
    async wasKilled() {
      return isUsed && (await process.exit) === NO_EXIT_CODE;
    },
    end() {
      if (!isUsed) process.stdin.end();
    },
  };
}

async function prepare(process: GitProcess, asked: RefUpdate): Promise<PreparedUpdate | undefined> {
  process.stdin.write(`start\0${formatUpdate(asked)}prepare\0`);
  if (!(await isPrepared(process))) {
    const words = process.stderrTail();
    if (/cannot lock ref/.test(words)) return undefined;
    throw new Fault('git', `git update-ref: ${lastWords(words)}`);
  }
  let hasEnded = false;
  const end = async (command: string): Promise<number> => {
    hasEnded = true;
    process.stdin.end(`${command}\0`);
    return inTime(process, process.exit);
  };
  return {
    async commit() {
      if ((await end('commit')) !== 0) throw new Fault('git', `git update-ref: ${lastWords(process.stderrTail())}`);
    },
    async abort() {
      if (!hasEnded) await end('abort');
    },
  };
}

/** Whether `prepare: ok` came; false when the process ended before. */
async function isPrepared(process: GitProcess): Promise<boolean> {
  const lines = createInterface({ input: process.stdout });
  const prepared = new Promise<boolean>((resolve) => {
    lines.on('line', (line) => {
      if (line === 'prepare: ok') resolve(true);
    });
    process.exit.then(
      () => resolve(false),
      () => resolve(false),
    );
  });
  return inTime(process, prepared);
}

async function inTime<T>(process: GitProcess, work: Promise<T>): Promise<T> {
  return withDeadline(work, DEADLINE_MS, realClock, () => {
    process.kill();
    return new Fault('timeout', 'git update-ref did not answer');
  });
}
