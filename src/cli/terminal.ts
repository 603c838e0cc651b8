// What the terminal of a command can show. Rule: asked anew each time, for a window may change; colour only where a person sees it and has not
// said no (no-color.org).

import { homedir } from 'node:os';
import type { Row, Style } from './cells-format.ts';
import { plain } from './cells-format.ts';
import { realClock } from '../lib/clock.ts';
import type { StatusLook } from './status-format.ts';

type Out = NodeJS.WriteStream;

/** Select Graphic Rendition (ECMA-48, 8.3.117): on, off. */
const CODES: Readonly<Record<Style, readonly [number, number]>> = { bold: [1, 22], faint: [2, 22], good: [32, 39], wait: [33, 39], bad: [31, 39] };

/** Whether what is written can be written over. */
export function isLive(out: Out): boolean {
  return out.isTTY && process.env['TERM'] !== 'dumb';
}

export function hasColour(out: Out): boolean {
  return isLive(out) && (process.env['NO_COLOR'] ?? '') === '';
}

/** Cells of a line: of the terminal; of COLUMNS where there is none; without either a line never ends. */
export function widthOf(out: Out): number {
  const told = Number(process.env['COLUMNS'] ?? '');
  const { columns } = out;
  if (out.isTTY && columns > 0) return columns;
  return Number.isInteger(told) && told > 0 ? told : Infinity;
}

/** How a status is to look on `out` now. */
export function lookOf(out: Out): StatusLook {
  const { env } = process;
  const charset = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((each) => each !== undefined && each !== '') ?? '';
  // Where nothing is said, as on macOS's own terminal over ssh, nearly everybody has UTF-8; `C` says that it is not.
  const isUnicode = charset === '' || /utf-?8/i.test(charset);
  return { width: widthOf(out), isUnicode, now: realClock.now(), homeDir: homedir() };
}

/** A row as it is written. */
export function paint(row: Row, isColoured: boolean): string {
  if (!isColoured) return plain(row);
  return row.map(({ text, style }) => (style === undefined ? text : `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m`)).join('');
}
