// A length of time as people write it: `90s`, `30m`, `2h`, `7d`. Rule: one whole number and one unit, within the bounds that are
// handed in; anything else is an error that shows what would have been right.

import { InputFault } from './errors.ts';

/** Milliseconds of each unit. */
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof UNITS;

/** What a duration may be, in milliseconds. */
export interface DurationBounds {
  readonly min: number;
  readonly max: number;
}

/**
 * Milliseconds of `90s`, `30m`, `2h` or `7d`.
 * @param what names the value in errors
 * @throws InputFault on any other form (no unit, a fraction, two units, a space), and outside of the bounds
 */
export function parseDuration(what: string, text: string, { min, max }: DurationBounds): number {
  const [, digits, unit] = /^(0|[1-9]\d{0,8})([smhd])$/.exec(text) ?? [];
  if (digits === undefined) throw new InputFault(what, 'is no duration, such as 90s, 30m or 2h');
  const ms = Number(digits) * UNITS[unit as Unit];
  if (ms < min || ms > max) throw new InputFault(what, `is not between ${formatDuration(min)} and ${formatDuration(max)}`);
  return ms;
}

/** The shortest text that stands for whole seconds; what is less is rounded up. `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  const whole = Math.ceil(ms / UNITS.s) * UNITS.s;
  const unit = (['d', 'h', 'm'] as const).find((each) => whole > 0 && whole % UNITS[each] === 0) ?? 's';
  return `${whole / UNITS[unit]}${unit}`;
}
