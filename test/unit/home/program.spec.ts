// Programs of the user's own: real processes, ended in time with all that they started.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runProgram } from '../../../src/home/program.ts';
import type { ProgramEnd } from '../../../src/home/program.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const PATH = process.env['PATH'];

function start(command: string, options: { readonly cwd?: string; readonly timeoutMs?: number; readonly env?: Record<string, string> } = {}): {
  readonly ended: Promise<ProgramEnd>;
  readonly lines: string[];
  readonly stop: () => void;
  readonly cwd: string;
} {
  const lines: string[] = [];
  const stopping = new AbortController();
  const cwd = options.cwd ?? makeFolder();
  const env = { PATH, ...options.env };
  const ended = runProgram({ command, cwd, env, timeoutMs: options.timeoutMs ?? 60_000, clock: realClock, onLine: (line) => lines.push(line), signal: stopping.signal });
  return { ended, lines, stop: () => stopping.abort(), cwd };
}

/** Whether a process is there and no zombie. */
function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Resolves with the process number that a program wrote. */
async function pidIn(file: string): Promise<string> {
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'));
  return readFileSync(file, 'utf8').trim();
}

describe('runProgram', () => {
  it('runs a command line in the folder, with just the variables that it is given', async () => {
    const { ended, lines, cwd } = start('pwd; echo "$TOLD|$HOME"; echo wrong >&2; exit 3', { env: { TOLD: '$(id); `id`' } });
    expect(await ended).toEqual({ code: 3 });
    expect(lines.toSorted()).toEqual(['$(id); `id`|', cwd, 'wrong'].toSorted());
  });

  it('says why it could not be started', async () => {
    expect(await start('true', { cwd: '/nowhere' }).ended).toEqual({ failed: expect.stringContaining('ENOENT') });
    expect(await start('no-such-program-here').ended).toEqual({ code: 127 });
  });

  it('ends it in time, with its children', async () => {
    const { ended, cwd } = start('sleep 1000 & echo $! > child; wait', { timeoutMs: 300 });
    const child = await pidIn(join(cwd, 'child'));
    expect(await ended).toEqual({ why: 'timeout' });
    await until(() => !isRunning(child));
  });

  it('ends it when the agent stops, also one that does not want to', async () => {
    const { ended, stop, cwd } = start(`trap '' TERM; sleep 1000 & echo $! > child; wait; wait; wait`);
    const child = await pidIn(join(cwd, 'child'));
    stop();
    expect(await ended).toEqual({ why: 'stopped' });
    await until(() => !isRunning(child));
  });

  it('does not wait for what it left behind, and lets that be', async () => {
    const { ended, cwd } = start('sleep 1000 & echo $! > child');
    expect(await ended).toEqual({ code: 0 });
    const child = await pidIn(join(cwd, 'child'));
    expect(isRunning(child)).toBe(true);
    process.kill(Number(child));
  });

  it('shows 16 KiB of what it says, and reads the rest away', async () => {
    const { ended, lines } = start('i=0; while [ $i -lt 20000 ]; do echo "line $i of many, many lines"; i=$((i+1)); done; echo the end');
    expect(await ended).toEqual({ code: 0 });
    expect(lines.at(-1)).toBe('… (more is not shown)');
    expect(lines.join('\n').length).toBeLessThan(17_000);
  });
});
