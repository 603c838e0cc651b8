// What a service is to run, chosen so that it stays true: after an upgrade of the package or of Node, in another session, after a restart of the
// machine. Rule: a link that is kept up to date is named rather than what it leads to today, and nothing of this session gets in.

import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { Fault } from '../lib/errors.ts';
import type { Home } from './paths.ts';
import type { ServicePlan } from './service-format.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that git and ssh need to work as they do for their user; never one that may hold a secret, for a unit is no private file. */
const TAKEN = ['XDG_CONFIG_HOME', 'GIT_CONFIG_GLOBAL'] as const;

/** @param programDir folder of the built executables */
export function planService({ home, env, programDir, node }: { readonly home: Home; readonly env: Environment; readonly programDir: string; readonly node: string }): ServicePlan {
  const taken = TAKEN.map((name) => [name, env[name]] as const);
  const agent = env['SSH_AUTH_SOCK'];
  const environment = { PATH: lastingPath(env), ...Object.fromEntries(taken), ...(agent !== undefined && isLastingSocket(agent, env) ? { SSH_AUTH_SOCK: agent } : {}) };
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  return { node: lastingNode(node, env), program: join(programDir, 'agent.mjs'), home: home.dir, environment: Object.fromEntries(given), log: home.log };
}

/** @throws Fault `service` for a program that its package manager will remove by itself: npm keeps what npx runs in a cache */
export function checkLasting({ program }: Pick<ServicePlan, 'program'>): void {
  if (!program.split(sep).includes('_npx')) return;
  throw new Fault('service', `${program} is a copy that npx made for a while`, { remedy: 'install the package first, with npm install --global' });
}

/** The folder of the program that was called by `called`: links of the file are followed, links of folders, which package managers move on, are not. */
export function programFolder(called: string): string {
  let file = resolve(called);
  for (let steps = 0; steps < 40 && lstatSync(file).isSymbolicLink(); steps += 1) file = resolve(dirname(file), readlinkSync(file));
  return dirname(file);
}

/** The `node` of the search path, where it is the one that runs now: Homebrew's or Debian's name outlives an upgrade, what it leads to does not. */
function lastingNode(node: string, env: Environment): string {
  const real = realpathOf(node);
  return foldersOf(env).map((folder) => join(folder, 'node')).find((path) => real !== undefined && realpathOf(path) === real) ?? node;
}

function lastingPath(env: Environment): string | undefined {
  const folders = foldersOf(env);
  return folders.length === 0 ? undefined : folders.join(delimiter);
}

/** Absolute folders of the search path; what lies in the session's runtime folder is gone with the session (fnm has links there). */
function foldersOf(env: Environment): string[] {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder) && !isOfSession(folder, env));
  return [...new Set(folders)];
}

function isOfSession(path: string, { XDG_RUNTIME_DIR: runtime }: Environment): boolean {
  return path.startsWith('/run/user/') || (runtime !== undefined && runtime !== '' && path.startsWith(runtime + sep));
}

/** An agent's socket directly at the place that its own service gives it; one below /tmp, or of an ssh session, is another each time. */
function isLastingSocket(path: string, env: Environment): boolean {
  return isAbsolute(path) && isOfSession(path, env) && !/\d{3,}/.test(path.replace(/^\/run\/user\/\d+/, ''));
}

function realpathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
