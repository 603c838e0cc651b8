// The agent's door as commands use it: started when nobody answers, by the service where one is installed, and asked again once it does
// (docs/git-xmpp.1). Rule: never two agents on one home, and a command never hangs on one that does not come up.

import { spawn } from 'node:child_process';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nap, realClock } from '../lib/clock.ts';
import { asFault, codeOf, Fault, parseFaultLines } from '../lib/errors.ts';
import { ControlClient, isAgentAbsent } from '../control/client.ts';
import { findHome } from '../home/paths.ts';
import type { Home } from '../home/paths.ts';
import { findService } from '../home/service.ts';
import type { Service } from '../home/service.ts';
import { ALREADY_RUNNING, BACKGROUND } from '../home/service-format.ts';
import { say } from './out.ts';
import { telling } from './progress.ts';
import { meetAgent } from './version.ts';
import { waitingFor } from './waiting-format.ts';

const START_DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 25;
/** A manager of services is asked less often. */
const ASK_EVERY_MS = 500;

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
  #met: Promise<void> | undefined;

  constructor(world: World) {
    this.#world = world;
    this.home = findHome(world.env);
    this.#client = new ControlClient({ socketPath: this.home.socket, home: this.home.dir });
  }

  /**
   * @param says what is waited for, where that can be said better than by the route
   * @throws Fault as the agent told it, or `agent` when none can be started
   */
  ask<Answer>(method: 'GET' | 'POST', path: string, body?: unknown, deadlineMs = 60_000, says?: () => Promise<string>): Promise<Answer> {
    return telling(says ?? waitingFor(method, path), this.#ask<Answer>(method, path, body, deadlineMs));
  }

  async #ask<Answer>(method: 'GET' | 'POST', path: string, body: unknown, deadlineMs: number): Promise<Answer> {
    try {
      await this.#meet();
      return parseTrusted(await this.#client.request(method, path, body, { deadlineMs }));
    } catch (error) {
      if (!isAgentAbsent(error)) throw error;
      await this.start();
      return parseTrusted(await this.#client.request(method, path, body, { deadlineMs }));
    }
  }

  /** Once: an agent of another version goes over to the program that is there now, if it can. */
  #meet(): Promise<void> {
    this.#met ??= meetAgent(this.#client, { restart: () => this.start() });
    return this.#met;
  }

  /** Many answers, as they come. */
  async *lines<Line>(method: 'GET' | 'POST', path: string, body?: unknown): AsyncGenerator<Line> {
    if (!(await this.isRunning())) await this.start();
    const lines = this.#client.lines(method, path, body);
    try {
      for (let next = await telling(waitingFor(method, path), lines.next()); next.done !== true; next = await lines.next()) yield parseTrusted<Line>(next.value);
    } finally {
      await lines.return();
    }
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

  /** Starts the agent, and waits until it answers: by its service where one is installed, else in the background. */
  start(): Promise<void> {
    return telling('starting the agent', this.#start());
  }

  async #start(): Promise<void> {
    const service = findService(this.home, this.#world.env);
    if (service.isInstalled && (await this.#startService(service))) return;
    mkdirSync(dirname(this.home.log), { recursive: true, mode: 0o700 });
    const log = openSync(this.home.log, 'a', 0o600);
    const { size } = fstatSync(log);
    const { NODE_EXTRA_CA_CERTS: _costly, ...env } = this.#world.env;
    const agent = spawn(process.execPath, [join(this.#world.distDir, 'agent.mjs'), BACKGROUND], {
      detached: true,
      cwd: '/',
      env: { ...env, GIT_XMPP_HOME: this.home.dir },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    let code: number | undefined;
    agent.once('exit', (exit) => (code = exit ?? 1)).once('error', () => (code = 127));
    agent.unref();
    // A second starter loses the lock and ends; the first one's agent still comes up, so one more look decides.
    const isUp = await this.#waitUnless(() => code !== undefined && code !== ALREADY_RUNNING, LOOK_EVERY_MS);
    if (!isUp) throw this.#explain(readFileSync(this.home.log).subarray(size).toString('utf8').split('\n'));
  }

  /** @returns false where its manager cannot be reached */
  async #startService(service: Service): Promise<boolean> {
    if ((await service.start()) === 'unreachable') {
      say(`the service ${service.name} is installed, and what manages it does not answer: the agent is started without it`);
      return false;
    }
    const isUp = await this.#waitUnless(async () => (await service.state()).isFailing, ASK_EVERY_MS);
    if (!isUp) throw this.#explain(await service.lastLines(), `its last words: ${service.logCommand}`);
    return true;
  }

  /** Waits until the agent answers. @returns false once it has ended, or is late */
  async #waitUnless(hasEnded: () => boolean | Promise<boolean>, askEveryMs: number): Promise<boolean> {
    const until = realClock.now() + START_DEADLINE_MS;
    let nextAsk = realClock.now() + askEveryMs;
    while (realClock.now() < until) {
      if (await this.isRunning()) return true;
      if (realClock.now() >= nextAsk) {
        if (await hasEnded()) return this.isRunning();
        nextAsk = realClock.now() + askEveryMs;
      }
      await nap(LOOK_EVERY_MS);
    }
    return false;
  }

  /** Why the agent did not come up, in its own last words. */
  #explain(lines: readonly string[], other?: string): Fault {
    const said = parseFaultLines(lines.join('\n'));
    if (said === undefined) return this.#explainSilence(other);
    return new Fault(said.code, `the agent could not be started: ${said.message}`, said);
  }

  /** On a full disk not even the log takes its last words. */
  #explainSilence(other = `its last words are in ${this.home.log}`): Fault {
    const isFull = statfsSync(this.home.dir).bavail === 0;
    if (!isFull) return new Fault('agent', 'the agent could not be started', { remedy: other });
    return new Fault('disk-full', `the agent could not be started: no space is left on the disk of ${this.home.dir}`, {
      remedy: 'free some space, then try again',
    });
  }
}

/** The agent behind one's own 0600 socket is the same program: its answers have the types of `agent/answers.ts`. */
function parseTrusted<Answer>(value: unknown): Answer {
  return value as Answer;
}
