// Servers that a test runs as child processes. Rule: each is ended by its own pid, at the latest when this process ends.

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Running {
  readonly pid: number;
  /** The last 64 KiB it wrote on stdout and stderr. */
  output(): string;
  /** Resolves with the exit code, or undefined when a signal ended it; never rejects. */
  readonly ended: Promise<number | undefined>;
  /** Asks it to end, and ends it after `patienceMs` (default 3 000 ms). */
  stop(options?: { readonly patienceMs?: number }): Promise<void>;
}

export interface StartOptions {
  /** What errors call it. */
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Looks at all that was written so far; a server is up when it says so. @throws when it can never become ready */
  isReady(output: string): boolean;
  /** Default 15 000 ms. */
  readonly deadlineMs?: number;
}

const KEPT_OUTPUT = 64 * 1024;
const children = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a process and resolves when it is ready. @throws with its last lines when it ends, or is not ready in time */
export function startProcess(command: string, args: readonly string[], options: StartOptions): Promise<Running> {
  const { name, deadlineMs = 15_000 } = options;
  const child = spawn(command, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let output = '';
  const ended = new Promise<number | undefined>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      children.delete(child);
      resolve(undefined);
    });
    child.once('close', (code) => {
      children.delete(child);
      resolve(code ?? undefined);
    });
  });
  const stop = (stopOptions: { readonly patienceMs?: number } = {}): Promise<void> => stopChild(child, ended, stopOptions.patienceMs ?? 3_000);
  const running: Running = { pid: child.pid ?? -1, output: () => output, ended, stop };

  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      stop().then(() => reject(new Error(`${name} ${why}; its last lines:\n${lastLines(output)}`)), reject);
    };
    const timer = setTimeout(() => fail(`was not ready within ${deadlineMs} ms`), deadlineMs);
    let isSettled = false;
    const listen = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-KEPT_OUTPUT);
      if (isSettled) return;
      try {
        if (!options.isReady(output)) return;
        isSettled = true;
        clearTimeout(timer);
        resolve(running);
      } catch (error) {
        isSettled = true;
        fail(error instanceof Error ? error.message : String(error));
      }
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    void ended.then((code) => {
      if (!isSettled) fail(`ended with ${code ?? 'a signal or no start'} before it was ready`);
    });
  });
}

async function stopChild(child: ChildProcess, ended: Promise<unknown>, patienceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  await ended;
  clearTimeout(timer);
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-20).join('\n');
}

/** Other processes whose command, environment or current folder names `text`, such as a test's own folder: pid and command. */
export function findProcesses(text: string): { readonly pid: number; readonly command: string }[] {
  const all = existsSync('/proc/self/environ') ? listByProc() : listByPs();
  return all.filter(({ pid, about }) => pid !== process.pid && about.includes(text)).map(({ pid, about }) => ({ pid, command: about.slice(0, 200) }));
}

/** All processes that `pid` started, and those that they started. */
export function descendantsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['ax', '-o', 'pid=,ppid='], { encoding: 'utf8' }).split('\n');
  const parents = new Map(lines.map((line) => line.trim().split(/\s+/).map(Number)).map(([child = 0, parent = 0]) => [child, parent]));
  const below = (top: number): number[] => [...parents].filter(([, parent]) => parent === top).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

function listByProc(): { readonly pid: number; readonly about: string }[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids.map((pid) => {
    try {
      const [command = '', env = ''] = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8').replaceAll('\0', ' '));
      return { pid, about: `${command}\n${env}\n${readlinkSync(`/proc/${pid}/cwd`)}` };
    } catch {
      // Ended meanwhile, or somebody else's.
      return { pid, about: '' };
    }
  });
}

function listByPs(): { readonly pid: number; readonly about: string }[] {
  const lines = execFileSync('ps', ['axeww', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).split('\n');
  return lines.map((line) => ({ pid: Number.parseInt(line, 10), about: line.trim() }));
}

/** Resolves when none of these processes runs any more; one that has ended and is not waited for counts as ended. */
export async function allEnded(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise(setImmediate);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
}
