// The copies of one repository on several devices: whether they are equal, and who has what where they are not.
// Rule: looked at again when a file of git's changed somewhere, never after a length of time; what is told at the deadline names every copy.

import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import path from 'node:path';
import type { FSWatcher } from 'node:fs';
import type { Device } from './device.ts';

export interface Copy {
  readonly device: Device;
  /** Its work tree. */
  readonly dir: string;
}

/** Where a branch is, read from its file, or asked of git where it is packed; empty where it is not. */
async function tipOf({ device, dir }: Copy, branch: string): Promise<string> {
  try {
    return readFileSync(path.join(dir, '.git/refs/heads', branch), 'utf8').trim();
  } catch {
    const { stdout, code } = await device.run('git', ['rev-parse', '--quiet', '--verify', `refs/heads/${branch}`], { cwd: dir });
    return code === 0 ? stdout.trim() : '';
  }
}

/** Why copies cannot be called equal yet; `isQuiet` says that no file will tell when it is over. */
interface Unequal {
  readonly why: string;
  readonly isQuiet?: boolean;
}

/** What stands in the way of calling all copies equal, or the tip that all have. */
async function judge(copies: readonly Copy[], { branch, hub }: Wanted): Promise<{ readonly tip: string } | Unequal> {
  const tips = await Promise.all(copies.map((copy) => tipOf(copy, branch)));
  const [tip = ''] = tips;
  const odd = tips.findIndex((each) => each !== tip);
  if (odd >= 0 || tip === '') return { why: `${copies[Math.max(0, odd)]?.device.name} differs` };
  if (hub !== undefined && (await hubTip(copies, hub, branch)) !== tip) return { why: 'the hub differs' };
  for (const { device, dir } of copies) {
    if (existsSync(path.join(dir, '.git/index.lock'))) return { why: `${device.name}: the index is locked` };
    const { stdout } = await device.run('git', ['--no-optional-locks', 'status', '--porcelain'], { cwd: dir });
    if (stdout !== '') return { why: `${device.name}: ${stdout}` };
  }
  for (const copy of copies) if (await isUnderWay(copy, copies)) return { why: `${copy.device.name} is not done`, isQuiet: true };
  const after = await Promise.all(copies.map((copy) => tipOf(copy, branch)));
  return after.every((each) => each === tip) ? { tip } : { why: 'something moved', isQuiet: true };
}

/** Whether its agent still has something to tell one of the copies or to take from it: all may be equal for a moment on the way elsewhere. */
async function isUnderWay({ device, dir }: Copy, copies: readonly Copy[]): Promise<boolean> {
  const { repos } = await device.status();
  const peers = repos.filter((repo) => repo.path === dir).flatMap((repo) => repo.peers);
  const names = copies.map((copy) => copy.device.name);
  return peers
    .filter(({ peer }) => names.includes(peer))
    .some(({ isOnline, state }) => state !== 'in sync' && (isOnline || state !== 'unknown'));
}

async function hubTip([copy]: readonly Copy[], hub: string, branch: string): Promise<string> {
  return copy === undefined ? '' : (await copy.device.run('git', ['--git-dir', hub, 'rev-parse', '--quiet', '--verify', `refs/heads/${branch}`])).stdout.trim();
}

interface Wanted {
  readonly branch: string;
  readonly hub: string | undefined;
}

/**
 * Waits until every copy has the same tip of a branch and a clean work tree, and the hub has it too.
 * @returns the tip
 * @throws at the deadline, with all that each copy and its agent say
 */
export async function converged(copies: readonly Copy[], options: { readonly branch?: string; readonly hub?: string | undefined; readonly deadlineMs?: number } = {}): Promise<string> {
  const { branch = 'main', hub, deadlineMs = 60_000 } = options;
  const news = new News([...copies.map(({ dir }) => path.join(dir, '.git')), ...(hub === undefined ? [] : [hub])]);
  const timer = setTimeout(() => news.end(), deadlineMs);
  try {
    for (;;) {
      const seen = news.count;
      const found = await judge(copies, { branch, hub });
      if ('tip' in found) return found.tip;
      if (news.hasEnded) throw new Error(`not equal after ${deadlineMs} ms: ${found.why}\n${await tell(copies, { branch, hub })}`);
      await (found.isQuiet === true ? new Promise((resolve) => setTimeout(resolve, 25)) : news.since(seen));
    }
  } finally {
    clearTimeout(timer);
    news.close();
  }
}

/** Changes of files in some git directories. */
class News {
  count = 0;
  hasEnded = false;
  readonly #watchers: FSWatcher[] = [];
  #wake = (): void => undefined;

  constructor(gitDirs: readonly string[]) {
    for (const dir of gitDirs.flatMap((each) => [each, ...foldersBelow(path.join(each, 'refs/heads'))])) {
      const watcher = watch(dir, () => this.#tell());
      watcher.on('error', () => undefined);
      this.#watchers.push(watcher);
    }
  }

  /** Resolves when more than `seen` changes were told, or at the end. */
  async since(seen: number): Promise<void> {
    if (this.count > seen || this.hasEnded) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  end(): void {
    this.hasEnded = true;
    this.#wake();
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #tell(): void {
    this.count += 1;
    this.#wake();
  }
}

/** A folder and all below it. */
export function foldersBelow(dir: string): string[] {
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [dir, ...below.flatMap((entry) => foldersBelow(path.join(dir, entry.name)))];
}

/** Who has what: a line for each copy, its branch and work tree, what its agent says of its peers, and its last events. */
export async function tell(copies: readonly Copy[], { branch, hub }: Wanted): Promise<string> {
  const lines: string[] = hub === undefined ? [] : [`hub: ${(await hubTip(copies, hub, branch)).slice(0, 12)}`];
  for (const copy of copies) {
    const { device, dir } = copy;
    const git = async (...args: string[]): Promise<string> => {
      const { stdout, stderr } = await device.run('git', args, { cwd: dir });
      return (stdout + stderr).trimEnd();
    };
    lines.push(`${device.name}: ${await git('log', '-1', '--format=%h %p %s', branch)}`, await git('status', '--short', '--branch'));
    const status = await device.status().catch((error: unknown) => String(error));
    const repos = typeof status === 'string' ? status : status.repos.filter((repo) => repo.path === dir);
    lines.push(JSON.stringify(repos, undefined, 1), device.log().split('\n').slice(-25).join('\n'));
  }
  return lines.join('\n');
}
