// What a hook is told, as environment variables (docs/git-xmpp.1, "HOOKS"). Rule: nothing that a peer names is ever part of a command; lists are
// one entry a line, and end where the system's limit for one variable is near.

import type { HookRun } from './hooks-machine.ts';

/** Linux takes 128 KiB for one variable (execve(2)). */
const MAX_BYTES = 64 << 10;

/** All variables of one run. @param at the repository's folder and its name here */
export function formatHookEnv(run: HookRun, at: { readonly path: string; readonly name: string }): Readonly<Record<string, string>> {
  const refs = fit(run.refs.map(({ ref, from, to }) => `${from ?? zerosFor(to)} ${to ?? zerosFor(from)} ${ref}`));
  const paths = fit(run.paths.map(quote));
  const left = run.left + refs.left + paths.left;
  return {
    GIT_XMPP_EVENT: run.event,
    GIT_XMPP_REPO: at.path,
    GIT_XMPP_REPO_NAME: at.name,
    GIT_XMPP_PEER: run.peer,
    GIT_XMPP_REFS: refs.text,
    ...(run.event === 'conflict' ? { GIT_XMPP_PATHS: paths.text } : {}),
    ...(left === 0 ? {} : { GIT_XMPP_LEFT: String(left) }),
  };
}

/** Git's own word for no object (githooks(5)). */
function zerosFor(other: string | undefined): string {
  return '0'.repeat(other?.length ?? 40);
}

/** A path that would break the form of one a line is a string of JSON. */
function quote(path: string): string {
  return /[\p{Cc}"]/u.test(path) ? JSON.stringify(path) : path;
}

/** As many lines as fit, and how many do not. */
function fit(lines: readonly string[]): { readonly text: string; readonly left: number } {
  let [bytes, count] = [0, 0];
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > MAX_BYTES) break;
    count += 1;
  }
  return { text: lines.slice(0, count).join('\n'), left: lines.length - count };
}
