// `git xmpp completion`, and the names that the shells ask for. Rule: a shell that completes is never kept waiting, and never told of an error:
// what does not come at once is not offered, and no agent is started for it.

import type { ReposAnswer, StatusAnswer } from '../agent/answers.ts';
import type { CommandSpec } from './command.ts';
import { formatBashCompletion } from './completion-bash-format.ts';
import { formatFishCompletion } from './completion-fish-format.ts';
import { formatZshCompletion } from './completion-zsh-format.ts';
import type { Door } from './door.ts';
import { print } from './out.ts';

/** For the agent's answer; a peer's own list crosses the network. */
const PATIENCE_MS = 1_000;

const SCRIPTS = { bash: formatBashCompletion, zsh: formatZshCompletion, fish: formatFishCompletion } as const;

/** Prints the script that completes `git xmpp` in a shell. */
export async function printCompletion(commands: readonly CommandSpec[], shell: keyof typeof SCRIPTS): Promise<void> {
  process.stdout.write(SCRIPTS[shell](commands));
}

/** One name a line, as far as the running agent tells any. @param typed what the word begins with */
export async function printNames(makeDoor: () => Door, kind: 'peer' | 'repo' | 'peer/repo', typed: string): Promise<void> {
  try {
    for (const name of await namesOf(makeDoor(), kind, typed)) print(name);
  } catch {
    // No agent, or none that answers at once: there is nothing to offer.
  }
}

async function namesOf(door: Door, kind: 'peer' | 'repo' | 'peer/repo', typed: string): Promise<string[]> {
  const inTime = AbortSignal.timeout(PATIENCE_MS);
  const [peer = '', ...repo] = typed.split('/');
  if (kind === 'repo') return (await door.running<ReposAnswer>('/repos', inTime)).repos.map(({ name }) => name);
  if (kind === 'peer/repo' && repo.length > 0) {
    const { repos } = await door.running<ReposAnswer>(`/repos?peer=${encodeURIComponent(peer)}`, inTime);
    return repos.map(({ name }) => `${peer}/${name}`);
  }
  const { peers } = await door.running<Pick<StatusAnswer, 'peers'>>('/peers', inTime);
  return peers.map(({ petname }) => (kind === 'peer' ? petname : `${petname}/`));
}
