// Moves a dialled pipe to a better carrier while it runs (docs/PROTOCOL.md, "Carriers"). Rule: the carrier that runs is left only for one that is
// open already, and when that is lost the way through the server is taken at once; when to try is `ladder-machine.ts`'s.

import { steadyNow } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Carrier } from '../carriers/carrier.ts';
import { LadderMachine } from '../carriers/ladder-machine.ts';
import type { LadderWish, Rung } from '../carriers/ladder-machine.ts';
import type { PipeStream } from './pipe-stream.ts';

export interface LadderOptions {
  readonly pipe: PipeStream;
  /** A connection of its own to the peer (XEP-0065). @throws Fault when there is none to be had */
  readonly openOwn: () => Promise<Carrier>;
  /** Whether an in-band carrier has shown that its server takes larger blocks in its stride. */
  readonly mayGrow: (carrier: Carrier) => boolean;
  /** In-band with larger blocks. @throws Fault */
  readonly openLarge: () => Promise<Carrier>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** While something moves, it is looked at this often. */
const LOOK_MS = 500;

/** The carrier that a wish came to, until the pipe runs on it or on another. */
interface Attempt {
  readonly wish: LadderWish;
  readonly carrier: Carrier;
}

/** The ladder of one dialled link. */
export class Ladder {
  readonly #options: LadderOptions;
  readonly #machine = new LadderMachine();
  readonly #now: () => number;
  #attempt: Attempt | undefined;
  #large: Carrier | undefined;
  #isBusy = false;
  #noBetter: string | undefined;
  #isStopped = false;
  #timer: Timer | undefined;

  constructor(options: LadderOptions) {
    this.#options = options;
    this.#now = steadyNow(options.clock);
  }

  /** Whether a request is open: only then is it worth looking again. */
  setBusy(isBusy: boolean): void {
    this.#isBusy = isBusy;
    if (isBusy && this.#timer === undefined) this.#lookLater();
  }

  /** The network, or the session at the server, is another. */
  renew(): void {
    this.#machine.renew();
    this.look();
  }

  /** The pipe runs on `carrier` now. */
  attached(carrier: Carrier): void {
    const at = this.#at();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt !== undefined) this.#machine.tried(attempt.wish, attempt.carrier === carrier, at);
    if (carrier.kind !== 'in-band') this.#noBetter = undefined;
    this.#machine.runs(this.#rungOf(carrier), at);
  }

  /** Why the last try for a connection of its own came to nothing; undefined while it runs on one, or before a try. */
  get noBetter(): string | undefined {
    return this.#noBetter;
  }

  /** Tries what is due, if anything is. */
  look(): void {
    const { pipe, mayGrow } = this.#options;
    const { carrier } = pipe;
    if (this.#isStopped || carrier === undefined) return;
    const { sent, received } = pipe.stats;
    const wish = this.#machine.wish({ bytes: sent + received, mayGrow: mayGrow(carrier) }, this.#now());
    if (wish !== undefined) void this.#try(wish);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #try(wish: LadderWish): Promise<void> {
    const { pipe, openOwn, openLarge, log } = this.#options;
    try {
      const carrier = await (wish === 'large-blocks' ? openLarge() : openOwn());
      if (wish === 'large-blocks') this.#large = carrier;
      this.#attempt = { wish, carrier };
      // Without a carrier the pipe waits for the next one, whichever comes first.
      if (this.#isStopped || pipe.attach(carrier) === undefined) await carrier.close();
    } catch (error) {
      this.#attempt = undefined;
      this.#machine.tried(wish, false, this.#at());
      const why = asFault(error, 'opening a carrier').message;
      if (wish !== 'large-blocks') this.#noBetter = why;
      log.info('no better carrier', { tried: wish, why });
    }
  }

  #rungOf(carrier: Carrier): Rung {
    return carrier === this.#large ? 'large-blocks' : carrier.kind;
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.setTimer(LOOK_MS, () => {
      this.#timer = undefined;
      if (this.#isStopped || !this.#isBusy) return;
      this.look();
      this.#lookLater();
    });
  }

  #at(): { readonly now: number; readonly random: number } {
    return { now: this.#now(), random: this.#options.random() };
  }
}
