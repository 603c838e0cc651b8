// `npm run prove`: runs the long proof and writes docs/RELIABILITY.md. Rule: a part that fails does not keep the others from running; the exit code
// is 0 when all ended right, 1 when not, 2 for wrong use.

import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { formatReport } from './report-format.ts';
import type { Outcome } from './report-format.ts';
import { stepsOf } from './steps.ts';
import type { Step } from './steps.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const REPORT = path.join(ROOT, 'docs/RELIABILITY.md');

const { values } = parseArgs({ options: { scale: { type: 'string', default: '1' }, only: { type: 'string' } } });
const scale = Number(values.scale);
const steps = stepsOf(scale).filter(({ name }) => values.only === undefined || name.includes(values.only));
if (!(scale > 0 && scale <= 1) || steps.length === 0) {
  console.error('usage: npm run prove -- [--scale 0.1] [--only "part of a name"]');
  process.exit(2);
}
const outcomes: Outcome[] = [];
for (const step of steps) outcomes.push(await runStep(step));
const report = formatReport({ date: new Date().toISOString().slice(0, 10), versions: readVersions(), scale, outcomes });
// A part of the proof is no proof, so it is only shown.
if (values.only === undefined) writeFileSync(REPORT, report);
else console.log(report);
process.exit(outcomes.every(({ code }) => code === 0) ? 0 : 1);

function runStep(step: Step): Promise<Outcome> {
  console.log(`\n== ${step.name}: npm ${step.args.join(' ')}`);
  const start = performance.now();
  const child = spawn('npm', step.args, { cwd: ROOT, env: { ...process.env, ...step.env }, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part: Buffer) => {
    process.stdout.write(part);
    output = (output + part.toString()).slice(-64 * 1024);
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      const lines = stripVTControlCharacters(output).split('\n').filter((line) => line.trim() !== '');
      resolve({ step, code: code ?? 1, seconds: (performance.now() - start) / 1000, figures: lines.slice(-step.figures) });
    });
  });
}

function readVersions(): Record<string, string> {
  const first = (command: string, ...args: string[]): string => {
    try {
      return /\d+\.[\w.+~-]*/.exec(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))?.[0] ?? 'of no known version';
    } catch {
      return 'absent';
    }
  };
  return {
    Node: process.versions.node,
    git: first('git', '--version'),
    Prosody: first('prosodyctl', 'about'),
    ejabberd: first('dpkg-query', '--show', '--showformat=${Version}', 'ejabberd'),
    Linux: os.release(),
    cores: String(os.availableParallelism()),
  };
}
