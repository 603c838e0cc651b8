// The repository that the demo shares: about ten megabytes that do not compress, with tags and a merge.
// Rule: names and messages are long enough to be told from chance when they are looked for in what the server saw.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Device } from '../helpers/device.ts';

const RECORDINGS = 10;
const RECORDING_BYTES = 1_000_000;

/** Branch whose merge the history holds. */
export const SIDE_BRANCH = 'orchard-in-winter';
/** Tags: an annotated one and a plain one. */
export const TAGS = ['harvest-2025', 'harvest-2026'] as const;

/** Everything in it that has a name: nothing of it may be seen on the way. */
export interface Content {
  readonly files: readonly string[];
  readonly messages: readonly string[];
  readonly commits: number;
  readonly bytes: number;
}

/** Makes it at `dir`. */
export async function makeRepository(device: Device, dir: string): Promise<Content> {
  await device.git(device.dir, 'init', '--quiet', dir);
  const files: string[] = [];
  const messages: string[] = [];
  const record = async (index: number): Promise<void> => {
    const file = `nightingale-${String(index).padStart(2, '0')}.flac`;
    const message = `Record the nightingale of night ${index}`;
    await writeFile(path.join(dir, file), randomBytes(RECORDING_BYTES));
    await device.commit(dir, { 'listening-notes.md': `${message}\n` }, message);
    files.push(file);
    messages.push(message);
  };
  for (let index = 1; index <= RECORDINGS / 2; index += 1) await record(index);
  await device.git(dir, 'tag', '--annotate', '--message', 'The first summer', TAGS[0]);
  await device.git(dir, 'switch', '--quiet', '--create', SIDE_BRANCH);
  await device.commit(dir, { 'pruning-plan.md': 'Apple trees first.\n' }, 'Plan the pruning of winter');
  await device.git(dir, 'switch', '--quiet', 'main');
  for (let index = RECORDINGS / 2 + 1; index <= RECORDINGS; index += 1) await record(index);
  await device.git(dir, 'merge', '--quiet', '--no-ff', '--message', 'Merge the plan for winter', SIDE_BRANCH);
  await device.git(dir, 'tag', TAGS[1]);
  const commits = Number(await device.git(dir, 'rev-list', '--count', 'HEAD'));
  return {
    files: [...files, 'listening-notes.md', 'pruning-plan.md'],
    messages: [...messages, 'The first summer', 'Plan the pruning of winter', 'Merge the plan for winter'],
    commits,
    bytes: RECORDINGS * RECORDING_BYTES,
  };
}
