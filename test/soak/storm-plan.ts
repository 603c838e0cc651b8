// What goes wrong in a storm, where and when: chosen by a seed alone. Rule: every kind comes once before any comes again, so that also a short storm
// has them all; the same seed gives the same storm.

import { randomOf } from './faults.ts';

/** Faults of the way between a device and the server, or of the server's SOCKS5 proxy: see `doFault` of faults.ts. */
const WAY = ['cut', 'stall', 'stall-both', 'hold', 'slow', 'half-close', 'refuse', 'black-hole'] as const;
/** Faults of a device: it sleeps, or past the time that the server waits for it; it, its git or both are killed; its disk, its descriptors, its clock. */
const DEVICE = ['sleep', 'expire', 'kill-agent', 'kill-git', 'kill-both', 'disk-full', 'disk-tight', 'read-only', 'descriptors', 'clock-forward', 'clock-back'] as const;
/** The server restarts; two devices push the same branch of the third at one moment. */
const COMMON = ['restart', 'both-push'] as const;
export const KINDS = [...WAY, ...DEVICE, ...COMMON] as const;

export interface StormFault {
  /** Milliseconds from the beginning, and how long it lasts. */
  readonly at: number;
  readonly ms: number;
  readonly kind: (typeof KINDS)[number];
  /** A device; for a fault of the way also `proxy65`; for `both-push` the one that is pushed to. */
  readonly place: string;
  readonly direction: 'up' | 'down';
  /** What it is about: bytes a second that `slow` leaves, bytes that `disk-tight` leaves, descriptors that may still be opened, seconds that the clock is set. */
  readonly amount: number;
}

/** Two faults of a device never overlap; those of the ways do with everything. */
const PAUSE_MS = { min: 800, max: 3_500 };
const LASTS_MS = { min: 500, max: 6_000 };
/** How long the server keeps a session that says nothing, and the sleep that is past it. */
export const SILENCE_S = 12;
const EXPIRED_MS = 2 * SILENCE_S * 1_000 + 2_000;

/** All faults of a storm, in order. The last quarter of a minute has none that take long to be noticed. */
export function planStorm(seed: number, { lengthMs, devices, hasClock }: { readonly lengthMs: number; readonly devices: readonly string[]; readonly hasClock: boolean }): readonly StormFault[] {
  const random = randomOf(seed);
  const between = ({ min, max }: typeof PAUSE_MS): number => Math.round(min + random() * (max - min));
  const oneOf = (values: readonly string[]): string => values[Math.floor(random() * values.length)] ?? '';
  const known = KINDS.filter((kind) => hasClock || !kind.startsWith('clock'));
  const faults: StormFault[] = [];
  let deck: (typeof KINDS)[number][] = [];
  for (let at = between(PAUSE_MS); at < lengthMs; at += between(PAUSE_MS)) {
    if (deck.length === 0) deck = shuffled(known, random);
    const kind = deck.pop() ?? 'cut';
    faults.push({
      at,
      ms: kind === 'expire' ? EXPIRED_MS : between(LASTS_MS),
      kind,
      place: isOfTheWay(kind) && random() < 0.25 ? 'proxy65' : oneOf(devices),
      direction: random() < 0.5 ? 'up' : 'down',
      amount: amountOf(kind, random()),
    });
  }
  return faults;
}

export function isOfTheWay(kind: StormFault['kind']): boolean {
  return WAY.some((each) => each === kind);
}

/** Whether it happens to one device, which has one of them at a time. */
export function isOfADevice(kind: StormFault['kind']): boolean {
  return DEVICE.some((each) => each === kind);
}

function amountOf(kind: StormFault['kind'], share: number): number {
  if (kind === 'slow') return Math.round(20_000 + share * 180_000);
  if (kind === 'disk-tight') return Math.round(share * 400_000);
  if (kind === 'descriptors') return Math.floor(share * 12);
  // From an hour to nine days; a clock that is set back by more than the age of the server's certificate would only show one thing.
  const seconds = Math.round(3_600 + share ** 2 * 9 * 86_400);
  return kind === 'clock-back' ? -seconds : seconds;
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values.map((value) => ({ value, key: random() })).toSorted((one, other) => one.key - other.key).map(({ value }) => value);
}

/** One line, without the time. */
export function formatStormFault({ kind, ms, direction, place, amount }: StormFault): string {
  const days = `${(Math.abs(amount) / 3_600).toFixed(1)} hours`;
  const what: Record<StormFault['kind'], string> = {
    cut: 'cut',
    stall: `stall ${direction} for ${ms} ms`,
    'stall-both': `stall for ${ms} ms`,
    hold: `half-open for ${ms} ms, newer ones overtake`,
    slow: `${amount} B/s for ${ms} ms`,
    'half-close': `half-close ${direction}`,
    refuse: `refuse for ${ms} ms`,
    'black-hole': 'black hole',
    sleep: `sleeps for ${ms} ms`,
    expire: `sleeps for ${ms} ms, past the server's patience`,
    'kill-agent': 'kill -9 of the agent',
    'kill-git': "kill -9 of the agent's git",
    'kill-both': 'kill -9 of the agent and its git',
    'disk-full': `disk full for ${ms} ms`,
    'disk-tight': `${amount} bytes left on the disk for ${ms} ms`,
    'read-only': `read-only file system for ${ms} ms`,
    descriptors: `${amount} more descriptors for ${ms} ms`,
    'clock-forward': `clock set forward by ${days} for ${ms} ms`,
    'clock-back': `clock set back by ${days} for ${ms} ms`,
    restart: 'the server restarts',
    'both-push': 'the others push one branch to it at one moment',
  };
  return kind === 'restart' ? what.restart : `${place}: ${what[kind]}`;
}
