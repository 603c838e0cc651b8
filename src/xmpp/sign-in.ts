// Keeps the agent signed in: dial, wait, dial again.
// Rule: waits grow and are jittered, and what only a person can mend is not tried again.

import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Connection } from './connection-types.ts';

export interface SignInOptions {
  /** Makes one attempt; `signal` gives it up. */
  readonly dial: (signal: AbortSignal) => Promise<Connection>;
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 up to 1. */
  readonly random: () => number;
}

export type UpListener = (connection: Connection) => void;
/** @param retryInMs undefined when it is not tried again until `reconnectNow` */
export type DownListener = (fault: Fault, retryInMs: number | undefined) => void;

/** Between attempts that fail. */
const BACKOFF = { baseMs: 1_000, capMs: 300_000 };
/** After connections that came up and were soon lost again: the server takes us, so the waits stay short. */
const UNSTEADY = { baseMs: 1_000, capMs: 8_000 };
/** A connection that held this long was a success. */
const STEADY_MS = 60_000;
/** A connection that lived so long was of use: of such ones, however often they die, no more than this share of a life is spent on waiting, or a second. */
const LIFE = { leastMs: 2_000, share: 0.25 };
/** What is not mended by trying again, but may be mended on the server. */
const SLOW_MS = 60_000;
const HOPELESS: readonly FaultCode[] = ['wrong-password', 'no-mechanism'];
/**
 * A connection that we gave up may be let in late and take the address from its successor: that looks as another program would, once. Two programs
 * that each took it back for ever would keep each other out, so the second time within so long is the last.
 */
const CONFLICT = { againMs: 10_000, withinMs: 600_000 };
const SLOW: readonly FaultCode[] = ['tls', 'no-encryption'];

export class SignIn {
  readonly #options: SignInOptions;
  readonly #failed = new Backoff(BACKOFF);
  readonly #lost = new Backoff(UNSTEADY);
  readonly #up: UpListener[] = [];
  readonly #down: DownListener[] = [];
  #run: AbortController | undefined;
  #timer: Timer | undefined;
  /** The dial that is under way. */
  #attempt: AbortController | undefined;
  #connection: Connection | undefined;
  #conflictAt: number | undefined;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  /** The connection, while there is one. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  onUp(listener: UpListener): void {
    this.#up.push(listener);
  }

  onDown(listener: DownListener): void {
    this.#down.push(listener);
  }

  start(): void {
    if (this.#run !== undefined) return;
    this.#run = new AbortController();
    void this.#dial(this.#run.signal);
  }

  /** Signs out; no listener is called any more. */
  async stop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#run?.abort();
    this.#run = undefined;
    this.#timer?.cancel();
    await connection?.close();
  }

  /**
   * Does not wait any longer; when signed in, makes sure that the connection is alive (after sleep, or on another network). A dial that is under way is
   * begun anew: it may be stuck in the network that was.
   */
  reconnectNow(): void {
    if (this.#run === undefined) return;
    this.#timer?.cancel();
    if (this.#attempt !== undefined) this.#attempt.abort();
    else if (this.#connection === undefined) void this.#dial(this.#run.signal);
    else void this.#connection.probe();
  }

  /** The network is gone: a connection that does not answer within `answerMs` has ended, as only one on this machine itself does. */
  doubt(answerMs: number): void {
    void this.#connection?.probe(answerMs);
  }

  async #dial(signal: AbortSignal): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const dialling = this.#options.dial(AbortSignal.any([signal, attempt.signal]));
    try {
      const connection = await unlessAborted(dialling, attempt.signal);
      this.#attempt = undefined;
      if (signal.aborted) await connection.close();
      else this.#keep(connection, signal);
    } catch (error) {
      this.#attempt = undefined;
      if (signal.aborted) return;
      if (attempt.signal.aborted) void this.#dial(signal);
      else this.#retry(asFault(error, 'signing in'), this.#failed);
    }
  }

  #keep(connection: Connection, signal: AbortSignal): void {
    const { clock, log } = this.#options;
    const upAt = clock.now();
    this.#connection = connection;
    this.#failed.succeed();
    log.info('signed in', { jid: connection.jid });
    for (const listener of this.#up) listener(connection);
    connection.onClose((fault) => {
      if (this.#connection !== connection) return;
      this.#connection = undefined;
      const heldMs = clock.now() - upAt;
      if (heldMs >= STEADY_MS) this.#lost.succeed();
      if (!signal.aborted) this.#retry(fault, this.#lost, heldMs < LIFE.leastMs ? undefined : Math.max(UNSTEADY.baseMs, heldMs * LIFE.share));
    });
  }

  #retry(fault: Fault, backoff: Backoff, mostMs = Infinity): void {
    const { clock, log } = this.#options;
    const signal = this.#run?.signal;
    const retryInMs = this.#wait(fault, backoff, mostMs);
    log.warn('not signed in', { fault: fault.code, why: fault.message, retryInMs });
    if (retryInMs !== undefined && signal !== undefined) this.#timer = clock.setTimer(retryInMs, () => void this.#dial(signal));
    for (const listener of this.#down) listener(fault, retryInMs);
  }

  #wait({ code }: Fault, backoff: Backoff, mostMs: number): number | undefined {
    if (HOPELESS.includes(code)) return undefined;
    const random = this.#options.random();
    if (code === 'conflict') return this.#waitInConflict(random);
    const wait = Math.min(backoff.fail(random), Math.round((mostMs / 2) * (1 + random)));
    return SLOW.includes(code) ? Math.max(wait, Math.round(SLOW_MS * (1 + random))) : wait;
  }

  #waitInConflict(random: number): number | undefined {
    const now = this.#options.clock.now();
    const isSecond = this.#conflictAt !== undefined && Math.abs(now - this.#conflictAt) < CONFLICT.withinMs;
    this.#conflictAt = now;
    return isSecond ? undefined : Math.round(CONFLICT.againMs * (1 + random));
  }
}

/** As `dialling`, or a rejection at once when `signal` aborts; what comes up all the same is closed. */
function unlessAborted(dialling: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(new Fault('not-connected', 'signing in begins anew'));
      dialling.then((connection) => connection.close()).catch(() => undefined);
    };
    signal.addEventListener('abort', abort, { once: true });
    dialling.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
