// The table on a terminal, or as Markdown with what it was measured on. Rule: versions come from the programs themselves.

import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { table } from '../../src/cli/out.ts';
import type { Row } from './setting.ts';

const HEAD: Row = ['what', 'p50', 'p95, worst', 'beside', 'p50', 'ratio'];

export function printRows(rows: readonly Row[], isMarkdown: boolean): void {
  const lines = isMarkdown ? [...about(), '', ...markdown(rows)] : table([HEAD, ...rows].map((row) => [...row]));
  for (const line of lines) console.log(line);
}

function markdown(rows: readonly Row[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(HEAD), line(HEAD.map(() => '---')), ...rows.map(line)];
}

function about(): string[] {
  const versions = [`Node ${process.versions.node}`, said('git', ['--version']), said('prosodyctl', ['about'], /^Prosody \S+/m), said('ssh', ['-V'], /^OpenSSH_\S+/m)];
  const date = new Date().toISOString().slice(0, 10);
  return [`Measured on ${date}, ${os.cpus().length} cores (${os.cpus()[0]?.model.trim() ?? 'unknown'}): ${versions.join(', ')}.`];
}

/** What a program says of itself; ssh says it on stderr. */
function said(program: string, args: readonly string[], pattern = /.+/): string {
  try {
    const text = execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', program, ...args], { encoding: 'utf8' });
    return pattern.exec(text)?.[0] ?? program;
  } catch {
    return `${program} of an unknown version`;
  }
}
