// One `git push` of the agent's own, joined with the service that takes it in on the other side (git-remote-fd(1)). Rule: git is started only once
// the service was accepted, and ends with it; what git said stands in where the other side said nothing.

import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Fault } from '../lib/errors.ts';
import { inRepository } from '../git/environment.ts';
import type { GitPlace } from '../git/environment.ts';
import type { PushStart } from '../git/push.ts';
import type { GitProcess } from '../git/run.ts';
import { passedBytes } from '../link/bulk-gate.ts';
import type { ServiceEnd, ServiceStream } from '../link/services.ts';
import type { RepoContext } from './context.ts';

/**
 * Carries the push to its end.
 * @param push arguments for the descriptors 3 and 4
 * @param push.place whose refs are pushed; the repository itself unless told
 * @param tell is told how to read what has gone out
 * @throws Fault `timeout` when the link was lost
 */
export async function carryPush(
  context: RepoContext,
  service: ServiceStream,
  { args, config, place = inRepository(context.repository) }: PushStart & { readonly place?: GitPlace },
  tell: (read: () => number) => void,
): Promise<ServiceEnd> {
  tell(() => passedBytes(service.upload));
  const { git, fromPeer, toPeer } = startPush(context, service, { args, config, place });
  // After an answer git is about to end by itself.
  service.end.catch(() => git.kill());
  git.stdout.resume();
  await Promise.allSettled([pipeline(service.download, fromPeer), pipeline(toPeer, service.upload)]);
  const [, end] = await Promise.all([git.exit, service.end]);
  return end.stderr.trim() === '' ? { ...end, stderr: git.stderrTail() } : end;
}

/** Where git cannot be started, the stream goes too: the other side waits for a push on it, and a link has few. */
function startPush(
  { startGit }: RepoContext,
  service: ServiceStream,
  { args, config, place }: PushStart & { readonly place: GitPlace },
): { readonly git: GitProcess; readonly fromPeer: Duplex; readonly toPeer: Duplex } {
  try {
    const git = startGit(args, { dir: place.dir, env: place.env, config, extraFds: 2 });
    const [fromPeer, toPeer] = git.extra;
    if (fromPeer !== undefined && toPeer !== undefined) return { git, fromPeer, toPeer };
    git.kill();
    throw new Fault('internal', 'git was started without the two ends of a stream');
  } catch (error) {
    // Not `close`, which sends an end before it resets: the other side must not take half of a push for a whole one.
    service.stream.destroy();
    throw error;
  }
}
