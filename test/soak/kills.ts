// Kills agents and their git processes at seeded moments while people work, agents merge, push to a hub and commit by themselves.
// Rule: after each kill the agent starts again and all copies end at one commit, sound, with no commit of a person lost, and nobody is asked for help.

import { existsSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import { converged, foldersBelow } from '../helpers/copies.ts';
import type { Copy } from '../helpers/copies.ts';
import type { Device } from '../helpers/device.ts';
import { Graph } from '../helpers/graph.ts';
import type { SharedCopies } from '../helpers/graph.ts';
import { Person } from '../helpers/person.ts';
import { descendantsOf } from '../helpers/processes.ts';
import { whatIsWrong } from '../helpers/sound.ts';
import { randomOf } from './faults.ts';

export interface KillOptions {
  readonly kills: number;
  readonly seed: number;
  /** Takes a line for each kill. */
  readonly say: (line: string) => void;
}

export interface KillResult {
  readonly kills: number;
  /** Git processes among what was killed. */
  readonly processes: number;
  /** Moves that an agent undid, as it came up or after its git was killed, for somebody had changed a file since. */
  readonly undone: number;
  /** Commits of the tip that all have at the end. */
  readonly commits: number;
  /** Milliseconds from a kill to one commit everywhere: median and longest. */
  readonly healedMs: { readonly median: number; readonly longest: number };
  readonly wrong: readonly string[];
}

/** What is killed, when, and how much is done meanwhile. */
interface Kill {
  readonly victim: number;
  readonly what: (typeof WHAT)[number];
  /** After so many changes of files in the victim's git directory, or, where that is quiet, so many milliseconds. */
  readonly changes: number;
  readonly ms: number;
  /** Killed once more as soon as it is up. */
  readonly isTwice: boolean;
  readonly acts: number;
}

const WHAT = ['agent', 'git', 'agent and git', 'agent and git'] as const;
const MAX_CHANGES = 120;
const MAX_MS = 800;
const HEAL_MS = 120_000;
const HUB_EVERY = 10;
const UNDONE = /undid what a crash|they were put back/;

/** All kills of a run. */
export function planKills(seed: number, { kills, devices }: { readonly kills: number; readonly devices: number }): readonly Kill[] {
  const random = randomOf(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  return Array.from({ length: kills }, () => ({
    victim: below(devices),
    what: WHAT[below(WHAT.length)] ?? 'agent',
    changes: 1 + below(MAX_CHANGES),
    ms: below(MAX_MS),
    isTwice: random() < 0.2,
    acts: 1 + below(4),
  }));
}

export async function runKills({ kills, seed, say }: KillOptions): Promise<KillResult> {
  const graph = await Graph.start({ accounts: { romeo: ['a', 'b', 'c'] }, edges: [['a', 'b'], ['b', 'c']] });
  try {
    const shared = await graph.share('notes', { members: ['a', 'b', 'c'], policy: 'merge', onHub: ['b'] });
    const [, , { device, dir }] = shared.copies as [Copy, Copy, Copy];
    await device.git(dir, 'config', 'xmpp.autoCommit', 'true');
    return await killAll(shared, { kills, seed, say });
  } finally {
    await graph.stop();
  }
}

async function killAll({ copies, hub }: SharedCopies, { kills, seed, say }: KillOptions): Promise<KillResult> {
  const people = copies.map((copy, index) => new Person(copy, randomOf(seed * 100 + index)));
  const wrong: string[] = [];
  const healed: number[] = [];
  let processes = 0;
  let tip = '';
  for (const [index, kill] of planKills(seed, { kills, devices: copies.length }).entries()) {
    // The last of them only writes: its agent commits.
    const working = Promise.all(people.map((person, which) => person.work(kill.acts, which === people.length - 1 ? ['write'] : undefined)));
    const copy = copies[kill.victim] as Copy;
    processes += await strike(copy, kill);
    if (kill.isTwice) processes += await strike(copy, kill);
    await working;
    const start = performance.now();
    // The hub's own branch follows when all has been quiet for some seconds, which is waited for now and then.
    const looked = (index + 1) % HUB_EVERY === 0 || index + 1 === kills ? hub : undefined;
    tip = await converged(copies, { hub: looked, deadlineMs: HEAL_MS });
    healed.push(performance.now() - start);
    const found = [...(await whatIsWrong(copies, tip, { hub: looked, mayHoldIncoming: true })), ...leftToPeople(copies)];
    wrong.push(...found.map((line) => `after kill ${index + 1}: ${line}`));
    say(`${String(index + 1).padStart(4)}  ${copy.device.name}: ${kill.what}${kill.isTwice ? ', twice' : ''}; one commit after ${(healed.at(-1) ?? 0).toFixed(0)} ms`);
    // What came after could not be told apart from it.
    if (found.length > 0) break;
  }
  for (const copy of copies) {
    await copy.device.stop();
    await copy.device.xmpp('daemon', 'start');
  }
  if (wrong.length === 0) wrong.push(...(await whatIsWrong(copies, await converged(copies, { hub, deadlineMs: HEAL_MS }), { hub })));
  const [{ device, dir }] = copies as [Copy];
  const sorted = healed.toSorted((one, other) => one - other);
  return {
    kills: healed.length,
    processes,
    undone: copies.reduce((sum, each) => sum + each.device.log().split(UNDONE).length - 1, 0),
    commits: Number(await device.git(dir, 'rev-list', '--count', tip)),
    healedMs: { median: sorted[Math.floor(sorted.length / 2)] ?? 0, longest: sorted.at(-1) ?? 0 },
    wrong,
  };
}

/** What agents have said of moves that a kill cut short and that they left to a person. */
function leftToPeople(copies: readonly Copy[]): string[] {
  return copies.flatMap(({ device }) => device.log().split('\n').filter((line) => line.includes('was cut short, and')).map((line) => `${device.name}: ${line}`));
}

/** Waits for the moment, kills, and starts the agent again. @returns how many git processes were killed */
async function strike({ device, dir }: Copy, { what, changes, ms }: Kill): Promise<number> {
  await changed(path.join(dir, '.git'), changes, ms);
  if (what !== 'agent') await gitRuns(device, ms);
  const git = killProcesses(device, what);
  if (what === 'git') return git;
  await device.kill();
  await device.xmpp('daemon', 'start');
  return git;
}

/** Resolves after so many changes below a git directory, at the latest after `ms`. */
function changed(gitDir: string, changes: number, ms: number): Promise<void> {
  const dirs = [gitDir, path.join(gitDir, 'objects'), ...foldersBelow(path.join(gitDir, 'refs'))];
  return new Promise((resolve) => {
    let seen = 0;
    const end = (): void => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
      resolve();
    };
    const timer = setTimeout(end, ms);
    const watchers = dirs.map((each) => watch(each, () => (seen += 1) === changes && end()).on('error', () => undefined));
  });
}

/** Resolves when the agent has a git process beside the one that it always has, at the latest after `ms`. */
async function gitRuns(device: Device, ms: number): Promise<void> {
  const file = `/proc/${device.agentPid()}/task/${device.agentPid()}/children`;
  const children = (): number => readFileSync(file, 'utf8').trim().split(' ').length;
  for (const until = Date.now() + ms; existsSync(file) && children() < 2 && Date.now() < until; ) await new Promise((resolve) => setImmediate(resolve));
}

/** Kills the git processes of an agent where they are meant; the agent itself is left standing still if it is meant, else it goes on. */
function killProcesses(device: Device, what: Kill['what']): number {
  const pid = device.agentPid();
  // Nothing is started between looking and killing.
  device.suspend();
  const git = what === 'agent' ? [] : descendantsOf(pid);
  for (const child of git) kill(child);
  if (what === 'git') device.wake();
  return git.length;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
