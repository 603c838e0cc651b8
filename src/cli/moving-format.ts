// One line of something that moves: a bar, how much, how fast, how long it still takes. Rule: it is one line however narrow the terminal is; what is
// worth least goes first.

import type { TransferStatus } from '../agent/transfers.ts';
import { cellsOf, cut } from './cells-format.ts';
import { formatBytes, formatLeft, formatShare } from './text-format.ts';

/** What a terminal can show, and how wide it is. */
export interface Look {
  /** Cells of a line; Infinity where nobody counts them. */
  readonly width: number;
  /** False where only ASCII is understood. */
  readonly isUnicode: boolean;
}

const BARS = [24, 16, 10, 6] as const;

/** What is told of a transfer: `carrier` may be left out. */
export type Moved = Pick<TransferStatus, 'bytes' | 'total' | 'rate' | 'leftMs'>;

/** `sending  ███████░░░  45 %  12.0 of 26.4 MB  1.2 MB/s  12 s left`, in at most `look.width` cells. */
export function movingLine(verb: string, { bytes, total, rate, leftMs }: Moved, { width, isUnicode }: Look): string {
  const isKnown = total !== undefined && total > 0;
  const share = isKnown ? Math.min(1, bytes / total) : 0;
  const amount = isKnown ? formatShare(Math.min(bytes, total), total) : formatBytes(bytes);
  // Only what has come is all of it.
  const percent = isKnown ? `${Math.floor(share * 100)} %` : '';
  const speed = rate > 0 ? `${formatBytes(rate)}/s` : 'nothing moves';
  const left = leftMs === undefined ? '' : `${formatLeft(leftMs)} left`;
  const bars = isKnown ? BARS.map((cells) => bar(share, cells, isUnicode)) : [''];
  const [longest = ''] = bars;
  const candidates = [
    ...bars.map((each) => [verb, each, percent, amount, speed, left]),
    ...bars.map((each) => [verb, each, percent, speed, left]),
    [verb, percent, amount, speed, left],
    [verb, percent === '' ? amount : percent, speed, left],
    [verb, percent === '' ? amount : percent, left],
    [verb, percent === '' ? amount : percent],
  ].map((parts) => parts.filter((part) => part !== '').join('  '));
  const wide = width === Infinity ? [verb, longest, percent, amount, speed, left].filter((part) => part !== '').join('  ') : undefined;
  return wide ?? candidates.find((line) => cellsOf(line) <= width) ?? cut(verb, width);
}

/** `███████░░░` or `[#######---]`, `cells` wide. @param share from 0 to 1 */
export function bar(share: number, cells: number, isUnicode: boolean): string {
  const room = isUnicode ? cells : cells - 2;
  const full = Math.floor(Math.min(1, Math.max(0, share)) * room);
  return isUnicode ? '█'.repeat(full) + '░'.repeat(room - full) : `[${'#'.repeat(full)}${'-'.repeat(room - full)}]`;
}

/** What is done, seen from here. */
export function verbOf({ kind, direction }: Pick<TransferStatus, 'kind' | 'direction'>): string {
  const words = { offer: ['sending', 'receiving'], fetch: ['it fetches', 'fetching'], push: ['pushing', 'it pushes'] } as const;
  return words[kind][direction === 'up' ? 0 : 1];
}
