// What must hold of all copies once they are equal: nothing broken, nothing half done, and no person's commit lost.
// Rule: a commit counts as left on purpose only where a reflog shows that a person moved the branch away from it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseReflogLine } from '../../src/git/reflog-format.ts';
import type { Copy } from './copies.ts';

const NOTHING = /^0+$/;
/** How reflog entries of the agent begin. */
const BY_AGENT = 'xmpp: ';
const AUTOMATIC = 'git-xmpp@localhost';
/** What an operation or a process that was killed leaves in a git directory. */
const HALF_DONE = ['MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'rebase-merge', 'rebase-apply', 'index.lock', 'HEAD.lock', 'packed-refs.lock'];

/** Agents look for what a git left that was killed alone each minute: what is there for longer is there for good. */
const LASTING_MS = 70_000;

export interface SoundOptions {
  readonly hub?: string | undefined;
  readonly mayHoldIncoming?: boolean;
  readonly lastingMs?: number;
}

/**
 * All that is wrong with copies that have `tip` in common, in words.
 * @param options.hub also looked at
 * @param options.lastingMs how long something has to lie there to count as left for good
 * @param options.mayHoldIncoming where a `git receive-pack` was killed: what it had received goes when its agent starts again
 */
export async function whatIsWrong(copies: readonly Copy[], tip: string, options: SoundOptions = {}): Promise<string[]> {
  const { hub } = options;
  const wrong: string[] = [];
  const left = new Set<string>();
  const missing = new Map<string, string>();
  for (const copy of copies) {
    wrong.push(...(await whatIsBroken(copy, options)));
    for (const oid of await leftIn(copy)) left.add(oid);
    for (const [oid, subject] of await missingFrom(copy, tip)) missing.set(oid, `${subject} of ${copy.device.name}`);
  }
  for (const [oid, what] of missing) if (!left.has(oid)) wrong.push(`lost: ${oid} ${what}`);
  const [first] = copies;
  if (hub !== undefined && first !== undefined) wrong.push(...(await fsck(first, hub)).map((line) => `hub: ${line}`));
  return wrong;
}

async function whatIsBroken(copy: Copy, { mayHoldIncoming = false, lastingMs = LASTING_MS }: SoundOptions): Promise<string[]> {
  const { device, dir } = copy;
  const gitDir = path.join(dir, '.git');
  const wrong = [...(await fsck(copy, gitDir)), ...(await lasting(() => leftOver(gitDir, mayHoldIncoming), lastingMs))];
  const { stdout } = await device.run('git', ['status', '--porcelain'], { cwd: dir });
  return [...wrong, ...stdout.split('\n').filter(Boolean)].map((line) => `${device.name}: ${line}`);
}

/** What something under way, or killed, has left. */
function leftOver(gitDir: string, mayHoldIncoming: boolean): string[] {
  const locks = filesBelow(path.join(gitDir, 'refs')).filter((file) => file.endsWith('.lock'));
  const incoming = readdirSync(path.join(gitDir, 'objects')).filter((name) => name.startsWith('tmp_objdir') && !mayHoldIncoming);
  return [...HALF_DONE.filter((name) => existsSync(path.join(gitDir, name))), ...locks, ...incoming];
}

/** Of what is found, that which does not go away: an agent may be writing down what it was told. */
async function lasting(find: () => string[], lastingMs: number): Promise<string[]> {
  for (const until = Date.now() + lastingMs; ; ) {
    const found = find();
    if (found.length === 0 || Date.now() > until) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function fsck({ device }: Copy, gitDir: string): Promise<string[]> {
  const { code, stdout, stderr } = await device.run('git', ['--git-dir', gitDir, 'fsck', '--full', '--strict']);
  return code === 0 ? [] : [`fsck: ${stdout}${stderr}`];
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

interface Entry {
  readonly from: string;
  readonly to: string;
  readonly isByAgent: boolean;
}

/** How `main` moved in a copy, oldest first. */
export function reflogOf({ dir }: Copy): Entry[] {
  const lines = readFileSync(path.join(dir, '.git/logs/refs/heads/main'), 'utf8').split('\n').filter(Boolean);
  return lines.flatMap((line) => {
    const entry = parseReflogLine(line);
    return entry === undefined ? [] : [{ from: entry.from, to: entry.to, isByAgent: entry.message.startsWith(BY_AGENT) }];
  });
}

/** Commits that the person of a copy moved the branch away from. */
async function leftIn(copy: Copy): Promise<string[]> {
  const moves = reflogOf(copy).filter(({ from, to, isByAgent }) => !isByAgent && !NOTHING.test(from) && !NOTHING.test(to));
  const lists = await Promise.all(moves.map(({ from, to }) => copy.device.git(copy.dir, 'rev-list', from, `^${to}`)));
  return lists.flatMap((list) => list.split('\n').filter(Boolean));
}

/** People's commits that `main` of a copy once held and `tip` does not. */
async function missingFrom(copy: Copy, tip: string): Promise<[string, string][]> {
  const { device, dir } = copy;
  const held = reflogOf(copy).map(({ to }) => to).filter((oid) => !NOTHING.test(oid));
  const { code, stdout, stderr } = await device.run('git', ['rev-list', '--no-commit-header', '--format=%H %ce %s', '--stdin', '--not', tip], { cwd: dir, input: `${[...new Set(held)].join('\n')}\n` });
  if (code !== 0) throw new Error(`${device.name}: rev-list ended with ${code}: ${stderr}`);
  const lines = stdout.split('\n').filter((line) => line !== '' && line.split(' ')[1] !== AUTOMATIC);
  const listed = lines.map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ').slice(2).join(' ')]);
  const answers = await Promise.all(listed.map(([oid]) => holds(copy, tip, oid)));
  return listed.filter((_commit, index) => answers[index] === false);
}

/**
 * Whether `tip`, a commit or a ref, leads to a commit. To be asked of what `git rev-list` lists as missing: where clocks were set it lists what `tip` does
 * hold, for it goes by dates, and gives up a few commits later (revision.c, SLOP).
 */
export async function holds({ device, dir }: Copy, tip: string, oid: string): Promise<boolean> {
  return (await device.run('git', ['merge-base', '--is-ancestor', oid, tip], { cwd: dir })).code === 0;
}
