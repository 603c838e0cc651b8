#!/usr/bin/env node
// The README's picture: runs `npm run demo` for real (or takes a recorded run: `node scripts/picture.mjs run.txt`) and draws what it
// wrote as docs/demo.svg. Rule: no line is changed; steps that are left out are marked; nothing of this machine gets in.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** First words of the steps that are shown. */
const SHOWN = ['git-xmpp:', 'Pair ', 'Clone ', 'Commit ', 'How long', '  ✓ all of it'];
const LEFT_OUT = '  ⋮';

const COLUMNS = 80;
const ADVANCE = 8.4;
const LINE = 20;
const MARGIN = 22;
const BAR = 34;

/** What a line is known by, and its class. */
const STYLES = [
  [/^ {2}✓/, 'good'],
  [/^\S/, 'head'],
  [/^ {2}\w+\$/, 'typed'],
  [/is cut$|resumed at byte/, 'cut'],
  [/^ +git xmpp pair \d/, 'head'],
  [/^ {2}⋮/, 'faint'],
];

/** The lines to be drawn: whole steps, with a mark for those between them. */
export function choose(output) {
  const steps = output.trimEnd().split(/\n{2,}/);
  const lines = [];
  let isGap = false;
  for (const step of steps) {
    const isShown = SHOWN.some((words) => step.startsWith(words));
    if (isShown) lines.push(...(lines.length === 0 ? [] : [isGap ? LEFT_OUT : '']), ...step.split('\n'));
    isGap = !isShown;
  }
  const missing = SHOWN.filter((words) => !lines.some((line) => line.startsWith(words)));
  if (missing.length > 0) throw new Error(`the run has no step ${missing.join(', ')}`);
  const personal = lines.find((line) => /(?:^|[\s"'=:])\/\w/.test(line));
  if (personal !== undefined) throw new Error(`a path of this machine is in: ${personal}`);
  return lines;
}

/** An SVG of text only, on a dark ground. */
export function draw(lines) {
  const width = Math.ceil(COLUMNS * ADVANCE + 2 * MARGIN);
  const height = BAR + lines.length * LINE + MARGIN;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) => `<circle cx="${MARGIN + index * 18}" cy="18" r="5.5" fill="${fill}"/>`);
  const rows = lines.map((line, index) => drawLine(line, BAR + (index + 1) * LINE));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    '<title>npm run demo, as it ran</title>',
    '<style>',
    'text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #c9d1d9; }',
    '.head { font-weight: 700; fill: #f0f6fc; } .typed { fill: #79c0ff; } .good { fill: #56d364; } .cut { fill: #e3b341; } .faint { fill: #6e7681; }',
    '</style>',
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    ...dots,
    `<text class="faint" x="${width / 2}" y="23" text-anchor="middle">npm run demo</text>`,
    ...rows.filter((row) => row !== ''),
    '</svg>',
    '',
  ].join('\n');
}

/** Each run of words at its own column, so that columns stay in line in every font. */
function drawLine(line, y) {
  const [, style] = STYLES.find(([pattern]) => pattern.test(line)) ?? [];
  const parts = [...line.matchAll(/\S+(?: \S+)*/g)].map(
    ({ 0: words, index }) => `<tspan x="${(MARGIN + index * ADVANCE).toFixed(1)}">${escape(words)}</tspan>`,
  );
  return parts.length === 0 ? '' : `<text y="${y}"${style === undefined ? '' : ` class="${style}"`}>${parts.join('')}</text>`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function record() {
  const { status, stdout } = spawnSync(process.execPath, ['scripts/run.mjs', 'demo'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  process.stdout.write(stdout);
  if (status !== 0) throw new Error(`the demo ended with ${status}; no picture is drawn of that`);
  return stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , recorded] = process.argv;
  const output = recorded === undefined ? record() : readFileSync(recorded, 'utf8');
  writeFileSync(path.join(root, 'docs/demo.svg'), draw(choose(output)));
}
