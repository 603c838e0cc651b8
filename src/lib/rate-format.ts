// A rate as people write it into git's configuration: `200k`, `1.5m`, `50000`. Rule: bytes a second, k = 1000 and m = 1000 000; anything
// else is refused with words, for a limit that is misread would be none.

import { InputFault } from './errors.ts';

const RATE = /^(\d{1,12})(?:\.(\d{1,3}))?([kmg]?)$/i;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
/** Under this a block would take longer than a link waits for a sign of life; most likely the unit was forgotten. */
const LEAST = 1000;

/**
 * Bytes a second, or undefined for no limit (absent, empty or `0`).
 * @param name what it is the value of, for the error
 * @throws InputFault on anything else than a number with at most three decimals and `k`, `m` or `g`, and on less than 1000 bytes a second
 */
export function parseRate(name: string, text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  if (trimmed === '') return undefined;
  const [, whole = '', part = '', unit = ''] = RATE.exec(trimmed) ?? [];
  if (whole === '') throw new InputFault(name, 'is no rate: write bytes a second, such as 200k, 1.5m or 50000, or 0 for no limit');
  const rate = Math.round(Number(`${whole}.${part || '0'}`) * (UNITS[unit.toLowerCase()] ?? 1));
  if (rate === 0) return undefined;
  if (rate < LEAST) throw new InputFault(name, `is less than ${LEAST} bytes a second; did you mean ${whole}k?`);
  return rate;
}
