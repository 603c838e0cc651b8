// The user's own limits on what a carrier may take (docs/PROTOCOL.md, "Limits of one's own"). Rule: bytes are counted as they are handed to
// the carrier, before base64 and stanzas; nothing is dropped, the carrier just finds less, and is woken when there is more.

import type { CarrierSource } from '../carriers/carrier.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { ask, Bucket } from './limit-machine.ts';

/** A bucket for `bytesPerS`, full at the start; to be shared by all that it limits. */
export function makeBucket(bytesPerS: number, clock: Clock): Bucket {
  return new Bucket(bytesPerS, clock.now());
}

export interface LimitOptions {
  /** The one that the buckets were made with. */
  readonly clock: Clock;
  /** The carrier's own `wake`. */
  readonly wake: () => void;
}

/** A source that gives what its limits allow. */
export interface LimitedSource extends CarrierSource {
  /** Wakes nobody any more and leaves its place to others; to be called when the carrier is over. */
  stop(): void;
}

/**
 * `source` under all of its buckets at once (the agent's, the peer's, the carrier kind's): the tightest decides.
 * @param bucketsNow asked each time, for limits change while bytes move; with none there is no limit
 */
export function limitSource(source: CarrierSource, bucketsNow: () => readonly Bucket[], { clock, wake }: LimitOptions): LimitedSource {
  let buckets: readonly Bucket[] = [];
  const limited: LimitedSource = {
    takeOutgoing: (max) => {
      follow(bucketsNow());
      const { room, waitMs } = ask(buckets, limited, max, clock.now());
      if (room === 0) {
        wakeIn(waitMs);
        return new Uint8Array(0);
      }
      const bytes = source.takeOutgoing(room);
      for (const bucket of buckets) bucket.take(bytes.length);
      return bytes;
    },
    probe: () => source.probe?.() ?? false,
    stop: () => {
      timer?.cancel();
      follow([]);
    },
  };
  const follow = (next: readonly Bucket[]): void => {
    for (const bucket of buckets) if (!next.includes(bucket)) bucket.leave(limited);
    buckets = next;
  };
  let timer: Timer | undefined;
  const wakeIn = (ms: number): void => {
    timer ??= clock.setTimer(ms, () => {
      timer = undefined;
      wake();
    });
  };
  return limited;
}
