// What goes wrong on the path, and when: chosen by a seed alone. Rule: the same seed gives the same faults at the same moments.

import type { Direction, TcpProxy } from '../helpers/tcp-proxy.ts';

/** The places where faults happen: before the server for each device, and before the server's SOCKS5 proxy. */
export type Place = 'laptop' | 'desktop' | 'proxy65';

export interface Fault {
  /** Milliseconds from the beginning, and how long it lasts. */
  readonly at: number;
  readonly ms: number;
  readonly place: Place;
  readonly kind: (typeof KINDS)[number];
  readonly direction: Direction;
  /** What `slow` leaves, in bytes a second. */
  readonly rate: number;
}

/** `hold` lets newer connections overtake the ones it holds; a black hole never gives back what it took. */
const KINDS = ['cut', 'stall', 'stall-both', 'hold', 'slow', 'half-close', 'refuse', 'black-hole'] as const;
/** Noticing a black hole takes half a minute, so there are few. */
const BLACK_HOLE_EVERY_MS = 60_000;
const PAUSE_MS = { min: 1_500, max: 6_000 };
const LASTS_MS = { min: 500, max: 5_000 };

/** Numbers from 0 up to 1 (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All faults of a run. */
export function planFaults(seed: number, lengthMs: number, places: readonly Place[]): readonly Fault[] {
  const random = randomOf(seed);
  const between = ({ min, max }: typeof PAUSE_MS): number => Math.round(min + random() * (max - min));
  const oneOf = <T>(values: readonly T[], fallback: T): T => values[Math.floor(random() * values.length)] ?? fallback;
  const faults: Fault[] = [];
  let nextHole = Math.min(BLACK_HOLE_EVERY_MS, lengthMs / 4);
  for (let at = between(PAUSE_MS); at < lengthMs; at += between(PAUSE_MS)) {
    const isHole = at >= nextHole;
    if (isHole) nextHole += BLACK_HOLE_EVERY_MS;
    faults.push({
      at,
      ms: between(LASTS_MS),
      place: oneOf(places, 'laptop'),
      kind: isHole ? 'black-hole' : oneOf(KINDS.slice(0, -1), 'cut'),
      direction: oneOf(['up', 'down'], 'up'),
      rate: Math.round(20_000 + random() * 180_000),
    });
  }
  return faults;
}

/** Does one fault; resolves when it is over. */
export async function doFault({ kind, ms, direction, rate }: Fault, proxy: TcpProxy): Promise<void> {
  const lasting: Partial<Record<Fault['kind'], readonly [() => unknown, () => unknown]>> = {
    stall: [() => proxy.stall(direction), () => proxy.resume(direction)],
    'stall-both': [() => proxy.stall(), () => proxy.resume()],
    hold: [() => proxy.hold(), () => proxy.release()],
    slow: [() => proxy.slow(rate), () => proxy.slow(undefined)],
    refuse: [() => proxy.refuse(true), () => proxy.refuse(false)],
  };
  const pair = lasting[kind];
  if (pair !== undefined) {
    pair[0]();
    await new Promise((resolve) => setTimeout(resolve, ms));
    pair[1]();
  } else if (kind === 'cut') proxy.cut();
  else if (kind === 'half-close') proxy.halfClose(direction);
  else proxy.abandon();
}

export function formatFault({ kind, ms, direction, place, rate }: Fault): string {
  const what: Record<Fault['kind'], string> = {
    cut: 'cut',
    stall: `stall ${direction} for ${ms} ms`,
    'stall-both': `stall for ${ms} ms`,
    hold: `hold for ${ms} ms, newer ones overtake`,
    slow: `${rate} B/s for ${ms} ms`,
    'half-close': `half-close ${direction}`,
    refuse: `refuse for ${ms} ms`,
    'black-hole': 'black hole',
  };
  return `${place}: ${what[kind]}`;
}
