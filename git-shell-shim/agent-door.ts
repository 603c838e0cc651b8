// How a shim reaches the agent: through the door of this home, starting the agent when none runs. Rule: tried twice, never more.

import { existsSync } from 'node:fs';
import { ControlClient, isAgentAbsent } from '../src/control/client.ts';
import { findHome, prepareHome, type Home } from '../src/home/paths.ts';
import { startAgent, type Env } from './start-agent.ts';

/** The agent of the home that the environment names. */
export class AgentDoor {
  readonly #home: Home;
  readonly #env: Env;
  readonly #entry: string;
  readonly #client: ControlClient;

  /** @param entry path of the running shim, where git-xmpp.cjs is looked for */
  constructor(env: Env, entry: string) {
    this.#home = findHome(env);
    this.#env = env;
    this.#entry = entry;
    this.#client = new ControlClient({ socketPath: this.#home.socket, home: this.#home.dir });
  }

  /** Whether somebody has ever set up git-xmpp in this home. */
  get isSetUp(): boolean {
    return existsSync(this.#home.config);
  }

  /**
   * What `work` asks of the agent.
   * @throws Fault the agent's own; when none runs and `mayStart`, why it could not be started
   */
  async ask<T>(work: (client: ControlClient) => Promise<T>, options: { readonly mayStart?: boolean } = {}): Promise<T> {
    // The socket may lie in a folder that others can write beside: it has to be ours before anything is said to it.
    await prepareHome(this.#home);
    try {
      return await work(this.#client);
    } catch (error) {
      if (options.mayStart === false || !isAgentAbsent(error)) throw error;
    }
    // Another command may be starting it at the same time: only when there is still no agent does our own failure count.
    const failure = await startAgent(this.#entry, this.#env).catch((error: unknown) => error);
    try {
      return await work(this.#client);
    } catch (error) {
      throw failure !== undefined && isAgentAbsent(error) ? failure : error;
    }
  }
}
