// What happens in the agent, told to whoever listens and kept for a while. Rule: plain data that may be shown; never a secret.

import type { Clock } from '../lib/clock.ts';
import { follow } from '../lib/follow.ts';
import type { Log } from '../lib/log.ts';

/** One thing that happened. `type` is stable; `words` is for people; the rest depends on the type. */
export interface AgentEvent {
  /** Grows from event to event, also over a restart of the agent. */
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  readonly words: string;
  readonly peer?: string;
  readonly repo?: string;
  readonly ref?: string;
  /** Where `ref` was, and is now; absent where it was not, or is not any more. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly by?: string;
  readonly code?: string;
  /** What ends it, where it is an error. */
  readonly remedy?: string | undefined;
  readonly bytes?: number;
  /** Of `done-syncing`: whether all of it went well. */
  readonly isGood?: boolean;
  /** Files that it is about, such as those of a conflict; at most 100. */
  readonly paths?: readonly string[];
}

const KEPT = 500;

/** Names of branches and files are nobody's business who reads a log: of what is about them only the type is kept there. */
const OF_CONTENTS = new Set(['left-out', 'unsettled']);

function isOfContents({ ref, paths, type }: Omit<AgentEvent, 'id' | 'at'>): boolean {
  return ref !== undefined || paths !== undefined || OF_CONTENTS.has(type);
}

/** The last events, and those to come. */
export class Events {
  readonly #clock: Clock;
  readonly #log: Log;
  #kept: AgentEvent[] = [];
  #nextId: number;
  readonly #listeners = new Set<(event: AgentEvent) => void>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    // No agent tells a thousand events a millisecond: the next one's begin above.
    this.#nextId = clock.now() * 1000;
  }

  emit(event: Omit<AgentEvent, 'id' | 'at'>): void {
    const told = { id: this.#nextId, at: this.#clock.now(), ...event };
    this.#nextId += 1;
    this.#log.info(event.type, { said: isOfContents(event) ? undefined : event.words, peer: event.peer, repo: event.repo, fault: event.code });
    this.#kept = [...this.#kept.slice(1 - KEPT), told];
    for (const listener of this.#listeners) listener(told);
  }

  get recent(): readonly AgentEvent[] {
    return this.#kept;
  }

  /** Those of them that came after the one of that id; all of them where it is none of this agent's. */
  since(id: number | undefined): readonly AgentEvent[] {
    return id === undefined || id >= this.#nextId ? this.#kept : this.#kept.filter((event) => event.id > id);
  }

  /** @returns what stops it */
  listen(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** `first`, then the events to come, until `signal` is aborted; a listener that does not read gets the 1 000 that waited for it, and is cut off. */
  follow(signal: AbortSignal, first: readonly AgentEvent[] = []): AsyncGenerator<AgentEvent> {
    return follow((listener) => this.listen(listener), signal, first);
  }
}
