// `git xmpp clone`: a small repository by plain git; a large one by the agents, in slices that outlive a crash of either (docs/git-xmpp.1).
// Rule: what comes out is what `git clone` makes; until then a marker in the new folder's configuration says what is still to be done.

import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pastConfigLock } from '../lib/config-lock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import { parsePetname, parseRepoName } from '../lib/names.ts';
import type { CloneLine, ReposAnswer } from '../agent/answers.ts';
import { fsckConfig } from '../git/fsck-format.ts';
import { askForPerson, runForPerson } from '../git/person.ts';
import { nap } from '../lib/clock.ts';
import type { Door, World } from './door.ts';
import { say } from './out.ts';
import { share } from './repos.ts';
import { tellProgress } from './progress.ts';

/** Below this nothing worth keeping is lost with a crash: plain git, which takes a second less. */
const SLICED_BYTES = 2 ** 20;
/** The agent, or the peer, went away so often in a row, with nothing heard in between. */
const MAX_RESTARTS = 10;
const RESTART_MS = 500;
/** What is over as soon as an agent runs, and is signed in. */
const PASSING: readonly FaultCode[] = ['agent', 'not-connected', 'peer-offline'];
const MARKER = 'xmpp.cloning';
/** git-config(1): what there was to unset is not there. */
const NOTHING_TO_UNSET = 5;
/** What is to be checked out: a branch, a commit, or nothing. */
const MARKED_HEAD = 'xmpp.cloninghead';

interface Clone {
  readonly peer: string;
  readonly name: string;
  readonly dir: string;
}

type Git = (...args: readonly string[]) => Promise<{ readonly code: number; readonly stdout: string }>;

/** Clones, shares the clone, and goes on where an earlier run was broken off. */
export async function clone(door: Door, world: World, what: string, dir: string | undefined): Promise<void> {
  const [peer = '', name = '', ...more] = what.split('/');
  if (more.length > 0 || name === '') throw new Fault('wrong-use', `"${what}" is not of the form peer/repo`, { remedy: 'git xmpp repos <peer> lists them' });
  const asked = { peer: parsePetname(peer), name: parseRepoName(name), dir: resolve(world.cwd, dir ?? basename(name)) };
  const git: Git = (...args) => askForPerson(['-C', asked.dir, ...args], world.env);
  if (!(await isBegun(asked, git))) {
    const { head, bytes } = await look(door, asked);
    const isFree = !existsSync(asked.dir) || (statSync(asked.dir).isDirectory() && readdirSync(asked.dir).length === 0);
    // An older version tells no HEAD, nor does one that does not show its branch.
    if (!isFree || head === undefined || (bytes ?? Infinity) < SLICED_BYTES) return cloneByGit(door, world, asked);
    begin(asked, head);
  }
  await prepare(asked, git, world);
  await receive(door, asked);
  await finish(asked, git, world);
}

/** Whether the folder is one that an earlier run has begun for the same repository. */
async function isBegun({ peer, name, dir }: Clone, git: Git): Promise<boolean> {
  return existsSync(configOf(dir)) && (await marked(git, dir, MARKER)) === `${peer}/${name}`;
}

/** Read as a file: what a crash left may be no repository yet. */
async function marked(git: Git, dir: string, key: string): Promise<string> {
  return (await git('config', '--file', configOf(dir), '--get', key)).stdout.replace(/\n$/, '');
}

function configOf(dir: string): string {
  return join(dir, '.git/config');
}

async function look(door: Door, { peer, name, dir }: Clone): Promise<ReposAnswer['repos'][number]> {
  const { repos } = await door.ask<ReposAnswer>('GET', `/repos?peer=${encodeURIComponent(peer)}`);
  const found = repos.find((each) => each.name === name);
  if (found === undefined) {
    const names = repos.map((each) => each.name).join(', ');
    throw new Fault('no-such-repo', `${peer} shows no repository "${name}"`, { remedy: names === '' ? 'share it there: git xmpp share' : `it shows: ${names}` });
  }
  if (found.standing === 'paused') throw new Fault('paused', `${name} is paused on ${peer}`, { remedy: 'there: git xmpp resume' });
  if (found.standing !== undefined) throw new Fault('not-open', `${name} cannot be opened on ${peer} at the moment`);
  const here = (await door.ask<ReposAnswer>('GET', '/repos')).repos.find(({ id }) => id === found.id);
  if (here === undefined || here.path === dir) return found;
  throw new Fault('exists', `this repository is shared already, from ${here.path ?? here.name}`, { remedy: `git xmpp unshare ${here.path ?? here.name}` });
}

async function cloneByGit(door: Door, world: World, { peer, name, dir }: Clone): Promise<void> {
  // As strict as agents are with each other, by which way it ever comes.
  const checks = Object.entries(fsckConfig('fetch')).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const code = await runForPerson([...checks, 'clone', `xmpp::${peer}/${name}`, dir], { env: world.env, helpers: [join(world.distDir, 'bin'), world.binDir] });
  if (code !== 0) throw new Fault('git', 'git clone failed', { remedy: existsSync(dir) ? `choose another folder than ${dir}` : 'see above' });
  await share(door, dir, {});
}

/** The marker is there before anything else, so no crash leaves a folder that nobody goes on with. */
function begin({ peer, name, dir }: Clone, head: string): void {
  say(`Cloning into '${basename(dir)}'...`);
  mkdirSync(join(dir, '.git'), { recursive: true });
  const quote = (text: string): string => `"${text.replaceAll('"', '\\"')}"`;
  writeFileSync(configOf(dir), `[xmpp]\n\tcloning = ${quote(`${peer}/${name}`)}\n\tcloninghead = ${quote(head)}\n`);
}

/** Makes of the folder what `git clone` would before it fetches; what an earlier run has done already is done once more. */
async function prepare({ peer, name, dir }: Clone, git: Git, world: World): Promise<void> {
  const made = await askForPerson(['init', '--quiet', dir], world.env);
  if (made.code !== 0) throw new Fault('git', `git init failed: ${made.stderr.trim()}`);
  const head = await marked(git, dir, MARKED_HEAD);
  // What has been checked out is somebody's work from then on: another branch, perhaps.
  const isUnborn = (await git('rev-parse', '--quiet', '--verify', 'HEAD')).code !== 0;
  if (head.startsWith('refs/') && isUnborn) await git('symbolic-ref', 'HEAD', head);
  const remote = await remoteName(git);
  await git('config', `remote.${remote}.url`, `xmpp::${peer}/${name}`);
  await git('config', `remote.${remote}.fetch`, `+refs/heads/*:refs/remotes/${remote}/*`);
}

async function remoteName(git: Git): Promise<string> {
  return (await git('config', '--get', 'clone.defaultRemoteName')).stdout.trim() || 'origin';
}

/** Waits until the peer's map and all its objects are here; an agent that goes away is started again. */
async function receive(door: Door, { peer, name, dir }: Clone): Promise<void> {
  const onward = `what has come is kept; to go on: git xmpp clone ${peer}/${name} ${dir}`;
  const onInterrupt = (): void => {
    say(`\n${onward}`);
    process.exit(130);
  };
  process.once('SIGINT', onInterrupt);
  const show = tellProgress();
  let [restarts, received] = [0, 0];
  try {
    for (;;) {
      try {
        for await (const line of door.lines<CloneLine>('POST', '/clone', { path: dir, peer, repo: name })) {
          if (line.type === 'taken') return;
          if (line.received > received) restarts = 0;
          received = Math.max(received, line.received);
          show.line(line, peer);
        }
      } catch (error) {
        const fault = asFault(error, 'waiting for the repository');
        restarts += 1;
        if (!PASSING.includes(fault.code) || restarts > MAX_RESTARTS) throw new Fault(fault.code, fault.message, { remedy: onward, cause: error });
        await nap(RESTART_MS);
      }
    }
  } finally {
    show.end();
    process.off('SIGINT', onInterrupt);
  }
}

/** What `git clone` does once it has fetched: the remote's HEAD, a branch that follows it, and the files. */
async function finish({ peer, name, dir }: Clone, git: Git, world: World): Promise<void> {
  const person = { env: world.env, helpers: [join(world.distDir, 'bin'), world.binDir] };
  const run = async (...args: readonly string[]): Promise<void> => {
    if ((await runForPerson(['-C', dir, ...args], person)) === 0) return;
    throw new Fault('git', `git ${args[0] ?? ''} failed; everything has been received`, { remedy: 'see above, then run the same command again' });
  };
  const remote = await remoteName(git);
  const head = await marked(git, dir, MARKED_HEAD);
  const branch = await branchOf(head, remote, git);
  const tracked = `refs/remotes/${remote}/${branch ?? 'HEAD'}`;
  if (branch !== undefined && (await git('rev-parse', '--quiet', '--verify', tracked)).code === 0) {
    await git('symbolic-ref', `refs/remotes/${remote}/HEAD`, tracked);
    // A crash before the marker went may lie behind it, and commits since then: they stay.
    const hasOwn = (await git('merge-base', '--is-ancestor', `refs/heads/${branch}`, tracked)).code === 1;
    await run('checkout', '--quiet', ...(hasOwn ? [branch, '--'] : ['-B', branch, '--track', `${remote}/${branch}`]));
  } else if (branch === undefined) {
    await run('fetch', '--quiet', remote, 'HEAD');
    await run('checkout', '--quiet', '--detach', head);
  } else say('warning: remote HEAD refers to nonexistent ref, unable to checkout');
  for (const key of [MARKER, MARKED_HEAD]) await unmark(key, git);
  say(`cloned ${peer}/${name}; it is shared, and stays in sync`);
}

/** While the marker is there nothing moves by itself, so one that stays is an error. @throws Fault `git` */
async function unmark(key: string, git: Git): Promise<void> {
  const unset = async (): Promise<{ readonly exitCode: number }> => ({ exitCode: (await git('config', '--local', '--unset-all', key)).code });
  // The agent may be writing down a peer's remote there.
  const { exitCode } = await pastConfigLock(unset);
  if (exitCode !== 0 && exitCode !== NOTHING_TO_UNSET) {
    throw new Fault('git', `git config could not take away ${key}; everything else is done`, { remedy: 'run the same command again' });
  }
}

/** The branch to check out; of a detached HEAD the one that git would guess: the default one, else the first at that commit. */
async function branchOf(head: string, remote: string, git: Git): Promise<string | undefined> {
  if (head.startsWith('refs/heads/')) return head.slice('refs/heads/'.length);
  const { stdout } = await git('for-each-ref', `--points-at=${head}`, '--format=%(refname:lstrip=3)', `refs/remotes/${remote}/`);
  const found = stdout.split('\n').filter((each) => each !== '' && each !== 'HEAD');
  const wanted = (await git('config', '--get', 'init.defaultBranch')).stdout.trim() || 'master';
  return found.includes(wanted) ? wanted : found[0];
}
