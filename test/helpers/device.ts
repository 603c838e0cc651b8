// One device in a test: its own home, its own git configuration, the built executables, and real commands in real processes.
// Rule: nothing of the machine's user leaks in, and nothing stays behind: the agent is stopped, the folder removed.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import type { AgentEvent } from '../../src/agent/events.ts';
import { ControlClient } from '../../src/control/client.ts';
import { findHome } from '../../src/home/paths.ts';
import { readProcessStart } from '../../src/lib/process-start.ts';
import { pastConfigLock } from '../../src/lib/config-lock.ts';
import { findProcesses } from './processes.ts';
import type { XmppServer } from './xmpp-server.ts';

const DIST = path.join(import.meta.dirname, '../../dist');

/** A little longer than an agent takes at most. */
const STOP_DEADLINE_MS = 7_000;

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that goes on: its output so far, and waiting for a line of it. */
export interface Ongoing {
  readonly child: ChildProcess;
  /** The first line of stdout or stderr that matches. */
  line(pattern: RegExp): Promise<string>;
  readonly ended: Promise<Ended>;
}

/** A machine of somebody's, as far as git-xmpp can tell. */
export class Device {
  readonly name: string;
  readonly dir: string;
  readonly home: string;
  readonly env: Record<string, string>;
  readonly #ongoing = new Set<Ongoing>();

  constructor(name: string, env: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.dir = mkdtempSync(path.join(os.tmpdir(), `git-xmpp-${name}-`));
    this.home = path.join(this.dir, 'xmpp');
    this.env = {
      PATH: `${path.join(DIST, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: this.dir,
      XDG_CONFIG_HOME: path.join(this.dir, '.config'),
      XDG_RUNTIME_DIR: this.dir,
      GIT_XMPP_HOME: this.home,
      GIT_CONFIG_NOSYSTEM: '1',
      LC_ALL: 'C.UTF-8',
      ...env,
    };
  }

  /** Makes the git configuration of its person. */
  async prepare(): Promise<this> {
    await mkdir(this.dir, { recursive: true });
    const config = `[user]\n\tname = ${this.name}\n\temail = ${this.name}@example.org\n[init]\n\tdefaultBranch = main\n[advice]\n\tdetachedHead = false\n`;
    await writeFile(path.join(this.dir, '.gitconfig'), config);
    return this;
  }

  path(...parts: string[]): string {
    return path.join(this.dir, ...parts);
  }

  /** Starts a command. */
  start(command: string, args: readonly string[], options: { readonly cwd?: string; readonly input?: string; readonly env?: Record<string, string> } = {}): Ongoing {
    const child = spawn(command, args, { cwd: options.cwd ?? this.dir, env: { ...this.env, ...options.env }, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    let stdout = '';
    let stderr = '';
    const waiting = new Set<() => void>();
    const wake = (): void => [...waiting].forEach((each) => each());
    child.stdout.on('data', (part: Buffer) => ((stdout += part.toString()), wake()));
    child.stderr.on('data', (part: Buffer) => ((stderr += part.toString()), wake()));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    const ended = once(child, 'close').then(([code]) => ({ code: typeof code === 'number' ? code : 255, stdout, stderr }));
    const line = (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = `${stdout}\n${stderr}`.split(/[\r\n]/).find((each) => pattern.test(each));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then((end) => reject(new Error(`ended with ${end.code} before ${pattern}: ${end.stdout}${end.stderr}`)));
      });
    const ongoing = { child, line, ended };
    this.#ongoing.add(ongoing);
    void ended.finally(() => this.#ongoing.delete(ongoing)).catch(() => undefined);
    return ongoing;
  }

  run(command: string, args: readonly string[], options: Parameters<Device['start']>[2] = {}): Promise<Ended> {
    return this.start(command, args, options).ended;
  }

  /** Runs a git command that has to succeed; `git config` waits for an agent that is writing the same file, as a person would. */
  async git(cwd: string, ...args: string[]): Promise<string> {
    const attempt = async (): Promise<Ended & { readonly exitCode: number }> => {
      const ended = await this.run('git', args, { cwd });
      return { ...ended, exitCode: ended.code };
    };
    const { code, stdout, stderr } = await (args[0] === 'config' ? pastConfigLock(attempt) : attempt());
    if (code !== 0) throw new Error(`${this.name}: git ${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.trim();
  }

  /** Runs a command of `git xmpp` that has to succeed. @returns stdout and stderr */
  async xmpp(...args: string[]): Promise<Ended> {
    const end = await this.run('git-xmpp', args);
    if (end.code !== 0) throw new Error(`${this.name}: git xmpp ${args.join(' ')} ended with ${end.code}: ${end.stderr}`);
    return end;
  }

  /** Runs `git xmpp` in a folder. */
  xmppIn(cwd: string, ...args: string[]): Promise<Ended> {
    return this.run('git-xmpp', args, { cwd });
  }

  /** @param at where the server is to be reached, when not directly: a proxy before it */
  async login(server: XmppServer, account: string, password: string, at: { readonly host: string; readonly port: number } = server): Promise<Ended> {
    const args = ['login', `${account}@${server.domain}`, '--server', `${at.host}:${at.port}`, '--ca', server.caFile, '--device', this.name, '--password-stdin'];
    const end = await this.run('git-xmpp', args, { input: `${password}\n` });
    if (end.code !== 0) throw new Error(`${this.name}: login ended with ${end.code}: ${end.stderr}`);
    return end;
  }

  get client(): ControlClient {
    const { socket, dir } = findHome(this.env);
    return new ControlClient({ socketPath: socket, home: dir });
  }

  async status(): Promise<StatusAnswer> {
    return (await this.client.request('GET', '/status')) as StatusAnswer;
  }

  /** Waits until the agent's status is as wanted; it is asked again and again. */
  async statusWhen(isIt: (status: StatusAnswer) => boolean, deadlineMs = 30_000): Promise<StatusAnswer> {
    const until = Date.now() + deadlineMs;
    for (;;) {
      const status = await this.status();
      if (isIt(status)) return status;
      if (Date.now() > until) throw new Error(`${this.name}: the status did not become so: ${JSON.stringify(status, null, 1)}\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** Waits until all that is shared with `peer` is in sync. */
  inSync(peer: string, deadlineMs?: number): Promise<StatusAnswer> {
    const isSo = ({ repos }: StatusAnswer): boolean => {
      const states = repos.flatMap(({ peers }) => peers.filter((each) => each.peer === peer).map(({ state }) => state));
      return states.length > 0 && states.every((state) => state === 'in sync');
    };
    return this.statusWhen(isSo, deadlineMs);
  }

  /** Waits for an event of the agent, also one that came lately. */
  async event(isIt: (event: AgentEvent) => boolean, deadlineMs = 30_000): Promise<AgentEvent> {
    const giveUp = AbortSignal.timeout(deadlineMs);
    for await (const event of this.client.lines('GET', '/events?follow=1', undefined, { signal: giveUp, deadlineMs })) {
      if (isIt(event as AgentEvent)) return event as AgentEvent;
    }
    throw new Error(`${this.name}: no such event`);
  }

  /** Makes a repository with one commit, which no other repository begins with: two of one moment would be clones of each other. */
  async repo(name: string, files: Readonly<Record<string, string>> = { 'README.md': 'hello\n' }): Promise<string> {
    const dir = this.path(name);
    await this.git(this.dir, 'init', '--quiet', dir);
    await this.commit(dir, files, `first of ${name}`);
    return dir;
  }

  async commit(dir: string, files: Readonly<Record<string, string>>, message: string): Promise<string> {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(dir, file)), { recursive: true });
      await writeFile(path.join(dir, file), text);
    }
    await this.git(dir, 'add', '--all');
    await this.git(dir, 'commit', '--quiet', '-m', message);
    return this.git(dir, 'rev-parse', 'HEAD');
  }

  /** Waits until `dir`'s HEAD is `oid` and its files are, too. */
  async head(dir: string, oid: string, deadlineMs = 30_000): Promise<void> {
    const until = Date.now() + deadlineMs;
    for (;;) {
      const head = await this.run('git', ['rev-parse', 'HEAD'], { cwd: dir });
      const isLocked = existsSync(path.join(dir, '.git/index.lock'));
      if (!isLocked && head.stdout.trim() === oid && (await this.git(dir, 'status', '--porcelain')) === '') return;
      if (Date.now() > until) throw new Error(`${this.name}: ${dir} is at ${head.stdout.trim()}, not at ${oid}\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Waits until the ref `name` of `dir` is `oid`, or is gone. */
  async ref(dir: string, name: string, oid: string | undefined, deadlineMs = 30_000): Promise<void> {
    const until = Date.now() + deadlineMs;
    for (;;) {
      const { code, stdout } = await this.run('git', ['rev-parse', '--quiet', '--verify', name], { cwd: dir });
      const found = code === 0 ? stdout.trim() : undefined;
      if (found === oid) return;
      if (Date.now() > until) throw new Error(`${this.name}: ${name} is ${found}, not ${oid}\n${this.log()}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What the agent logged. */
  log(): string {
    const { log } = findHome(this.env);
    return existsSync(log) ? readFileSync(log, 'utf8').slice(-8000) : '(no log)';
  }

  /** Stops the agent and waits until its process has ended; one that does not end in time is killed. */
  async stop(): Promise<void> {
    const pid = this.#agentPid();
    if (existsSync(this.dir)) await this.run('git-xmpp', ['daemon', 'stop']);
    if (pid !== undefined) await untilGone(pid);
  }

  /** Ends the agent as a power cut would. */
  async kill(): Promise<void> {
    const pid = this.agentPid();
    signal(pid, 'SIGKILL');
    await untilGone(pid);
  }

  /** Stops the agent in its tracks, as a lid that is closed does. */
  suspend(): void {
    signal(this.agentPid(), 'SIGSTOP');
  }

  /** Lets it go on as if no time had passed. */
  wake(): void {
    signal(this.agentPid(), 'SIGCONT');
  }

  /** @throws when none runs */
  agentPid(): number {
    const pid = this.#agentPid();
    if (pid === undefined) throw new Error(`${this.name}: no agent runs`);
    return pid;
  }

  /** Ends every command that still runs, with all that it started. */
  async endCommands(): Promise<void> {
    const ongoing = [...this.#ongoing];
    // Each command leads a group of its own.
    for (const { child } of ongoing) if (child.pid !== undefined) signal(-child.pid, 'SIGTERM');
    await Promise.allSettled(ongoing.map(({ ended }) => ended));
  }

  /** Ends whatever still runs here, and leaves no file. */
  async remove(): Promise<void> {
    await this.endCommands();
    await this.stop();
    // An agent that an ended command had just begun to start has no lock yet.
    for (const { pid } of findProcesses(`GIT_XMPP_HOME=${this.home}`)) {
      signal(pid, 'SIGTERM');
      await untilGone(pid);
    }
    await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #agentPid(): number | undefined {
    const { lock } = findHome(this.env);
    return existsSync(lock) ? parseHolder(readFileSync(lock, 'utf8')) : undefined;
  }
}

async function untilGone(pid: number): Promise<void> {
  const until = Date.now() + STOP_DEADLINE_MS;
  while ((await readProcessStart(pid)) !== undefined) {
    if (Date.now() > until) return signal(pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

function parseHolder(text: string): number {
  return (JSON.parse(text) as { readonly pid: number }).pid;
}

/** Pairs two devices by a code that one shows and the other types. */
export async function pairDevices(shower: Device, typer: Device, ...typed: string[]): Promise<{ shown: Ended; typed: Ended }> {
  const shown = shower.start('git-xmpp', ['pair']);
  const line = await shown.line(/^git xmpp pair \d/);
  // Where the server has no PEP, the line names the device, too.
  const words = line.split(' ').slice(3);
  const end = await typer.run('git-xmpp', ['pair', ...words, ...typed]);
  return { shown: await shown.ended, typed: end };
}
