// Text in the cells of a terminal: how wide it is, cut and wrapped to fit (Unicode Standard Annex #11). Rule: what is counted is never less than what a
// terminal shows, and nothing that steers a terminal, or turns the order of letters round, comes through.

import { clean } from '../lib/steering.ts';

/** A part of a line that looks alike; the words for looks say what they mean. */
export interface Piece {
  readonly text: string;
  readonly style?: Style;
}

export type Style = 'bold' | 'faint' | 'good' | 'wait' | 'bad';

/** One line of the terminal. */
export type Row = readonly Piece[];

/** Shown over what comes before: marks, joiners, other format characters. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
/** Asks for the coloured form of what comes before, which some terminals show wider. */
const WIDENS = '\ufe0f';
/** Two cells each (EastAsianWidth.txt, W and F), and pictures. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f000}-\u{1faff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]$/u;

/** Cells that `text` takes at most. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const sign of text) cells += widthOf(sign);
  return cells;
}

function widthOf(sign: string): number {
  if (sign >= ' ' && sign <= '~') return 1;
  if (sign === WIDENS) return 1;
  if (ZERO.test(sign)) return 0;
  return WIDE.test(sign) ? 2 : 1;
}

/** As much of `text` as fits, and a sign that there was more. */
export function cut(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  return cells < 1 ? '' : `${head(text, cells - 1)}…`;
}

/** The longest beginning of `text` that fits. */
function head(text: string, cells: number): string {
  let [taken, left] = ['', cells];
  for (const sign of text) {
    left -= widthOf(sign);
    if (left < 0) break;
    taken += sign;
  }
  return taken;
}

/** `text` with spaces behind it, up to `cells`. */
export function pad(text: string, cells: number): string {
  return text + ' '.repeat(Math.max(0, cells - cellsOf(text)));
}

export interface Wrapping {
  /** Cells of a line; Infinity for no end. */
  readonly width: number;
  /** Spaces before the first line, and before the others. */
  readonly indent: number;
  readonly hang: number;
}

/** `pieces` as lines that are no wider than `width`: broken at spaces, a longer word where the line ends. */
export function wrap(pieces: readonly Piece[], { width, indent, hang }: Wrapping): Row[] {
  const rows: Piece[][] = [];
  // Where hardly anything would be left for words, they begin at the edge.
  const margin = (cells: number): number => (width - cells < 8 ? 0 : cells);
  let row: Piece[] = [];
  let used = margin(indent);
  const begin = (cells: number): void => {
    row = cells > 0 ? [{ text: ' '.repeat(cells) }] : [];
    used = cells;
    rows.push(row);
  };
  begin(used);
  let isFirst = true;
  for (const { text, style } of pieces) {
    for (const [word] of clean(text).matchAll(/ +|[^ ]+/g)) {
      if (used + cellsOf(word) > width && !isFirst) begin(margin(hang));
      const isSpace = word.startsWith(' ');
      // The space at which a line was broken is not shown.
      if (isSpace && used === margin(hang) && rows.length > 1) continue;
      for (const part of partsOf(word, width - used, width - margin(hang))) {
        if (used + cellsOf(part) > width) begin(margin(hang));
        append(row, { text: part, ...(style === undefined ? {} : { style }) });
        used += cellsOf(part);
      }
      isFirst = false;
    }
  }
  return rows.map(withoutEnd);
}

/** What looks alike is one piece. */
function append(row: Piece[], piece: Piece): void {
  const last = row.at(-1);
  if (last === undefined || last.style !== piece.style) row.push(piece);
  else row[row.length - 1] = { ...last, text: last.text + piece.text };
}

/** A word that is longer than a line, in parts: the first fits into `first` cells, the others into `rest`. */
function partsOf(word: string, first: number, rest: number): string[] {
  if (cellsOf(word) <= first) return [word];
  const parts: string[] = [];
  let [left, room] = [word, first];
  while (left !== '') {
    const part = head(left, room) || String.fromCodePoint(left.codePointAt(0) ?? 0);
    parts.push(part);
    left = left.slice(part.length);
    room = rest;
  }
  return parts;
}

/** Without spaces at the end, where no terminal shows them. */
function withoutEnd(row: readonly Piece[]): Row {
  const kept = [...row];
  for (let last = kept.at(-1); last !== undefined; last = kept.at(-1)) {
    const text = last.text.trimEnd();
    if (text === last.text) break;
    kept.pop();
    if (text !== '') kept.push({ ...last, text });
  }
  return kept;
}

/** Rows in columns, each column as wide as its widest cell and two spaces apart. */
export function columns(rows: readonly (readonly string[])[]): string[][] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cellsOf(cell))));
  return rows.map((row) => row.map((cell, index) => (index === row.length - 1 ? cell : `${pad(cell, widths[index] ?? 0)}  `)));
}

/** The text of a row, as it is where there are no colours. */
export function plain(row: Row): string {
  return row.map(({ text }) => text).join('');
}
