// Hooks: programs of the user's own that are told what happened in a repository (docs/git-xmpp.1, "HOOKS"). Rule: named in the configuration of this
// machine alone, which no peer can write; the sync never waits for one, and one that fails is told and changes nothing.

import type { Clock } from '../lib/clock.ts';
import { formatDuration } from '../lib/duration-format.ts';
import { asFault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { isGranted } from '../lib/names.ts';
import type { Peers } from '../home/peers.ts';
import type { ProgramEnd, runProgram } from '../home/program.ts';
import { grantOf } from '../home/repos.ts';
import type { AgentEvent, Events } from './events.ts';
import { formatHookEnv } from './hooks-format.ts';
import { HooksMachine } from './hooks-machine.ts';
import type { HookIntention, HookNews, HookRun } from './hooks-machine.ts';
import type { RepoLoop } from './loop.ts';

export interface HooksParts {
  readonly events: Events;
  readonly loops: () => readonly Pick<RepoLoop, 'context' | 'policies'>[];
  readonly peers: Pick<Peers, 'byPetname'>;
  readonly clock: Clock;
  readonly log: Log;
  /** The agent's own environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly run: typeof runProgram;
}

/** Listens from the start, until `stop`. */
export class Hooks {
  readonly #parts: HooksParts;
  readonly #machine = new HooksMachine();
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #deafen: () => void;

  constructor(parts: HooksParts) {
    this.#parts = parts;
    this.#deafen = parts.events.listen((event) => {
      for (const news of this.#newsOf(event)) this.#carryOut(this.#machine.tell(news));
    });
  }

  /** Ends what runs, with its children. */
  async stop(): Promise<void> {
    this.#deafen();
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #newsOf(event: AgentEvent): HookNews[] {
    const { loops, peers } = this.#parts;
    const base = { peer: event.peer ?? '', refs: event.ref === undefined ? [] : [{ ref: event.ref, from: event.from, to: event.to }], paths: event.paths ?? [] };
    if (event.type === 'moved' || event.type === 'conflict') {
      const loop = loops().find(({ context }) => context.shared().name === event.repo);
      const name = event.type === 'moved' ? 'changed' : 'conflict';
      return loop === undefined ? [] : [{ ...base, event: name, repo: loop.context.shared().id }];
    }
    const peer = event.type === 'offline' && event.peer !== undefined ? peers.byPetname(event.peer) : undefined;
    if (peer === undefined) return [];
    const concerned = loops().filter(({ context }) => isGranted(grantOf(context.shared(), peer), 'read'));
    return concerned.map(({ context }) => ({ ...base, event: 'offline', repo: context.shared().id }));
  }

  #carryOut(intentions: readonly HookIntention[]): void {
    for (const intention of intentions) {
      const { key } = intention;
      if (intention.type === 'wait') this.#parts.clock.setTimer(intention.ms, () => this.#carryOut(this.#machine.due(key)));
      else this.#start(key, intention.run);
    }
  }

  #start(key: string, run: HookRun): void {
    const running = this.#run(run).finally(() => {
      this.#running.delete(running);
      this.#carryOut(this.#machine.ended(key));
    });
    this.#running.add(running);
  }

  async #run(run: HookRun): Promise<void> {
    const { events, clock, log, loops, env } = this.#parts;
    const loop = loops().find(({ context }) => context.shared().id === run.repo);
    if (loop === undefined || this.#stopping.signal.aborted) return;
    const { name } = loop.context.shared();
    const complain = (words: string): void => events.emit({ type: 'hook-failed', words: `xmpp.hook.${run.event} ${words}`, repo: name });
    try {
      const { hooks, hookTimeoutMs } = await loop.policies.read();
      const command = hooks[run.event];
      if (command === undefined) return;
      const { path } = loop.context.repository;
      const onLine = (said: string): void => log.info(`xmpp.hook.${run.event}`, { repo: name, said });
      const told = { ...withoutGit(env), ...formatHookEnv(run, { path, name }) };
      const end = await this.#parts.run({ command, cwd: path, env: told, timeoutMs: hookTimeoutMs, clock, onLine, signal: this.#stopping.signal });
      const words = describe(end, hookTimeoutMs);
      if (words !== undefined) complain(words);
    } catch (error) {
      complain(`could not be run: ${asFault(error, 'reading what is set').message}`);
    }
  }
}

/** What went wrong, if anything. */
function describe(end: ProgramEnd, timeoutMs: number): string | undefined {
  if ('failed' in end) return `could not be run: ${end.failed}`;
  if ('code' in end) return end.code === 0 ? undefined : `ended with exit code ${end.code}; what it said is in the log`;
  return end.why === 'timeout' ? `was ended after ${formatDuration(timeoutMs)} (xmpp.hookTimeout)` : undefined;
}

/** Git's own variables would send the program's git to another repository; the home leads `git xmpp` to this agent. */
function withoutGit(env: HooksParts['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([key]) => !key.startsWith('GIT_') || key === 'GIT_XMPP_HOME'));
}
