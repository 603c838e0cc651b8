// A folder that is kept the same on two devices (`share --folder`): how long a file takes, what it costs to watch many, and a burst of changes.
// Rule: files are written as a program writes them, with no git of ours near; memory and time are those of the agent itself.

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Device } from '../helpers/device.ts';
import { agentPid, rssOf } from './place.ts';
import { ms, percentile } from './setting.ts';
import type { Row, Setting } from './setting.ts';

const WARM_UP = 3;
export const FILES = 50_000;
const PER_FOLDER = 20;
export const BURST = 10_000;

/** From the end of writing a file in one folder to the same file in the other. */
export async function benchFolder({ a, b, dirA, dirB }: Setting, files: number): Promise<Row[]> {
  for (const [device, dir] of [[a, dirA], [b, dirB]] as const) await device.xmpp('share', '--folder', dir);
  const took: number[] = [];
  for (let index = 0; index < files + WARM_UP; index += 1) {
    const [from, to] = index % 2 === 0 ? [dirA, dirB] : [dirB, dirA];
    await writeFile(path.join(from, `folder-${index}`), `line ${index}\n`);
    const start = performance.now();
    await arrives(path.join(to, `folder-${index}`), `line ${index}\n`);
    if (index >= WARM_UP) took.push(performance.now() - start);
    await Promise.all([isClean(a, dirA), isClean(b, dirB)]);
  }
  return [['file in a folder → file in the other, warm, direct', ms(percentile(took, 0.5)), ms(percentile(took, 0.95)), '', '', '']];
}

/** What watching 50 000 files adds to an agent, and a burst of 10 000 changed files until they are committed. */
export async function benchWatch({ a }: Setting): Promise<Row[]> {
  const dir = a.path('many');
  await a.git(a.dir, 'init', '--quiet', dir);
  await writeFiles(dir, FILES, 'first');
  await a.git(dir, 'add', '--all');
  await a.git(dir, '-c', 'gc.auto=0', 'commit', '--quiet', '-m', 'many');
  await a.xmpp('share', dir);
  const before = rssOf(agentPid(a))[0] ?? Number.NaN;
  const start = performance.now();
  await a.git(dir, 'config', 'xmpp.autoCommit', 'true');
  await a.statusWhen(({ repos }) => repos.find(({ name }) => name === 'many')?.autoCommit !== undefined);
  await writeFile(path.join(dir, 'probe'), 'probe\n');
  await isClean(a, dir);
  const ready = performance.now() - start;
  const watched = (rssOf(agentPid(a))[0] ?? Number.NaN) - before;
  await writeFiles(dir, BURST, 'second');
  const written = performance.now();
  await isClean(a, dir);
  const committed = performance.now() - written;
  const commits = Number(await a.git(dir, 'rev-list', '--count', 'HEAD')) - 2;
  const byHand = await commitByHand(a, dir);
  return [
    [`watching ${FILES} files, until the first change is committed`, ms(ready), '', '', '', ''],
    [`watching ${FILES} files, memory added to the agent`, `${watched.toFixed(0)} MiB`, '', '', '', ''],
    [`${BURST} files changed, until all are committed (in ${commits})`, ms(committed), '', 'git add, git commit by hand', ms(byHand), (committed / byHand).toFixed(2)],
  ];
}

/** The same burst where nothing commits by itself. */
async function commitByHand(device: Device, dir: string): Promise<number> {
  await device.git(dir, 'config', 'xmpp.autoCommit', 'false');
  await device.statusWhen(({ repos }) => repos.find(({ name }) => name === 'many')?.autoCommit === undefined);
  await writeFiles(dir, BURST, 'third');
  const start = performance.now();
  await device.commit(dir, {}, 'by hand');
  return performance.now() - start;
}

/** Writes so many files, twenty to a folder. */
export async function writeFiles(dir: string, count: number, text: string): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const folder = path.join(dir, `folder-${Math.floor(index / PER_FOLDER)}`);
    if (index % PER_FOLDER === 0) await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, `file-${index}.txt`), `${text} ${index}\n`);
  }
}

async function arrives(file: string, text: string): Promise<void> {
  const until = performance.now() + 30_000;
  while (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    if (performance.now() > until) throw new Error(`${file} did not arrive within 30 s`);
    await pause(2);
  }
}

/** Waits until nothing is left to commit. */
export async function isClean(device: Device, dir: string): Promise<void> {
  const until = performance.now() + 120_000;
  while ((await device.git(dir, '--no-optional-locks', 'status', '--porcelain')) !== '') {
    if (performance.now() > until) throw new Error(`${dir} was not committed within 120 s`);
    await pause(200);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
