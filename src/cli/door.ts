// The agent's door as commands use it: started when nobody answers, and asked again once it does (docs/git-xmpp.1). Rule: never two agents on one
// home, an agent of another version is told of, and what most commands need no more than a question for is loaded no sooner.

import { asFault, codeOf } from '../lib/errors.ts';
import { ControlClient, isAgentAbsent } from '../control/client.ts';
import { findHome } from '../home/paths.ts';
import type { Home } from '../home/paths.ts';
import { telling } from './progress.ts';
import { waitingFor } from './waiting-format.ts';

const OWN_VERSION = process.env['GIT_XMPP_VERSION'] ?? 'unbuilt';

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
      return parseTrusted(await this.#request(method, path, body, deadlineMs));
    } catch (error) {
      if (!isAgentAbsent(error)) throw error;
      await this.start();
      return parseTrusted(await this.#client.request(method, path, body, { deadlineMs }));
    }
  }

  /** Many answers, as they come. */
  async *lines<Line>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): AsyncGenerator<Line> {
    if (!(await this.isRunning())) await this.start();
    else if (this.#client.agentVersion !== OWN_VERSION) await this.#meet();
    const lines = this.#client.lines(method, path, body, signal === undefined ? {} : { signal });
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
    const { startAgent } = await import('./start-agent.ts');
    await startAgent({ home: this.home, world: this.#world, isRunning: () => this.isRunning() });
  }

  /** Once: an agent of another version goes over to the program that is there now, if it can. */
  #meet(): Promise<void> {
    this.#met ??= import('./version.ts').then(({ meetAgent }) => meetAgent(this.#client, { own: OWN_VERSION, restart: () => this.start() }));
    return this.#met;
  }

  /** Of what changes something the agent's version is asked first; with any other answer it comes along. */
  async #request(method: 'GET' | 'POST', path: string, body: unknown, deadlineMs: number): Promise<unknown> {
    if (method === 'POST') await this.#meet();
    const answer = this.#client.request(method, path, body, { deadlineMs });
    await answer.catch(() => undefined);
    const { agentVersion } = this.#client;
    if (this.#met !== undefined || agentVersion === undefined || agentVersion === OWN_VERSION) return answer;
    await this.#meet();
    return this.#client.request(method, path, body, { deadlineMs });
  }
}

/** The agent behind one's own 0600 socket is the same program: its answers have the types of `agent/answers.ts`. */
function parseTrusted<Answer>(value: unknown): Answer {
  return value as Answer;
}
