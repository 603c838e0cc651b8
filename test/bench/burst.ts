// A burst of changes in a large folder that two devices keep the same, until the other has all of it; beside the same by hand with plain git.
// Rule: the other copy counts only when it is whole: the same commit, a clean work tree, every file.

import { rm } from 'node:fs/promises';
import type { Device } from '../helpers/device.ts';
import { agentPid, rssOf } from './place.ts';
import { ms } from './setting.ts';
import type { Row, Setting } from './setting.ts';
import { BURST, FILES, isClean, writeFiles } from './work-tree.ts';

const NAME = 'large';
const DEADLINE_MS = 120_000;

export async function benchBurst({ a, b }: Setting): Promise<Row[]> {
  const [here, there] = [a.path(NAME), b.path(NAME)];
  await a.git(a.dir, 'init', '--quiet', here);
  await writeFiles(here, FILES, 'first');
  await a.git(here, 'add', '--all');
  await a.git(here, '-c', 'gc.auto=0', 'commit', '--quiet', '-m', 'first');
  await a.xmpp('share', here);
  await b.xmpp('clone', `laptop/${NAME}`, there);
  for (const [device, dir] of [[a, here], [b, there]] as const) {
    await device.git(dir, 'config', 'xmpp.autoCommit', 'true');
    await device.statusWhen(({ repos }) => repos.find(({ name }) => name === NAME)?.autoCommit !== undefined);
  }
  const start = performance.now();
  await writeFiles(here, BURST, 'second');
  const written = performance.now();
  await isClean(a, here);
  await b.head(there, await a.git(here, 'rev-parse', 'HEAD'), DEADLINE_MS);
  const took = performance.now() - written;
  const commits = Number(await a.git(here, 'rev-list', '--count', 'HEAD')) - 1;
  const changed = (await b.git(there, 'diff', '--name-only', `HEAD~${commits}`, 'HEAD')).split('\n').length;
  if (changed !== BURST) throw new Error(`${changed} files changed there, not ${BURST}`);
  const byHand = await pushAndPull(a, here);
  const memory = [a, b].flatMap((device) => rssOf(agentPid(device)));
  await Promise.all([rm(here, { recursive: true }), rm(there, { recursive: true })]);
  return [
    [`${BURST} of ${FILES} files changed → all there (${commits} commits; writing took ${ms(written - start)})`, ms(took), '', 'git add, commit, push and pull by path', ms(byHand), (took / byHand).toFixed(2)],
    [`memory of an agent after that`, `${Math.min(...memory).toFixed(0)} MiB`, `${Math.max(...memory).toFixed(0)} MiB`, '', '', ''],
  ];
}

/** As many changed files in a clone that no agent knows, to another one. */
async function pushAndPull(device: Device, from: string): Promise<number> {
  const [bare, work, far] = ['bare', 'work', 'far'].map((name) => device.path(`${NAME}-${name}`)) as [string, string, string];
  await device.git(device.dir, 'clone', '--quiet', '--bare', from, bare);
  for (const dir of [work, far]) await device.git(device.dir, 'clone', '--quiet', bare, dir);
  // One in the background would still be at work when this is over.
  for (const dir of [bare, work, far]) await device.git(dir, 'config', 'gc.auto', '0');
  await writeFiles(work, BURST, 'third');
  const start = performance.now();
  await device.git(work, 'add', '--all');
  await device.git(work, 'commit', '--quiet', '-m', 'third');
  await device.git(work, 'push', '--quiet');
  await device.git(far, 'pull', '--quiet', '--ff-only');
  const took = performance.now() - start;
  await Promise.all([bare, work, far].map((dir) => rm(dir, { recursive: true })));
  return took;
}
