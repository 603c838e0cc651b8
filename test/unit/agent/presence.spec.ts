// Whether a shared repository is where it was, with real folders and a virtual clock.

import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Presence } from '../../../src/agent/presence.ts';
import { makeSharedRepo } from '../../helpers/home-values.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { quiet, until } from '../../helpers/waiting.ts';

const LOOK_MS = 3_000;

it('tells once when a folder has gone, is another, or is there again, and nothing else', async () => {
  const path = join(makeFolder(), 'notes');
  const gitDir = join(path, '.git');
  const clock = new VirtualClock();
  const told: string[] = [];
  let repos = [makeSharedRepo('notes', { path, gitDir })];
  const presence = new Presence({ clock, repos: () => repos, onChange: (id) => told.push(id) });
  const look = async (): Promise<number> => {
    await clock.pass(LOOK_MS);
    await quiet(() => told.length);
    return told.length;
  };
  // A look that is still under way has the next one pass it over.
  const toldOf = (count: number): Promise<void> =>
    until(async () => {
      await clock.pass(LOOK_MS);
      return told.length === count;
    });
  mkdirSync(gitDir, { recursive: true });
  presence.start();
  expect([await look(), await look()]).toEqual([0, 0]);
  renameSync(path, `${path}-moved`);
  await toldOf(1);
  expect([await look(), await look()]).toEqual([1, 1]);
  renameSync(`${path}-moved`, path);
  await toldOf(2);
  // In one step, for a look under way would else tell that it is gone; and with an inode of its own.
  mkdirSync(join(path, 'another'));
  renameSync(join(path, 'another'), gitDir);
  await toldOf(3);
  repos = [];
  rmSync(path, { recursive: true });
  expect(await look()).toBe(3);
  presence.stop();
  expect(clock.timers).toBe(0);
});

it('tells nothing of a folder that is shared no more when the look at it ends', async () => {
  const path = makeFolder();
  const gitDir = join(path, '.git');
  mkdirSync(gitDir);
  const told: string[] = [];
  let repos = [makeSharedRepo('notes', { path, gitDir })];
  const presence = new Presence({ clock: new VirtualClock(), repos: () => repos, onChange: (id) => told.push(id) });
  await presence.note(repos[0]!);
  rmSync(path, { recursive: true });
  presence.lookAtAll();
  repos = [];
  await quiet(() => told.length);
  expect(told).toEqual([]);
});

it('tells of a folder that has gone before the first look at it, once it was opened', async () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const path = makeFolder();
  const gitDir = join(path, '.git');
  mkdirSync(gitDir);
  const repo = makeSharedRepo('notes', { path, gitDir });
  const presence = new Presence({ clock, repos: () => [repo], onChange: (id) => told.push(id) });
  await presence.note(repo);
  rmSync(path, { recursive: true });
  presence.start();
  await until(() => told.length === 1);
  presence.stop();
});
