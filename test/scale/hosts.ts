// Starts processes of several agents, and asks them. Rule: the program is one file, as the agent's own is, so that memory compares; each process is ended
// by whoever started it, and ends by itself when that one has gone.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { FromHost, ToHost } from './host-words.ts';
import type { Machine } from './machines.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const DIST = path.join(ROOT, 'dist');
const STOP_MS = 10_000;

/** Processes of several agents each. */
export class Hosts {
  readonly #folder: string;
  readonly #program: string;
  readonly #hosts: Host[] = [];

  private constructor(folder: string, program: string) {
    this.#folder = folder;
    this.#program = program;
  }

  static async prepare(): Promise<Hosts> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-hosts-'));
    const program = path.join(folder, 'host.mjs');
    const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
    const options = { bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'error' } as const;
    await build({ ...options, entryPoints: [path.join(ROOT, 'test/scale/host.ts')], outfile: program, banner: { js: require }, define: { 'process.env.GIT_XMPP_VERSION': '"scale"' } });
    return new Hosts(folder, program);
  }

  get pids(): readonly number[] {
    return this.#hosts.map(({ pid }) => pid);
  }

  /** Starts the agents of `machines`, so many to a process. */
  async start(machines: readonly Machine[], perProcess: number): Promise<void> {
    for (let first = 0; first < machines.length; first += perProcess) {
      const host = await Host.start(this.#program);
      this.#hosts.push(host);
      for (const { device } of machines.slice(first, first + perProcess)) await host.ask({ type: 'start', env: device.env, distDir: DIST });
    }
  }

  /** A process with no agent in it: what several share. */
  async startEmpty(): Promise<Host> {
    return Host.start(this.#program);
  }

  /** Waits until so many agents are signed in and so many peers, over all agents, have been heard of. */
  async online(agents: number, peers: number, deadlineMs: number): Promise<void> {
    const until = performance.now() + deadlineMs;
    for (;;) {
      const told = await Promise.all(this.#hosts.map((host) => host.ask({ type: 'online' })));
      const sum = (key: 'signedIn' | 'heard'): number => told.reduce((all, each) => all + (each.type === 'online' ? each[key] : 0), 0);
      if (sum('signedIn') >= agents && sum('heard') >= peers) return;
      if (performance.now() > until) throw new Error(`${sum('signedIn')} of ${agents} agents are signed in, ${sum('heard')} of ${peers} peers were heard of`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.splice(0).map((host) => host.stop()));
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** One process of agents. */
export class Host {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(program: string): Promise<Host> {
    const { PATH, HOME, TMPDIR } = process.env;
    const child = fork(program, [], { execArgv: [], cwd: '/', env: { PATH, HOME, TMPDIR }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    // That it has ended is told by its end.
    child.on('error', () => undefined);
    await once(child, 'message');
    return new Host(child);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** One question at a time. @throws with what the process said went wrong, or when it has ended */
  async ask(words: ToHost): Promise<FromHost> {
    const child = this.#child;
    const answer = new Promise<FromHost>((resolve, reject) => {
      const ended = (): void => reject(new Error('a process of agents has ended'));
      child.once('exit', ended);
      child.once('message', (said) => {
        child.off('exit', ended);
        resolve(said as FromHost);
      });
    });
    child.send(words);
    const said = await answer;
    if (said.type === 'failed') throw new Error(said.why);
    return said;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await this.ask({ type: 'stop' }).catch(() => undefined);
    this.#child.kill();
    await ended;
    clearTimeout(timer);
  }
}
