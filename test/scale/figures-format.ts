// Figures of a measurement as lines for a terminal, Markdown, and a plot. Rule: pure; a number is shown as it was measured, and none where there is none.

/** Columns by name; every row has the same. */
export type Figures = Readonly<Record<string, number | string | undefined>>;

/** The value below which a share of all values lies; undefined of none. */
export function percentile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Of two times on one machine, whatever else it did; undefined where one is missing. */
export function ratio(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other;
}

/** Three digits that count: `0.123`, `12.3`, `1234`. */
export function formatNumber(value: number | string | undefined): string {
  if (value === undefined) return '-';
  if (typeof value === 'string') return value;
  const digits = value === 0 || Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

/** The rows as a table of Markdown, which is a table on a terminal too. */
export function formatTable(rows: readonly Figures[]): string[] {
  const [first] = rows;
  if (first === undefined) return [];
  const names = Object.keys(first);
  const cells = [names, ...rows.map((row) => names.map((name) => formatNumber(row[name])))];
  const widths = names.map((_name, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `|${widths.map((width) => `${'-'.repeat(width + 1)}:`).join('|')}|`, ...body.map(line)];
}

export interface Plot {
  readonly title: string;
  /** What grows, and what is read off. */
  readonly across: string;
  readonly up: string;
  readonly lines: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 300, 64, 150, 40, 46];
/** Told apart by people who see few colours, too (Okabe and Ito). */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'];

/** An SVG on a white ground: readable on a light page and on a dark one. */
export function drawPlot({ title, across, up, lines }: Plot): string {
  const all = lines.flatMap(({ points }) => points);
  const [right, top] = [ceiling(Math.max(...all.map(([x]) => x))), ceiling(Math.max(...all.map(([, y]) => y)))];
  const x = (value: number): number => LEFT + (value / right) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const text = (at: readonly [number, number], words: string, more = ''): string => `<text x="${at[0].toFixed(1)}" y="${at[1].toFixed(1)}"${more}>${escape(words)}</text>`;
  const steps = [0, 0.25, 0.5, 0.75, 1];
  const grid = steps.flatMap((step) => [
    `<path class="grid" d="M${LEFT} ${y(top * step).toFixed(1)}H${WIDTH - RIGHT}"/>`,
    text([LEFT - 8, y(top * step) + 4], formatNumber(top * step), ' text-anchor="end"'),
    text([x(right * step), HEIGHT - BOTTOM + 18], formatNumber(right * step), ' text-anchor="middle"'),
  ]);
  const drawn = lines.flatMap(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? '#000';
    const path = points.map(([px, py], at) => `${at === 0 ? 'M' : 'L'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join('');
    const dots = points.map(([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3.5" fill="${colour}"/>`);
    const label = [WIDTH - RIGHT + 14, TOP + 14 + index * 18] as const;
    return [`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...dots, text(label, name, ` fill="${colour}" class="name"`)];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escape(title)}</title>`,
    '<style>text { font: 12px system-ui, sans-serif; } .title { font-weight: 700; font-size: 14px; } .name { font-weight: 700; } .grid { stroke: #ddd; fill: none; }</style>',
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="8" fill="#fff"/>`,
    text([LEFT, 22], title, ' class="title"'),
    ...grid,
    text([(LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8], across, ' text-anchor="middle"'),
    text([WIDTH - RIGHT + 14, HEIGHT - BOTTOM], up),
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

/** The next of 1, 2, 2.5, 4, 5, 8 times a power of ten: quarters of it are short numbers. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
