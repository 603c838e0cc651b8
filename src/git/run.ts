// The one place that starts git (docs/ARCHITECTURE.md), through execa.
// Rule: a run that fails says so in git's own last words; a stream never loses a byte that nobody has asked for yet.

import { Duplex, PassThrough } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { delay, realClock } from '../lib/clock.ts';
import { codeOf, Fault, messageOf } from '../lib/errors.ts';
import type { GitRunOptions, RunGit } from '../lib/git-run.ts';
import { redact } from '../lib/log.ts';
import { clean } from '../lib/steering.ts';
import { Turns } from '../lib/turns.ts';
import { cleanEnvironment, fullArgs } from './environment.ts';
import type { GitConfig } from './environment.ts';
import { Session } from './process-session.ts';

const DEADLINE_MS = 60_000;
const MAX_BYTES = 64 << 20;
const TAIL_BYTES = 4096;
/** A child of git that outlives it may hold its stderr open; its last words are waited for this long. */
const LAST_WORDS_MS = 1000;
/** What a shell would say of a process that was killed or never started. */
export const NO_EXIT_CODE = 255;
const HANG_UP_MS = 5000;
/** Short runs at once: more than cores can do only keeps the agent from hearing its peers meanwhile. */
const AT_ONCE = 8;
/** Several reads of a pipe: with less each of them would stop the next. */
const COPY_BYTES = 256 * 1024;

/** A git process whose streams the caller owns. */
export interface GitProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** The last 4 KiB of stderr so far. */
  stderrTail(): string;
  /** Descriptors 3, 4, … when asked for; paused until they are piped or resumed. */
  readonly extra: readonly Duplex[];
  /** Exit code; 255 when killed or never started. Never rejects. Does not wait for stdout to be read. */
  readonly exit: Promise<number>;
  /** SIGTERM, then SIGKILL after five seconds. */
  kill(): void;
  /**
   * Ends its input where it stands, as a lost ssh connection does, and kills it only if it goes on. For `receive-pack`: killed it would
   * leave its quarantine behind (tmp-objdir.c), while a pack that breaks off makes it take that away and change nothing.
   */
  hangUp(): void;
}

export interface StartGitOptions {
  readonly dir?: string;
  readonly config?: GitConfig;
  readonly env?: Readonly<Record<string, string>>;
  /** How many descriptors after stderr, each a two-way pipe. */
  readonly extraFds?: number;
  /** Kills the process when aborted. */
  readonly signal?: AbortSignal;
  /** Processor time that it, and each process that it starts, may use (setrlimit(2), RLIMIT_CPU); where there is no `sh` there is no limit. */
  readonly cpuSeconds?: number;
}

export type StartGit = (args: readonly string[], options?: StartGitOptions) => GitProcess;

/** A function that runs git to its end. @param env the agent's own environment, of which an allow-list is passed on */
export function createRunGit(env: Readonly<Record<string, string | undefined>>): RunGit {
  const base = cleanEnvironment(env);
  const turns = new Turns(AT_ONCE);
  const run: RunGit = async (args, options = {}) => {
    const deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    const child = unlessFull(() =>
      execa('git', fullArgs(args, options), {
        cwd: '/',
        env: { ...base, ...options.env },
        extendEnv: false,
        reject: false,
        stripFinalNewline: false,
        ...(options.session === undefined ? { timeout: deadlineMs } : { detached: true }),
        maxBuffer: options.maxBytes ?? MAX_BYTES,
        input: options.input ?? '',
      }),
    );
    const session = options.session === undefined ? undefined : new Session(child, options.session, deadlineMs);
    const result = await child.finally(() => session?.close());
    const { stdout, stderr, exitCode, isMaxBuffer } = result;
    const timedOut = result.timedOut || session?.isLate === true;
    const hasEnded = exitCode !== undefined && !timedOut && !isMaxBuffer;
    if (hasEnded && (options.okCodes ?? [0]).includes(exitCode)) return { stdout, stderr, exitCode };
    throw faultOf(args, options, { stderr, exitCode, timedOut, isMaxBuffer, systemCode: codeOf(result) });
  };
  // What may ask the agent itself (a hub that another device's agent serves), or wait for the network, waits for nobody and keeps nobody waiting.
  return (args, options) => (options?.session === undefined ? turns.run(() => run(args, options)) : run(args, options));
}

/** Where no descriptor is left for its pipes, node:child_process hands out a child without any, which the library does not expect. @throws Fault `too-many-files` */
function unlessFull<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof TypeError && error.message.includes('stdio'))) throw error;
    throw new Fault('too-many-files', 'git could not be started: too many files are open', { cause: error });
  }
}

interface Failure {
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly isMaxBuffer: boolean;
  readonly exitCode?: number | undefined;
  readonly systemCode: string | undefined;
}

function faultOf(args: readonly string[], options: GitRunOptions, failure: Failure): Fault {
  const name = `git ${args.find((arg) => !arg.startsWith('-')) ?? ''}`.trim();
  if (failure.timedOut) return new Fault('timeout', `${name} did not end within ${options.deadlineMs ?? DEADLINE_MS} ms`);
  if (failure.isMaxBuffer) return new Fault('too-large', `${name} answered more than ${options.maxBytes ?? MAX_BYTES} bytes`);
  if (failure.systemCode === 'ENOENT') return new Fault('git', 'git was not found', { remedy: 'install git 2.38 or newer' });
  const words = lastWords(failure.stderr);
  if (failure.systemCode === 'EMFILE' || failure.systemCode === 'ENFILE' || /Too many open files/.test(failure.stderr)) {
    return new Fault('too-many-files', `${name}: ${words === '' ? 'it could not be started: too many files are open' : words}`);
  }
  if (/No space left on device|Out of diskspace|Disk quota exceeded/.test(failure.stderr)) {
    return new Fault('disk-full', `${name}: ${words}`, { remedy: 'free some space, then try again' });
  }
  return new Fault(
    'git',
    words === '' ? `${name} failed (${failure.systemCode ?? `exit ${failure.exitCode ?? 'by a signal'}`})` : `${name}: ${words}`,
  );
}

/** The last lines of what git said, short enough for one error. */
export function lastWords(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return clean(redact(lines.slice(-3).join('; '))).slice(-400);
}

/** A function that starts git and hands out its streams. @param env as for `createRunGit` */
export function createStartGit(env: Readonly<Record<string, string | undefined>>): StartGit {
  const base = cleanEnvironment(env);
  return (args, options = {}) => {
    const [command, words] = withinTime(fullArgs(args, options), options.cpuSeconds);
    const child = unlessFull(() =>
      execa(command, words, {
        cwd: '/',
        env: { ...base, ...options.env },
        extendEnv: false,
        reject: false,
        buffer: false,
        stdio: ['pipe', 'pipe', 'pipe', ...Array.from({ length: options.extraFds ?? 0 }, () => 'pipe' as const)],
        ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
      }),
    );
    const extra = child.stdio.slice(3).filter((stream): stream is Duplex => stream instanceof Duplex);
    for (const stream of extra) stream.pause();
    ignoreErrors(child.stdin, ...extra);
    const tail = collectTail(child.stderr);
    const ended = new Promise<number>((resolve) => {
      child.once('exit', (code) => resolve(code ?? NO_EXIT_CODE));
      child.then(
        (result) => resolve(result.exitCode ?? NO_EXIT_CODE),
        (error: unknown) => {
          tail.add(Buffer.from(messageOf(error)));
          resolve(NO_EXIT_CODE);
        },
      );
    });
    const exit = ended.then(async (code) => {
      await Promise.race([tail.ended, delay(LAST_WORDS_MS, realClock)]);
      for (const stream of extra) drainUnread(stream);
      return code;
    });
    const stdout = ownedCopy(child.stdout);
    return {
      stdin: child.stdin,
      stdout,
      stderrTail: () => tail.text(),
      extra,
      exit,
      kill: () => void child.kill(),
      hangUp: () => hangUp(child, stdout, ended),
    };
  };
}

/** git with `args`; a shell sets the limit, for Node cannot, and is git from then on. */
function withinTime(args: readonly string[], cpuSeconds: number | undefined): [string, readonly string[]] {
  if (cpuSeconds === undefined || process.platform === 'win32') return ['git', args];
  return ['sh', ['-c', 'ulimit -t "$0" 2>/dev/null; exec git "$@"', String(cpuSeconds), ...args]];
}

/** Input ends, output is let go; what does not end by that is killed. */
function hangUp(child: { readonly stdin: Writable; kill(): boolean }, stdout: Readable, ended: Promise<unknown>): void {
  child.stdin.destroy();
  stdout.unpipe();
  stdout.resume();
  const patience = realClock.setTimer(HANG_UP_MS, () => child.kill());
  void ended.then(() => patience.cancel());
}

/** A process that ended breaks its pipes: its exit code is the news, not EPIPE. */
function ignoreErrors(...streams: (Readable | Writable)[]): void {
  for (const stream of streams) stream.on('error', () => undefined);
}

/** execa reads away what nobody reads at once, so the caller gets a stream of his own. */
function ownedCopy(stdout: Readable): Readable {
  const copy = new PassThrough({ highWaterMark: COPY_BYTES });
  ignoreErrors(copy, stdout);
  stdout.pipe(copy);
  stdout.once('close', () => copy.end());
  copy.once('close', () => stdout.destroy());
  return copy;
}

/** A descriptor that nobody reads is read to its end, or it would never be closed. */
function drainUnread(stream: Duplex): void {
  if (stream.listenerCount('data') === 0 && stream.listenerCount('readable') === 0) stream.resume();
}

function collectTail(stderr: Readable): { text(): string; add(chunk: Buffer): void; readonly ended: Promise<void> } {
  let kept = Buffer.alloc(0);
  const add = (chunk: Buffer): void => {
    kept = Buffer.concat([kept, chunk]).subarray(-TAIL_BYTES);
  };
  stderr.on('data', add);
  ignoreErrors(stderr);
  const ended = new Promise<void>((resolve) => {
    stderr.once('close', resolve);
  });
  return { text: () => kept.toString('utf8'), add, ended };
}
