// A RunGit for specs of folders that are handed one. Rule: it starts the real git, in an environment that is the spec's alone.

import { execa } from 'execa';
import { Fault } from '../../src/lib/errors.ts';
import type { RunGit } from '../../src/lib/git-run.ts';

/** Runs git with HOME at `home` and no configuration but what lies there. */
export function runGitAt(home: string): RunGit {
  return async (args, options = {}) => {
    const config = Object.entries(options.config ?? {}).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    const dir = options.dir === undefined ? [] : ['-C', options.dir];
    const result = await execa('git', [...dir, ...config, ...args], {
      env: { PATH: process.env['PATH'], HOME: home, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C', ...options.env },
      extendEnv: false,
      input: options.input ?? '',
      reject: false,
      stripFinalNewline: false,
      timeout: options.deadlineMs ?? 60_000,
    });
    const exitCode = result.exitCode ?? 255;
    if (!(options.okCodes ?? [0]).includes(exitCode)) throw new Fault('git', `git ${args[0] ?? ''}: ${result.stderr.trim()}`);
    return { stdout: result.stdout, stderr: result.stderr, exitCode };
  };
}
