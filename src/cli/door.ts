// The agent's door as commands use it: started when nobody answers, asked again once it does (docs/git-xmpp.1). Rule: never two agents on
// one home, and a command never hangs on one that does not come up.

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { delay, realClock } from '../lib/clock.ts';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import { ControlClient, isAgentAbsent } from '../control/client.ts';
import { findHome } from '../home/paths.ts';
import type { Home } from '../home/paths.ts';

const START_DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 25;

/** What the commands need of the world; the only place where the process's environment is read. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Folder of the built executables. */
  readonly distDir: string;
  /** Folder by which this command was called: an installation has its other commands there too. */
  readonly binDir: string;
}

/** Asks the agent, and starts it first where it does not run. */
export class Door {
  readonly home: Home;
  readonly #world: World;
  readonly #client: ControlClient;

  constructor(world: World) {
    this.#world = world;
    this.home = findHome(world.env);
    this.#client = new ControlClient({ socketPath: this.home.socket, home: this.home.dir });
  }

  /** @throws Fault as the agent told it, or `agent` when none can be started */
  async ask<Answer>(method: 'GET' | 'POST', path: string, body?: unknown, deadlineMs = 60_000): Promise<Answer> {
    try {
      return parseTrusted(await this.#client.request(method, path, body, { deadlineMs }));
    } catch (error) {
      if (!isAgentAbsent(error)) throw error;
      await this.start();
      return parseTrusted(await this.#client.request(method, path, body, { deadlineMs }));
    }
  }

  /** Many answers, as they come. */
  async *lines<Line>(method: 'GET' | 'POST', path: string, body?: unknown): AsyncGenerator<Line> {
    if (!(await this.isRunning())) await this.start();
    for await (const line of this.#client.lines(method, path, body)) yield parseTrusted<Line>(line);
  }

  /** Whether an agent answers on this home. */
  async isRunning(): Promise<boolean> {
    try {
      await this.#client.request('GET', '/account');
      return true;
    } catch (error) {
      // One that goes away while it is asked is as good as gone.
      if (isAgentAbsent(error) || ['ECONNRESET', 'EPIPE'].includes(codeOf(asFault(error, 'asking').cause) ?? '')) return false;
      throw error;
    }
  }

  /** Asks an agent that runs, and starts none. */
  async running<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
    return parseTrusted(await this.#client.request('GET', path, undefined, signal === undefined ? {} : { signal }));
  }

  /** Many answers of an agent that runs, as they come, until `signal`. */
  async *runningLines<Line>(path: string, signal: AbortSignal): AsyncGenerator<Line> {
    for await (const line of this.#client.lines('GET', path, undefined, { signal })) yield parseTrusted<Line>(line);
  }

  /** Asks without starting anything. */
  askRunning(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    return this.#client.request(method, path, body);
  }

  /** Starts the agent in the background and waits until it answers. */
  async start(): Promise<void> {
    mkdirSync(dirname(this.home.log), { recursive: true, mode: 0o700 });
    const log = openSync(this.home.log, 'a', 0o600);
    const { size } = fstatSync(log);
    const { NODE_EXTRA_CA_CERTS: _costly, ...env } = this.#world.env;
    const agent = spawn(process.execPath, [join(this.#world.distDir, 'agent.mjs')], {
      detached: true,
      cwd: '/',
      env: { ...env, GIT_XMPP_HOME: this.home.dir },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const ended = new Promise<number>((resolve) => agent.once('exit', (code) => resolve(code ?? 1)).once('error', () => resolve(127)));
    agent.unref();
    await this.#waitFor(ended, size);
  }

  /** @param size of the log before the agent began to write there */
  async #waitFor(ended: Promise<number>, size: number): Promise<void> {
    let code: number | undefined;
    void ended.then((exit) => {
      code = exit;
    });
    const until = realClock.now() + START_DEADLINE_MS;
    while (realClock.now() < until) {
      if (await this.isRunning()) return;
      // A second starter loses the lock and ends; the first one's agent still comes up, so one more look decides.
      if (code !== undefined && code !== ALREADY_RUNNING) break;
      await nap(LOOK_EVERY_MS);
    }
    throw this.#explain(size);
  }

  /** Why the agent did not come up, in its own last words. */
  #explain(size: number): Fault {
    const words = readFileSync(this.home.log).subarray(size).toString('utf8').split('\n');
    const last = words.findLastIndex((line) => line.startsWith(SAID));
    if (last < 0) return this.#explainSilence();
    const why = words[last]?.slice(SAID.length) ?? '';
    const remedy = words.slice(last + 1).map((line) => line.trim()).join('\n').trim();
    return new Fault('agent', `the agent could not be started: ${why}`, remedy === '' ? {} : { remedy });
  }

  /** On a full disk not even the log takes its last words. */
  #explainSilence(): Fault {
    const isFull = statfsSync(this.home.dir).bavail === 0;
    if (!isFull) return new Fault('agent', 'the agent could not be started', { remedy: `its last words are in ${this.home.log}` });
    return new Fault('disk-full', `the agent could not be started: no space is left on the disk of ${this.home.dir}`, {
      remedy: 'free some space, then try again',
    });
  }
}

/** How the last words of an agent begin that could not start (agent/main.ts). */
const SAID = 'git-xmpp: ';

/** The agent behind one's own 0600 socket is the same program: its answers have the types of `agent/answers.ts`. */
function parseTrusted<Answer>(value: unknown): Answer {
  return value as Answer;
}

/** Exit code of an agent that found another one on its home. */
export const ALREADY_RUNNING = 3;

/** Unlike `delay`, keeps the process alive meanwhile. */
export function nap(ms: number): Promise<void> {
  const alive = setInterval(() => undefined, 1_000_000);
  return delay(ms, realClock).finally(() => clearInterval(alive));
}
