// A machine that loses power while files are written into a work tree: agent and git end in the middle of a move, by a git that kills both.
// Rule: seen from outside: the agent is started again, and nothing else is done.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allEnded } from '../helpers/processes.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

let setting: TwoDevices;

beforeAll(async () => {
  setting = await startTwoDevices();
});

afterAll(() => setting?.stop());

/** A `git` that writes the files of a move, and then ends with the agent that asked for it. @returns the PATH on which it comes first */
async function makeDeadlyGit(): Promise<string> {
  const { desktop } = setting;
  const [bin, before] = [desktop.path('deadly'), desktop.env['PATH'] ?? ''];
  await mkdir(bin);
  const script = ['#!/bin/sh', `PATH='${before}'`, 'case " $* " in *" -n "*) ;; *" read-tree "*" -u "*) git "$@"; kill -9 $PPID $$;; esac', 'exec git "$@"', ''];
  await writeFile(path.join(bin, 'git'), script.join('\n'), { mode: 0o755 });
  return `${bin}:${before}`;
}

it('a move in whose middle agent and git were killed is brought to its end by the next start: branch, index and files are at the commit that was on its way, and no lock is left', async () => {
  const { laptop, desktop } = setting;
  const { notes, copy } = await shareNotes(setting);
  await desktop.stop();
  await desktop.run('git-xmpp', ['daemon', 'start'], { env: { PATH: await makeDeadlyGit() } });
  const agent = desktop.agentPid();
  const names = Array.from({ length: 50 }, (_, index) => `file-${index}.txt`);
  const tip = await laptop.commit(notes, Object.fromEntries(names.map((name) => [name, `${name}\n`])), 'fifty files');
  await allEnded([agent]);
  expect(await desktop.git(copy, 'rev-parse', 'HEAD')).not.toBe(tip);
  expect(await readFile(path.join(copy, 'file-49.txt'), 'utf8')).toBe('file-49.txt\n');
  await desktop.xmpp('daemon', 'start');
  await desktop.head(copy, tip);
  await desktop.git(copy, 'fsck', '--full', '--strict');
  // What is made on it goes back as if nothing had been.
  await laptop.head(notes, await desktop.commit(copy, { 'file-50.txt': 'file-50.txt\n' }, 'one more'));
});
