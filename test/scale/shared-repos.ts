// Repositories that machines share: one founded, and a clone of it on each, with the remotes that agents would have added.
// Rule: every repository has a first commit of its own, and each clone's index fits its files.

import { randomUUID } from 'node:crypto';
import { appendFile, cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { SharedRepo } from '../../src/home/repos-format.ts';
import { parseRepoId } from '../../src/lib/names.ts';
import type { Machine } from './machines.ts';

/** Lines of the file that commits change. */
const FILE = 'notes.txt';

/** One repository on all machines of a group: its clones, in the order of the machines. */
export interface Copies {
  readonly name: string;
  readonly clones: readonly Clone[];
}

export interface Clone {
  readonly machine: Machine;
  readonly dir: string;
  readonly shared: SharedRepo;
}

/** @param peersOf the machines that a machine is paired with: each is a remote of its clone */
export async function makeCopies(name: string, machines: readonly Machine[], peersOf: (machine: Machine) => readonly Machine[]): Promise<Copies> {
  const [first] = machines;
  if (first === undefined) throw new Error('no machine is to have it');
  const id = parseRepoId(randomUUID());
  const dir = first.device.path(name);
  await first.device.git(first.device.dir, 'init', '--quiet', '--template=', dir);
  await writeFile(path.join(dir, FILE), `${name}\n`);
  await first.device.git(dir, 'add', FILE);
  await first.device.git(dir, 'commit', '--quiet', '-m', `first of ${name}`);
  const others = machines.slice(1).map((machine) => ({ machine, dir: machine.device.path(name) }));
  for (const other of others) await cp(dir, other.dir, { recursive: true });
  const clones = [{ machine: first, dir }, ...others];
  for (const clone of clones) {
    const remotes = peersOf(clone.machine).map(({ identity: { name: peer } }) => `[remote "${peer}"]\n\turl = xmpp::${peer}/${name}\n\tfetch = +refs/heads/*:refs/remotes/${peer}/*\n`);
    await appendFile(path.join(clone.dir, '.git/config'), `[xmpp]\n\tid = ${id}\n${remotes.join('')}`);
    if (clone.machine !== first) await clone.machine.device.git(clone.dir, 'update-index', '-q', '--refresh');
  }
  const sharedAt = (at: string): SharedRepo => ({ id, name, path: at, gitDir: path.join(at, '.git'), audience: 'own', grants: {}, isFolder: false, branches: [] });
  return { name, clones: clones.map((clone) => ({ ...clone, shared: sharedAt(clone.dir) })) };
}

/** One commit in a clone, of one changed line. @returns the milliseconds that `git commit` took */
export async function commitIn({ machine, dir }: Clone, words: string): Promise<number> {
  await writeFile(path.join(dir, FILE), `${words}\n`);
  const start = performance.now();
  await machine.device.git(dir, 'commit', '--quiet', '--all', '-m', words);
  return performance.now() - start;
}
