// `npm run prove`: runs the long proof and writes docs/RELIABILITY.md. Rule: a part that fails does not keep the others from running; the exit code
// is 0 when all ended right, 1 when not, 2 for wrong use.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Figures } from './figures.ts';
import { formatReport, merge } from './report-format.ts';
import type { Outcome } from './report-format.ts';
import { commandOf, stepsOf } from './steps.ts';
import type { Step } from './steps.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REPORT = path.join(ROOT, 'docs/RELIABILITY.md');
/** What the page is made from, so that one part can be run anew. */
const OUTCOMES = path.join(ROOT, 'docs/reliability.json');

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' }, only: { type: 'string' } } });
const scale = Number(values.scale);
const all = stepsOf(scale);
const steps = all.filter(({ name }) => values.only === undefined || name.includes(values.only));
if (!(scale > 0 && scale <= 1) || steps.length === 0) {
  console.error('usage: npm run prove -- [--scale 0.1] [--only "part of a name"]');
  process.exit(2);
}
const before = existsSync(OUTCOMES) ? (JSON.parse(readFileSync(OUTCOMES, 'utf8')) as Outcome[]) : [];
const now: Outcome[] = [];
for (const step of steps) {
  now.push(await runStep(step));
  // Whoever interrupts it keeps what has ended.
  write(merge(all.map(({ name }) => name), before, now));
}
process.exit(now.every(({ code }) => code === 0) ? 0 : 1);

function write(outcomes: readonly Outcome[]): void {
  writeFileSync(OUTCOMES, `${JSON.stringify(outcomes, null, 2)}\n`);
  writeFileSync(REPORT, formatReport(all.map(({ name }) => name), outcomes));
}

function runStep(step: Step): Promise<Outcome> {
  const command = commandOf(step);
  console.log(`\n== ${step.name}: ${command}`);
  const start = performance.now();
  const about = { date: new Date().toISOString().slice(0, 10), commit: readCommit(), scale, versions: readVersions() };
  const child = spawn('npm', step.args, { cwd: ROOT, env: { ...process.env, ...step.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  const figures = new Figures(os.tmpdir());
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    process.stdout.write(part);
    figures.hear(part);
  });
  const { name, shows } = step;
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const seconds = Math.round((performance.now() - start) / 1000);
      resolve({ name, shows, command, code: code ?? 1, seconds, figures: code === 0 ? figures.last(step.figures) : figures.ofFailure(), ...about });
    });
  });
}

function run(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

function readCommit(): string {
  const commit = run('git', 'rev-parse', '--short', 'HEAD')?.trim() ?? '';
  const changes = run('git', 'status', '--porcelain', '--', '.', ':!docs') ?? '';
  return changes === '' ? commit : `${commit} with changes`;
}

function readVersions(): string {
  const first = (command: string, ...args: string[]): string => {
    const said = run(command, ...args);
    return said === undefined ? 'absent' : (/\d+\.[\w.+~-]*/.exec(said)?.[0] ?? 'of no known version');
  };
  const versions = {
    Node: process.versions.node,
    git: first('git', '--version'),
    Prosody: first('prosodyctl', 'about'),
    ejabberd: first('dpkg-query', '--show', '--showformat=${Version}', 'ejabberd'),
    Linux: os.release(),
    cores: String(os.availableParallelism()),
  };
  return Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');
}
