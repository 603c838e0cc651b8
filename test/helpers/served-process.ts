// A real process as links serve one, for specs. Rule: sh and nothing of ours; a spec ends with none left.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { kill } from 'node:process';
import { PassThrough } from 'node:stream';
import { afterEach } from 'vitest';
import type { ServedProcess } from '../../src/link/carry.ts';

export interface TestProcess extends ServedProcess {
  /** SIGTERM was asked for. */
  readonly isKilled: boolean;
  /** Codes that `settle` was called with, and bytes. */
  readonly settled: (readonly [exitCode: number, received: number])[];
}

const running = new Set<TestProcess>();

afterEach(async () => {
  for (const process of running) process.kill();
  await Promise.all([...running].map(({ exit }) => exit));
});

/** Runs `script` with sh. @param settle the code that is told instead */
export function startScript(script: string, settle: (exitCode: number) => number = (code) => code): TestProcess {
  const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let stderr = '';
  let isKilled = false;
  const settled: (readonly [number, number])[] = [];
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  child.stdin.on('error', () => undefined);
  const exit = Promise.all([once(child, 'exit'), once(child.stderr, 'close')]).then(([[code]]) => {
    running.delete(process);
    return typeof code === 'number' ? code : 255;
  });
  const process: TestProcess = {
    stdin: child.stdin,
    // As git/run.ts hands it out: a stream of the reader's own, which nobody else reads away.
    stdout: child.stdout.pipe(new PassThrough()),
    exit,
    stderrTail: () => stderr,
    kill: () => {
      isKilled = true;
      // With all that sh has started, which would hold its streams open.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) kill(-child.pid, 'SIGTERM');
    },
    settle: (exitCode, received) => {
      settled.push([exitCode, received]);
      return Promise.resolve(settle(exitCode));
    },
    get isKilled() {
      return isKilled;
    },
    settled,
  };
  running.add(process);
  return process;
}
