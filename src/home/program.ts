// A program of the user's own, run by the shell as git runs an alias that begins with "!" (git-config(1), "alias.*"). Rule: it gets what its user would
// give it and nothing of a peer but variables; it ends in time, with all its children, and its output is read away, however much it is.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';

export interface ProgramOptions {
  /** For `sh -c`. */
  readonly command: string;
  readonly cwd: string;
  /** All of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Each line of its output, at most 16 KiB of it in all. */
  readonly onLine: (line: string) => void;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export type ProgramEnd = { readonly code: number } | { readonly why: 'timeout' | 'stopped' } | { readonly failed: string };

const IS_WINDOWS = process.platform === 'win32';
/** Git for Windows brings one, and puts it on the search path of what it starts (untried). */
const SHELL = IS_WINDOWS ? 'sh' : '/bin/sh';
const MAX_OUTPUT_BYTES = 16 << 10;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;
/** From its end to that of its output. */
const LAST_WORDS_MS = 500;
/** What a shell would say of a program that a signal ended. */
const KILLED = 255;

/** Runs a program to its end. @throws what the system says of variables that it cannot take */
export async function runProgram(options: ProgramOptions): Promise<ProgramEnd> {
  const { command, cwd, env, timeoutMs, clock, signal } = options;
  if (signal.aborted) return { why: 'stopped' };
  // A group of its own, so that its children can be ended with it.
  const child = spawn(SHELL, ['-c', command], { cwd, env: { ...env }, detached: !IS_WINDOWS, windowsHide: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = new Lines(options.onLine);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => lines.add(part)).on('error', () => undefined);
  let why: 'timeout' | 'stopped' | undefined;
  const timers: Timer[] = [];
  const end = (reason: 'timeout' | 'stopped'): void => {
    if (why !== undefined) return;
    why = reason;
    killGroup(child, 'SIGTERM');
    timers.push(clock.setTimer(GRACE_MS, () => killGroup(child, 'SIGKILL')));
  };
  const onAbort = (): void => end('stopped');
  signal.addEventListener('abort', onAbort);
  timers.push(clock.setTimer(timeoutMs, () => end('timeout')));
  const how = await new Promise<ProgramEnd>((resolve) => {
    child.once('error', (error) => resolve({ failed: messageOf(error) }));
    child.once('close', (code) => resolve({ code: code ?? KILLED }));
    // A child that it leaves behind may hold its output open.
    child.once('exit', (code) => timers.push(clock.setTimer(LAST_WORDS_MS, () => resolve({ code: code ?? KILLED }))));
  });
  // What it started and left behind is its user's affair, unless it had to be ended itself.
  if (why !== undefined) killGroup(child, 'SIGKILL');
  for (const timer of timers) timer.cancel();
  signal.removeEventListener('abort', onAbort);
  lines.end();
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  return why === undefined ? how : { why };
}

function killGroup({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  // Windows has no groups to be signalled; this ends a process with its children, and cannot ask first.
  if (IS_WINDOWS) return void spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore', windowsHide: true }).on('error', () => undefined);
  try {
    process.kill(-pid, name);
  } catch {
    // All of it has ended.
  }
}

/** Cuts output into lines, up to a limit; the rest is let go. */
class Lines {
  readonly #onLine: (line: string) => void;
  #rest = '';
  #left = MAX_OUTPUT_BYTES;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(part: Buffer): void {
    if (this.#left <= 0) return;
    this.#rest += part.subarray(0, this.#left).toString('utf8');
    this.#left -= part.length;
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#onLine(line);
    if (this.#left <= 0) this.end('… (more is not shown)');
  }

  end(last = ''): void {
    for (const line of [this.#rest, last]) if (line.trim() !== '') this.#onLine(line);
    this.#rest = '';
  }
}
