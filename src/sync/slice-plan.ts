// Cuts a history that a peer lacks into slices (docs/PROTOCOL.md, "Slices"). Rule: commits come parents first, so whatever is cut is closed
// under ancestry; a slice is no larger than asked, unless one commit alone is.

import type { Oid } from '../lib/names.ts';

/** What an unknown link is tried with, and the least: 26 s at the 10 000 bytes a second of a stock server. */
export const MIN_SLICE_BYTES = 256 * 1024;
export const MAX_SLICE_BYTES = 2 ** 30;
/** What a slice should take: more is lost with a crash, less costs round trips. */
const WANTED_MS = 20_000;
/** Of what comes before a crash at least about a quarter is kept, whenever it strikes. */
const MAX_GROWTH = 4;
/** A receiver keeps at most so many tips of one device: a history with more ends at once is not cut there. */
export const MAX_PARTIALS = 64;

/** One commit, or another object that a tip names, with what it brings that none before it brought. */
export interface Step {
  readonly oid: Oid;
  readonly parents: readonly Oid[];
  /** On the disk here: an estimate of what a pack takes. */
  readonly bytes: number;
}

export interface Slice {
  /** Commits that nothing else in the slice contains; with what was sent before they lead to all of it. */
  readonly tips: readonly Oid[];
  readonly bytes: number;
  /** The one step that is larger than a slice may be. */
  readonly giant?: Step;
}

/** Gathers steps, oldest first, and says when a slice is full. */
export class SlicePlanner {
  /** Ends of the history so far. */
  readonly #ends = new Set<Oid>();
  /** Those of them that no slice has brought yet. */
  readonly #fresh = new Set<Oid>();
  #bytes = 0;

  /** Takes the next step; its parents are in the peer's hands, or were taken before. @returns what to send first, in order */
  add(step: Step, limit: number): readonly Slice[] {
    const slices: Slice[] = [];
    if (this.#bytes + step.bytes > limit) slices.push(...this.#cut());
    this.#gather(step);
    if (step.bytes > limit && this.#bytes === step.bytes) slices.push(...this.#cut(step));
    return slices;
  }

  /** Bytes that no slice has brought yet: the rest goes with the offer itself. */
  get rest(): number {
    return this.#bytes;
  }

  #gather({ oid, parents, bytes }: Step): void {
    for (const parent of parents) {
      this.#ends.delete(parent);
      this.#fresh.delete(parent);
    }
    this.#ends.add(oid);
    this.#fresh.add(oid);
    this.#bytes += bytes;
  }

  #cut(giant?: Step): readonly Slice[] {
    if (this.#fresh.size === 0 || this.#ends.size > MAX_PARTIALS) return [];
    const slice = { tips: [...this.#fresh], bytes: this.#bytes, ...(giant === undefined ? {} : { giant }) };
    this.#fresh.clear();
    this.#bytes = 0;
    return [slice];
  }
}

/** How large the next slice may be, after one of `bytes` took `ms`. */
export function nextLimit(limit: number, took: { readonly bytes: number; readonly ms: number }): number {
  // Of a small one the round trips were more than the bytes, so it says nothing of the rate.
  if (took.bytes < limit / 2) return limit;
  const wanted = (took.bytes * WANTED_MS) / Math.max(1, took.ms);
  return Math.round(Math.max(MIN_SLICE_BYTES, Math.min(wanted, limit * MAX_GROWTH, MAX_SLICE_BYTES)));
}

/** Bytes a second from which on sending costs less than looking for what need not be sent. */
const FAST_RATE = 5e6;

/** Whether a slice of `bytes` that took `ms` shows such a path; a small one is mostly round trips and shows none. */
export function isFastPath({ bytes, ms }: { readonly bytes: number; readonly ms: number }): boolean {
  return bytes * 1000 >= FAST_RATE * Math.max(1, ms);
}
