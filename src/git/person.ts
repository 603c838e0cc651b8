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
