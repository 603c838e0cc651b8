// git-xmpp-shell as a login shell, or as command= in authorized_keys: git-shell(1) over the repositories that this device shares.
// Rule: two services on shared repositories, git itself does the rest; nothing that was sent reaches a shell or names a path.

import { resolve } from 'node:path';
import { Fault } from '../src/lib/errors.ts';
import { shorten } from '../src/lib/jid.ts';
import type { AgentDoor } from './agent-door.ts';
import { runProgram } from './program.ts';
import { parseProtocol, parseServiceCommand } from './ssh-command.ts';
import type { Env } from './start-agent.ts';

/** Passed on to git; everything else that a remote client may have set stays out. */
const KEPT: readonly string[] = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TMPDIR', 'XDG_CONFIG_HOME'];

/** Serves one command that came over ssh. @returns git's exit code. @throws Fault saying what is not served */
export async function serveCommand(command: string, options: { readonly env: Env; readonly door: AgentDoor }): Promise<number> {
  const { env, door } = options;
  const { service, path } = parseServiceCommand(command);
  const repos = parseRepos(await door.ask((client) => client.request('GET', '/repos')));
  const repo = findRepo(repos, path, env.HOME ?? '/');
  if (repo === undefined) {
    throw new Fault('no-such-repo', `"${shorten(path)}" is no repository that is shared here`, {
      remedy: 'share it on this machine with: git xmpp share',
    });
  }
  // The agents' own refs are neither shown nor written to in the people's lane.
  const args = ['-c', 'transfer.hideRefs=refs/xmpp', service.replace(/^git-/, ''), repo.path];
  return runProgram('git', args, { env: serviceEnv(env), dir: '/' });
}

export interface NamedRepo {
  readonly name: string;
  readonly path: string;
}

/** The repository that a remote path means: by name (`notes`, `/notes`, `~/notes`, with `.git` or not), or by its own path. */
export function findRepo(repos: readonly NamedRepo[], path: string, home: string): NamedRepo | undefined {
  const name = path.replace(/^(?:~\/|\/)/, '').replace(/\/$/, '');
  const full = resolve(home, path.replace(/^~\//, ''));
  return (
    repos.find((repo) => repo.name === name) ??
    repos.find((repo) => `${repo.name}.git` === name) ??
    repos.find((repo) => repo.path === full || repo.path === `${full}.git` || `${repo.path}.git` === full)
  );
}

/** Name and path of each repository in the agent's answer to `GET /repos`. */
export function parseRepos(answer: unknown): NamedRepo[] {
  if (typeof answer !== 'object' || answer === null || !('repos' in answer) || !Array.isArray(answer.repos)) return [];
  const repos: readonly unknown[] = answer.repos;
  return repos.flatMap((repo) => {
    if (typeof repo !== 'object' || repo === null || !('name' in repo) || !('path' in repo)) return [];
    const { name, path } = repo;
    return typeof name === 'string' && typeof path === 'string' ? [{ name, path }] : [];
  });
}

/** A complete environment for git, GIT_PROTOCOL only as git itself writes it. */
export function serviceEnv(env: Env): Record<string, string> {
  const protocol = parseProtocol(env.GIT_PROTOCOL);
  const kept = KEPT.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  return { ...Object.fromEntries(kept), ...(protocol === undefined ? {} : { GIT_PROTOCOL: protocol }) };
}
