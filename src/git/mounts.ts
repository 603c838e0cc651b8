// Watching the mount table: `findmnt --poll` of util-linux (findmnt(8)), which the kernel wakes; on macOS, where it is untried, the folder that disks
// are mounted in. Rule: it never touches a path that may be dead; that something changed is a hint, and what changed is for the caller to look at.

import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { realClock } from '../lib/clock.ts';
import type { Timer } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';

/** One that an agent left behind in a crash ends by itself after this long, in milliseconds. */
const LIFE_MS = 60 * 60_000;
/** It does not begin again sooner than this after it ended. */
const REST_MS = 10_000;
/** Codes of a program that is not there, or is nobody's to run here. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'ENOTDIR']);

export interface MountWatchOptions {
  /** What watches; another in specs. */
  readonly command?: string;
  /** Watched instead of running a command; default /Volumes on macOS. */
  readonly folder?: string | undefined;
  /** Told once, in words, where mounts cannot be watched. */
  readonly onProblem: (words: string) => void;
}

/** Runs one process while anybody listens. */
export class MountWatch {
  readonly #options: MountWatchOptions;
  readonly #listeners = new Set<() => void>();
  readonly #folder: string | undefined;
  #process: ChildProcess | undefined;
  #watcher: FSWatcher | undefined;
  #again: Timer | undefined;
  #isTold = false;

  constructor(options: MountWatchOptions) {
    this.#options = options;
    this.#folder = options.folder ?? (process.platform === 'darwin' ? '/Volumes' : undefined);
  }

  /** Calls `listener` soon after something was mounted or unmounted. @returns what stops it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#process === undefined && this.#watcher === undefined && this.#again === undefined) this.#start();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#listeners.clear();
    this.#again?.cancel();
    this.#again = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
    const process = this.#process;
    this.#process = undefined;
    process?.kill();
  }

  #start(): void {
    if (this.#folder !== undefined) return this.#watchFolder(this.#folder);
    const args = ['--poll', '--noheadings', '--raw', '--output', 'ACTION', '--timeout', String(LIFE_MS)];
    const process = this.#spawn(args);
    if (process === undefined) return this.#rest();
    this.#process = process;
    process.stdout?.on('data', () => this.#tell());
    process.once('error', (error) => {
      if (MISSING.has(codeOf(error) ?? '')) this.#fail();
      // Want of descriptors or processes passes.
      else if (this.#process === process) this.#rest();
    });
    process.once('close', () => {
      if (this.#process === process) this.#rest();
    });
  }

  /** Some of what keeps a process from starting is thrown, some is told by its `error` (node:child_process); undefined where it was thrown. */
  #spawn(args: readonly string[]): ChildProcess | undefined {
    try {
      return spawn(this.#options.command ?? 'findmnt', args, { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      return undefined;
    }
  }

  #watchFolder(folder: string): void {
    try {
      this.#watcher = watch(folder, { persistent: false }, () => this.#tell()).on('error', () => this.#fail());
    } catch (error) {
      if (MISSING.has(codeOf(error) ?? '')) this.#fail();
      else this.#rest();
    }
  }

  /** What happened between two of them is not known, so it counts as a change. */
  #rest(): void {
    this.#process = undefined;
    this.#again = realClock.setTimer(REST_MS, () => {
      this.#again = undefined;
      this.#start();
      this.#tell();
    });
  }

  #fail(): void {
    this.#process = undefined;
    if (this.#isTold) return;
    this.#isTold = true;
    const what = this.#folder === undefined ? 'findmnt (util-linux) was not found' : `${this.#folder} cannot be watched`;
    this.#options.onProblem(`${what}: a disk is noticed at the next sign-in, commit or "git xmpp sync", not when it is mounted`);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
