// Runs another program in our place: Node has no exec(2). Rule: it gets our very pipes, and we end as it ends.

import { constants } from 'node:os';
import { Fault, messageOf } from '../src/lib/errors.ts';
import type { Env } from './start-agent.ts';

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGINT'];

/** @returns its exit code, 128 + n when signal n ended it. @throws Fault when it cannot be started */
export async function runProgram(
  file: string,
  args: readonly string[],
  { env, dir }: { readonly env: Env; readonly dir?: string },
): Promise<number> {
  const { spawn } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', env: { ...env }, ...(dir === undefined ? {} : { cwd: dir }) });
    for (const signal of PASSED_ON) process.on(signal, () => child.kill(signal));
    child.once('error', (error) => reject(new Fault('internal', `${file} cannot be run: ${messageOf(error)}`, { cause: error })));
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
