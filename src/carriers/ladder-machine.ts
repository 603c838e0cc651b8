// When to look for a better carrier than the one that runs (docs/PROTOCOL.md, "Carriers"). Sans IO: facts and the time come in, one wish
// at a time goes out. Rule: the first bytes never wait for it, an idle link is left alone, and a way that failed is tried ever more rarely.

import { Backoff } from '../lib/backoff.ts';

/** What a pipe may run on, from the floor that always works upwards; `large-blocks` is in-band on a server that has shown to be fast. */
export type Rung = 'in-band' | 'large-blocks' | 'socks5' | 'direct';

/** Ask for a connection of its own (XEP-0065), or for in-band blocks larger than the default. */
export type LadderWish = 'own-connection' | 'large-blocks';

/** After a failure the next try waits so long at first and at most, and until so many bytes have moved meanwhile. */
const RETRY = { baseMs: 30_000, capMs: 30 * 60_000 };
const WORTH_BYTES = 64 * 1024;
/** A connection that was lost sooner was none worth having. */
const STEADY_MS = 60_000;

/** The ladder of one dialled link. Bytes are those moved in both directions since the link began. */
export class LadderMachine {
  readonly #backoff = new Backoff(RETRY);
  #rung: Rung = 'in-band';
  #since = 0;
  #isTrying = false;
  /** The next try is worth its stanzas whatever moves: nothing is known of the way yet. */
  #isFresh = true;
  #mayTryAt = 0;
  #bytesAtTry = 0;
  #hasFailedLarge = false;

  get rung(): Rung {
    return this.#rung;
  }

  /** The network, or the session at the server, is another: what failed before may work now. */
  renew(): void {
    this.#backoff.succeed();
    this.#isFresh = true;
    this.#mayTryAt = 0;
    this.#hasFailedLarge = false;
  }

  /**
   * What to try now, if anything; `tried` must follow.
   * @param facts.mayGrow whether the in-band carrier has shown that larger blocks are welcome
   */
  wish(facts: { readonly bytes: number; readonly mayGrow: boolean }, now: number): LadderWish | undefined {
    if (this.#isTrying) return undefined;
    const isInBand = this.#rung === 'in-band' || this.#rung === 'large-blocks';
    const isWorthIt = this.#isFresh || facts.bytes - this.#bytesAtTry >= WORTH_BYTES;
    if (isInBand && isWorthIt && now >= this.#mayTryAt) {
      this.#isFresh = false;
      this.#bytesAtTry = facts.bytes;
      this.#isTrying = true;
      return 'own-connection';
    }
    if (this.#rung === 'in-band' && facts.mayGrow && !this.#hasFailedLarge) {
      this.#isTrying = true;
      return 'large-blocks';
    }
    return undefined;
  }

  /** A try has ended; one that came to a carrier is followed by `runs`. @param random from 0 up to 1 */
  tried(wish: LadderWish, hasCarrier: boolean, { now, random }: { readonly now: number; readonly random: number }): void {
    this.#isTrying = false;
    if (hasCarrier) return;
    if (wish === 'large-blocks') this.#hasFailedLarge = true;
    else this.#mayTryAt = now + this.#backoff.fail(random);
  }

  /** The pipe runs on a carrier of that kind from now on. @param random from 0 up to 1 */
  runs(rung: Rung, { now, random }: { readonly now: number; readonly random: number }): void {
    const hadOwn = this.#rung === 'socks5' || this.#rung === 'direct';
    const wasSteady = now - this.#since >= STEADY_MS;
    if (hadOwn && wasSteady) this.renew();
    // Lost as soon as it was made: the next may go the same way.
    else if (hadOwn) this.#mayTryAt = now + this.#backoff.fail(random);
    if (this.#rung === 'large-blocks' && !wasSteady) this.#hasFailedLarge = true;
    this.#rung = rung;
    this.#since = now;
  }
}
