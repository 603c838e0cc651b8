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
    // One that is lost before the pipe ran on it was no way: asking for the next at once would go in circles.
    const wasCarried = this.#isCarried;
    this.#tell(false);
    if (wasCarried) void this.#open();
    else this.#retryLater();
  }

  /** The pipe runs on a carrier. */
  attached(): void {
    this.#timer?.cancel();
    this.#backoff.succeed();
    this.#isToldUnreachable = false;
    this.#tell(true);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#takeBack();
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
