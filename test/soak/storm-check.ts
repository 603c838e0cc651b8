// What must hold of all copies and homes once a storm is over, and of every repository while it lasts. Rule: each thing that is not so is one line, with
// the name of the device.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { MAX_SPOOLED } from '../../src/home/spool.ts';
import { converged } from '../helpers/copies.ts';
import type { Copy } from '../helpers/copies.ts';
import type { Device } from '../helpers/device.ts';
import { descendantsOf, findProcesses } from '../helpers/processes.ts';
import { holds } from '../helpers/sound.ts';
import { look } from './storm-watch.ts';

const QUIET_MS = 90_000;
const HEADS = 'refs/heads/';
const PAUSE_MS = 250;
const AGAIN_MS = 5_000;

/** Commits by branch, each of which has to be in that branch of every copy. */
export type Made = ReadonlyMap<string, readonly string[]>;

/**
 * Waits until the merged repository has one tip everywhere.
 * @throws at the deadline, with all that each copy and its agent say
 */
export async function mergedTip(copies: readonly Copy[], deadlineMs: number): Promise<string> {
  for (const until = Date.now() + deadlineMs; ; ) {
    try {
      // A file that is put right in a work tree alone wakes nobody, so it is looked again by itself now and then.
      return await converged(copies, { deadlineMs: AGAIN_MS });
    } catch (error) {
      if (Date.now() > until) throw error;
    }
  }
}

/** Waits until every branch is equal in all copies, and looks for every commit that was made on it. */
export async function checkBranches(copies: readonly Copy[], made: Made, deadlineMs: number): Promise<string[]> {
  const wrong = await lasting(() => unequalBranches(copies), deadlineMs);
  for (const [branch, oids] of made) {
    for (const copy of copies) {
      const { device, dir } = copy;
      const { code, stdout, stderr } = await device.run('git', ['rev-list', '--stdin'], { cwd: dir, input: `${[...oids, `^refs/heads/${branch}`].join('\n')}\n` });
      if (code !== 0) wrong.push(`${device.name}: ${branch}: ${stderr.trim()}`);
      for (const oid of stdout.split('\n').filter((each) => oids.includes(each))) {
        if (!(await holds(copy, `refs/heads/${branch}`, oid))) wrong.push(`${device.name}: lost: ${oid} of ${branch}`);
      }
    }
  }
  return wrong;
}

/** Every branch of a copy is where it is there in every other one: in that device's mirror, and in the copy's own branch where it has one of that name. */
async function unequalBranches(copies: readonly Copy[]): Promise<string[]> {
  const all = await Promise.all(copies.map(async (copy) => ({ copy, refs: await refsOf(copy) })));
  return all.flatMap(({ copy: { device }, refs }) => {
    const heads = [...refs].filter(([ref]) => ref.startsWith(HEADS));
    const others = all.filter(({ copy }) => copy.device !== device);
    return others.flatMap((other) =>
      heads.flatMap(([ref, oid]) => {
        // What was cloned from a device calls it origin.
        const remote = [device.name, 'origin'].find((name) => [...other.refs.keys()].some((each) => each.startsWith(`refs/remotes/${name}/`)));
        const mirror = `refs/remotes/${remote}/${ref.slice(HEADS.length)}`;
        const wrong = [mirror, ref].filter((name) => (name === mirror || other.refs.has(name)) && other.refs.get(name) !== oid);
        return wrong.map((name) => `${other.copy.device.name}: ${name} is ${other.refs.get(name)}, and ${ref} of ${device.name} is ${oid}`);
      }),
    );
  });
}

async function refsOf({ device, dir }: Copy): Promise<Map<string, string>> {
  const lines = (await device.git(dir, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads', 'refs/remotes')).split('\n').filter(Boolean);
  return new Map(lines.map((line) => line.split(' ') as [string, string]));
}

/** Looks at every object of a repository; what somebody is writing meanwhile is looked at again. */
export async function checkObjects(copy: Copy): Promise<string[]> {
  const { device, dir } = copy;
  for (let tries = 1; ; tries += 1) {
    const { code, stdout, stderr } = await device.run('git', ['fsck', '--full', '--strict', '--no-dangling'], { cwd: dir });
    if (code === 0) return [];
    const said = `${stdout}${stderr}`;
    if (await isNewlyMade(copy, said)) return [];
    if (tries === 3) return [`${device.name}: fsck of ${path.basename(dir)}: ${said}`];
  }
}

/** git fsck lists loose objects before it reads refs and reflogs, and calls missing or invalid what was made between the two. */
async function isNewlyMade({ device, dir }: Copy, said: string): Promise<boolean> {
  const missing = said.split('\n').filter(Boolean).map((line) => /^(?:missing (?:blob|tree|commit|tag)|error: \S+: invalid (?:reflog entry|sha1 pointer)) ([0-9a-f]{40})$/.exec(line)?.[1]);
  for (const oid of missing) {
    if (oid === undefined || (await device.run('git', ['cat-file', '-e', oid], { cwd: dir })).code !== 0) return false;
  }
  return missing.length > 0;
}

export interface LeftOptions {
  readonly device: Device;
  /** Its repositories. */
  readonly dirs: readonly string[];
  /** The most that its agent may have open. */
  readonly descriptors: number;
  /** How long something has to be there to count as left for good. */
  readonly quietMs?: number;
}

/** What an agent left in its home, in the folder for passing things, in git directories or among the processes, and what it said that it should never say. */
export async function checkLeft({ device, dirs, descriptors, quietMs = QUIET_MS }: LeftOptions): Promise<string[]> {
  const found = await lasting(() => Promise.resolve([...leftFiles(device, dirs), ...leftProcesses(device), ...tooMany(device, descriptors)]), quietMs);
  return [...found, ...untrueLines(device)].map((line) => `${device.name}: ${line}`);
}

function leftFiles(device: Device, dirs: readonly string[]): string[] {
  const state = path.join(device.home, 'state');
  const kept = filesBelow(state).filter((file) => /^spool\/.*\.(?:pack|part)$/.test(file));
  const inState = [...filesBelow(state).filter((file) => /^offers\/|^move-|\.tmp$/.test(file)), ...tooManyOf(kept)];
  const locks = dirs.flatMap((dir) => filesBelow(path.join(dir, '.git')).filter((file) => /\.lock$|tmp_objdir/.test(file)));
  return [...inState, ...locks, ...filesBelow(device.path('tmp'))].map((file) => `left: ${file}`);
}

/** Packs that a break left on their way stay for a week, a few of each sender (src/home/spool.ts): the next try goes on with them. */
function tooManyOf(spooled: readonly string[]): string[] {
  const senderOf = (file: string): string => file.replace(/-[0-9a-f]{64}(?=\.)/, '').replace(/^.*\.pack$/, 'own');
  return spooled.filter((file, index) => spooled.slice(0, index).filter((each) => senderOf(each) === senderOf(file)).length >= MAX_SPOOLED);
}

/** Processes that were started in this device's name and that its agent does not have as its own. */
function leftProcesses(device: Device): string[] {
  const agent = device.agentPid();
  const own = new Set([agent, ...descendantsOf(agent)]);
  return findProcesses(device.dir).filter(({ pid }) => !own.has(pid)).map(({ pid, command }) => `left: process ${pid}: ${command.split('\n')[0]}`);
}

function tooMany(device: Device, most: number): string[] {
  const { descriptors = 0 } = look(device.agentPid()) ?? {};
  return descriptors > most ? [`${descriptors} descriptors, where ${most} were expected`] : [];
}

function untrueLines({ home }: Device): string[] {
  const logs = ['agent.log.1', 'agent.log'].map((name) => path.join(home, name)).filter((file) => existsSync(file));
  const lines = logs.flatMap((file) => readFileSync(file, 'utf8').split('\n'));
  return lines.filter((line) => /unhandled|\binternal\b|TypeError|RangeError|ReferenceError|Assertion|heap out of memory/.test(line)).map((line) => `log: ${line}`);
}

/** Of what is found, that which does not go away. */
async function lasting(find: () => Promise<string[]>, lastingMs: number): Promise<string[]> {
  for (const until = Date.now() + lastingMs; ; ) {
    const found = await find().catch((error: unknown) => [messageOf(error)]);
    if (found.length === 0 || Date.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Paths of files below a folder, from there; none where it is not. */
function filesBelow(dir: string): string[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
