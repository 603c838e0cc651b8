// New carriers for a pipe that lost its own, for as long as it lives (docs/PROTOCOL.md, "Pipe").
// Rule: only the dialler opens them, one at a time, ever more patiently, and at once when the way may have become free.

import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { PipeStream } from './pipe-stream.ts';

export interface ReopenOptions {
  readonly currentAddress: () => FullJid;
  readonly openCarrier: (address: FullJid) => Promise<Carrier>;
  readonly onWayFree: (retry: () => void) => () => void;
  readonly onUnreachable: (fault: Fault) => void;
  readonly onSuspect: () => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** A carrier that lasted so long was a way, whether or not anything moved on it. */
const STEADY_MS = 10_000;

/** Watches over the carriers of one dialled pipe. */
export class Reopener {
  readonly #options: ReopenOptions;
  readonly #backoff = new Backoff({ baseMs: 250, capMs: 30_000 });
  readonly #takeBack: () => void;
  readonly #watchers = new Set<(isCarried: boolean) => void>();
  #pipe: PipeStream | undefined;
  #timer: Timer | undefined;
  #isOpening = false;
  #isStopped = false;
  #isCarried = true;
  #isToldUnreachable = false;
  /** When the pipe last came to a carrier, and what it had moved by then. */
  #carried = { at: 0, bytes: 0 };

  constructor(options: ReopenOptions) {
    this.#options = options;
    this.#takeBack = options.onWayFree(() => {
      if (!this.#isCarried) void this.#open();
    });
  }

  bind(pipe: PipeStream): void {
    this.#pipe = pipe;
  }

  /** Tells at once and from then on whether a carrier runs. @returns what ends it */
  watch(watcher: (isCarried: boolean) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#isCarried);
    return () => this.#watchers.delete(watcher);
  }

  /** The pipe has no carrier any more. */
  detached(why: string): void {
    if (this.#isStopped) return;
    this.#options.log.info('carrier lost', { why });
    // One that is lost before the pipe ran on it, or before it moved anything, was no way: asking for the next at once would go in circles.
    const { at, bytes } = this.#carried;
    const wasWay = this.#isCarried && (this.#moved() > bytes || this.#options.clock.now() - at >= STEADY_MS);
    this.#tell(false);
    if (!wasWay) return this.#retryLater();
    this.#backoff.succeed();
    void this.#open();
  }

  /** The pipe runs on a carrier. */
  attached(): void {
    this.#timer?.cancel();
    this.#carried = { at: this.#options.clock.now(), bytes: this.#moved() };
    this.#isToldUnreachable = false;
    this.#tell(true);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#takeBack();
  }

  /** Bytes that came in, and that the other end has. */
  #moved(): number {
    const { received, acknowledged } = this.#pipe?.stats ?? { received: 0, acknowledged: 0 };
    return received + acknowledged;
  }

  #tell(isCarried: boolean): void {
    this.#isCarried = isCarried;
    for (const watcher of this.#watchers) watcher(isCarried);
  }

  async #open(): Promise<void> {
    const { openCarrier, currentAddress } = this.#options;
    const pipe = this.#pipe;
    if (this.#isOpening || this.#isStopped || pipe === undefined) return;
    this.#isOpening = true;
    this.#timer?.cancel();
    try {
      const carrier = await openCarrier(currentAddress());
      // A better one may have come meanwhile.
      if (this.#isStopped || pipe.destroyed || this.#isCarried) await carrier.close();
      else pipe.attach(carrier);
    } catch (error) {
      this.#failed(asFault(error, 'opening a carrier'));
    } finally {
      this.#isOpening = false;
    }
  }

  #failed(fault: Fault): void {
    const { log, onUnreachable, onSuspect } = this.#options;
    log.debug('no carrier', { why: fault.message });
    this.#retryLater();
    if (fault.code === 'timeout') onSuspect();
    const isGone = fault.code === 'peer-offline' || fault.code === 'not-connected';
    if (!isGone || this.#isToldUnreachable) return;
    this.#isToldUnreachable = true;
    onUnreachable(fault);
  }

  #retryLater(): void {
    const { clock, random } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(this.#backoff.fail(random()), () => void this.#open());
  }
}
