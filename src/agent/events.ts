// What happens in the agent, told to whoever listens and kept for a while. Rule: plain data that may be shown; never a secret.

import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

/** One thing that happened. `type` is stable; `words` is for people; the rest depends on the type. */
export interface AgentEvent {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly type: string;
  readonly words: string;
  readonly peer?: string;
  readonly repo?: string;
  readonly ref?: string;
  readonly by?: string;
  readonly code?: string;
  readonly bytes?: number;
}

const KEPT = 500;

/** The last events, and those to come. */
export class Events {
  readonly #clock: Clock;
  readonly #log: Log;
  #kept: AgentEvent[] = [];
  readonly #listeners = new Set<(event: AgentEvent) => void>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  emit(event: Omit<AgentEvent, 'at'>): void {
    const told = { at: this.#clock.now(), ...event };
    this.#log.info(event.type, { said: event.words, peer: event.peer, repo: event.repo });
    this.#kept = [...this.#kept.slice(1 - KEPT), told];
    for (const listener of this.#listeners) listener(told);
  }

  get recent(): readonly AgentEvent[] {
    return this.#kept;
  }

  /** @returns what stops it */
  listen(listener: (event: AgentEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The events to come, until `signal` is aborted; a listener that does not read is cut off at 1 000 waiting events. */
  async *follow(signal: AbortSignal): AsyncGenerator<AgentEvent> {
    let waiting: AgentEvent[] = [];
    let wake = (): void => undefined;
    const stop = this.listen((event) => {
      waiting.push(event);
      wake();
    });
    signal.addEventListener('abort', () => wake());
    try {
      while (!signal.aborted && waiting.length < 1000) {
        yield* waiting.splice(0);
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (waiting.length > 0 || signal.aborted) resolve();
        });
      }
    } finally {
      stop();
    }
  }
}
