// git as the person at the terminal would start it, with its own progress on that terminal (git-clone(1)).
// Rule: their environment and configuration, untouched but for a PATH on which our helper is found.

import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';

/**
 * Runs git on this process's terminal.
 * @param options.helpers folders that may hold `git-remote-xmpp`
 * @returns the exit code; 127 when there is no git
 */
export function runForPerson(
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string | undefined>>; readonly helpers: readonly string[] },
): Promise<number> {
  const path = [...options.helpers, options.env['PATH'] ?? ''].join(delimiter);
  const git = spawn('git', args, { stdio: 'inherit', env: { ...options.env, PATH: path } });
  return new Promise((done) => {
    git.once('error', () => done(127));
    git.once('exit', (code) => done(code ?? 255));
  });
}

/** Runs git with the person's configuration and keeps what it prints; what it complains of goes to their terminal as well, unless it is quiet. */
export function askForPerson(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const git = spawn('git', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...env } });
  let [stdout, stderr] = ['', ''];
  git.stdout.on('data', (part: Buffer) => (stdout += part.toString()));
  git.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  return new Promise((done) => {
    git.once('error', () => done({ code: 127, stdout, stderr: 'git was not found' }));
    git.once('close', (code) => done({ code: code ?? 255, stdout, stderr }));
  });
}
