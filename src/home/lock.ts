// One agent per home: a file that names the process holding it. Follows link(2): of any number who link one name, one succeeds.
// Rule: the lock of a live process is never taken, that of a dead one always is, and of any number who try exactly one gets it.

import { readFile, rm } from 'node:fs/promises';
import { asFault, codeOf, Fault, InputFault } from '../lib/errors.ts';
import { Fields } from './fields-format.ts';
import { createPrivateFile, replacePrivateFile } from './private-file.ts';
import { readProcessStart } from '../lib/process-start.ts';
import { StateFile } from './state.ts';

export interface Lock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** When that process began; tells it from a later one with its pid. */
  readonly started: string;
}

const MAX_TRIES = 10;
/** A crash in the few milliseconds of a takeover leaves its lock stale too, and that one is taken over in turn. */
const MAX_DEPTH = 3;

/**
 * Holds the lock at `path` until released, or until this process ends.
 * @throws Fault `already-running` naming the process that has it; `bad-config` when the file is not one of ours
 */
export async function acquireLock(path: string): Promise<Lock> {
  const started = await readProcessStart(process.pid);
  if (started === undefined) throw new Fault('internal', 'this process cannot see when it began');
  return acquire(path, { pid: process.pid, started }, MAX_DEPTH);
}

async function acquire(path: string, self: Holder, depth: number): Promise<Lock> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    if (await createPrivateFile(path, formatHolder(self))) return new FileLock(path, self);
    const holder = await readHolder(path);
    // Released between the two: try again.
    if (holder === undefined) continue;
    if (await isAlive(holder)) throw runningFault(holder);
    if (depth === 0) break;
    if (await takeOver(path, self, depth)) return new FileLock(path, self);
  }
  throw new Fault('already-running', `the lock ${path} cannot be had`, { remedy: `if no agent runs, remove ${path}` });
}

/** Only one at a time may replace a stale lock: else the second would replace the first one's fresh lock. */
async function takeOver(path: string, self: Holder, depth: number): Promise<boolean> {
  const turn = await acquire(`${path}.takeover`, self, depth - 1);
  try {
    const holder = await readHolder(path);
    if (holder === undefined || (await isAlive(holder))) return false;
    await replacePrivateFile(path, formatHolder(self));
    return true;
  } finally {
    await turn.release();
  }
}

class FileLock implements Lock {
  readonly #path: string;
  readonly #self: Holder;
  #isReleased = false;

  constructor(path: string, self: Holder) {
    this.#path = path;
    this.#self = self;
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    try {
      // One that a person removed may be another's by now.
      if ((await readFile(this.#path, 'utf8')) === formatHolder(this.#self)) await rm(this.#path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw asFault(error, `releasing ${this.#path}`);
    }
  }
}

/** Undefined when there is no such file. */
function readHolder(path: string): Promise<Holder | undefined> {
  return new StateFile<Holder | undefined>(path, parseHolder, () => undefined).read();
}

function parseHolder(value: unknown): Holder {
  const fields = new Fields(value, 'lock');
  const holder = { pid: fields.count('pid'), started: fields.text('started', (text) => text) };
  fields.end();
  if (holder.pid < 1) throw new InputFault('lock.pid', 'is no process');
  return holder;
}

async function isAlive(holder: Holder): Promise<boolean> {
  return (await readProcessStart(holder.pid)) === holder.started;
}

function runningFault({ pid }: Holder): Fault {
  return new Fault('already-running', `an agent of this home is already running (process ${pid})`, {
    remedy: 'git xmpp daemon stop',
  });
}

function formatHolder({ pid, started }: Holder): string {
  return `${JSON.stringify({ pid, started })}\n`;
}
