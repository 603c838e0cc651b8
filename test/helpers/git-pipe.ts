// Two real git processes joined by pipes, as a link joins them.
// Rule: what one says the other hears, byte for byte, half-close included.

import { createRunGit, createStartGit } from '../../src/git/run.ts';
import { openRepository } from '../../src/git/repository.ts';
import type { Repository } from '../../src/git/repository.ts';
import type { ServiceStart } from '../../src/git/services.ts';
import type { GitConfig } from '../../src/git/environment.ts';
import { cleanEnv } from './repo.ts';
import type { TestRepo } from './repo.ts';

export interface PipedResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly serviceExit: number;
  readonly serviceStderr: string;
  /** Bytes that the asking git wrote to the service. */
  readonly sentBytes: number;
}

/** Runs `args` (with `fd::3,4` somewhere) in `from`, joined to `service`. */
export async function runPiped(
  from: TestRepo,
  asking: { readonly args: readonly string[]; readonly config?: GitConfig },
  service: ServiceStart,
): Promise<PipedResult> {
  const startGit = createStartGit(cleanEnv());
  const far = startGit(service.args, { config: service.config, env: service.env });
  const near = startGit(asking.args, {
    dir: from.dir,
    extraFds: 2,
    env: { GIT_CONFIG_NOSYSTEM: '1' },
    config: { 'protocol.fd.allow': 'always', ...asking.config },
  });
  const [fdIn, fdOut] = near.extra;
  if (fdIn === undefined || fdOut === undefined) throw new Error('no descriptors');
  let sentBytes = 0;
  fdOut.on('data', (chunk: Buffer) => {
    sentBytes += chunk.length;
  });
  fdOut.pipe(far.stdin);
  far.stdout.pipe(fdIn);
  const stdout: Buffer[] = [];
  near.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  near.stdin.end();
  const exitCode = await near.exit;
  far.stdin.end();
  const serviceExit = await far.exit;
  return {
    exitCode,
    stdout: Buffer.concat(stdout).toString(),
    stderr: near.stderrTail(),
    serviceExit,
    serviceStderr: far.stderrTail(),
    sentBytes,
  };
}

/** The repository as the agent opens it. */
export function open(repo: TestRepo): Promise<Repository> {
  return openRepository(createRunGit(cleanEnv()), repo.dir);
}
