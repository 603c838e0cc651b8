// Commits on either side, measured from the end of `git commit` to the moved branch and files on the other; and one push by plain git.
// Rule: each commit waits for the one before, and the files are read where they arrived.

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { nextTip } from './arrival.ts';
import { check, median, timed } from './act.ts';
import type { Act } from './act.ts';
import { pushBeside } from './beside.ts';
import { formatTime } from './screen.ts';
import { REPO } from './stage.ts';
import type { Stage } from './stage.ts';

const ROUNDS = 3;
const FILE = 'letters-of-the-garden.md';
const BRANCH = 'topic';

/** Names in what this act sends. */
export const SENT: readonly string[] = [FILE, 'A letter from the laptop', 'A letter from the desktop', 'A branch of its own'];

export const commits: Act = {
  name: 'Commit on either side: it is on the other',
  expects: 'every commit moves branch and files of the other work tree',
  async play(stage, screen) {
    await Promise.all([stage.laptop.inSync('desktop'), stage.desktop.inSync('laptop')]);
    const times: number[] = [];
    for (let index = 0; index < 2 * ROUNDS; index += 1) {
      const { from, to, tip, ms } = await commitOnce(stage, index);
      screen.tell(`git commit  ${tip.slice(0, 7)}  → files on ${to.padEnd(8)} ${formatTime(ms).padStart(7)}`, from);
      times.push(ms);
    }
    const pushes: number[] = [];
    for (let index = 0; index < times.length; index += 1) {
      const push = await pushBeside(stage, 'main', { [FILE]: letter(index) });
      if (push !== undefined) pushes.push(push);
    }
    const beside = { took: pushes.length === 0 ? undefined : median(pushes), what: 'git push' };
    const row = { what: `commit → files there, median of ${times.length}`, took: median(times), beside };
    return { words: `${times.length} commits, nobody typed push or pull`, rows: [row] };
  },
};

async function commitOnce(stage: Stage, index: number): Promise<{ from: string; to: string; tip: string; ms: number }> {
  const { laptop, desktop, notes, copy } = stage;
  const [from, dir, to, other] = index % 2 === 0 ? [laptop, notes, desktop, copy] : [desktop, copy, laptop, notes];
  await writeFile(path.join(dir, FILE), letter(index));
  await from.git(dir, 'add', FILE);
  const { arrival } = await nextTip(other);
  await from.git(dir, 'commit', '--quiet', '--message', `A letter from the ${from.name}`);
  const committed = performance.now();
  const { tip, at } = await arrival;
  check(tip === (await from.git(dir, 'rev-parse', 'HEAD')), `${to.name} moved to ${tip}, which is another commit`);
  check((await readFile(path.join(other, FILE), 'utf8')) === letter(index), `${to.name} has other files than ${from.name}`);
  return { from: from.name, to: to.name, tip, ms: Math.max(0, at - committed) };
}

function letter(index: number): string {
  return `Letter ${index}: the pears are ripe.\n`;
}

export const push: Act = {
  name: 'Push by plain git, git-xmpp in the place of ssh',
  expects: 'the branch is on the laptop',
  async play(stage, screen) {
    const { laptop, notes, desktop, copy } = stage;
    await desktop.git(copy, 'switch', '--quiet', '--create', BRANCH);
    const tip = await desktop.commit(copy, { 'plan.md': letter(0) }, 'A branch of its own');
    await desktop.git(copy, 'switch', '--quiet', 'main');
    screen.command(desktop.name, `GIT_SSH_COMMAND=git-xmpp-shell git push laptop:${REPO} ${BRANCH}`);
    const env = { GIT_SSH_COMMAND: 'git-xmpp-shell' };
    const { ms, value } = await timed(desktop.run('git', ['push', `laptop:${REPO}`, BRANCH], { cwd: copy, env }));
    check(value.code === 0, `git push ended with ${value.code}: ${value.stderr}`);
    screen.tell(value.stderr);
    check((await laptop.git(notes, 'rev-parse', BRANCH)) === tip, `${BRANCH} is another commit on the laptop`);
    const beside = { took: await pushBeside(stage, BRANCH, { 'plan.md': letter(0) }), what: 'git push' };
    const row = { what: 'git push of a branch, by the shim', took: ms, beside };
    return { words: 'the shim took the place of ssh', rows: [row] };
  },
};

export const status: Act = {
  name: 'Ask how things are',
  expects: 'both devices say "in sync"',
  async play({ laptop, desktop }, screen) {
    await Promise.all([laptop.inSync('desktop'), desktop.inSync('laptop')]);
    screen.command(desktop.name, 'git xmpp status');
    const { ms, value } = await timed(desktop.xmpp('status'));
    screen.tell(value.stdout.replaceAll(desktop.dir, '~'));
    return { words: 'both devices say "in sync"', rows: [{ what: 'status', took: ms }] };
  },
};
