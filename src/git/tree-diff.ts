// What differs between two trees: `git diff-tree -r --raw -z` (git-diff-tree(1), "Raw output format"), streamed.
// Rule: a small pack may hold a giant tree, so this stops at its limits, in time and memory too, before anything is checked out. Paths are bytes.

import { realClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import type { GitPlace } from './environment.ts';
import { GiantWatch } from './giant-tree.ts';
import type { ObjectReader } from './object-reader.ts';
import { lastWords } from './run.ts';
import type { GitProcess, StartGit } from './run.ts';

export interface TreeChange {
  readonly path: Buffer;
  readonly kind: 'added' | 'deleted' | 'changed';
  readonly oldMode: string;
  readonly newMode: string;
  readonly oldOid: Oid;
  readonly newOid: Oid;
}

/** How much a branch may change of a work tree by itself. */
export interface TreeLimits {
  readonly paths: number;
  /** Bytes of all new content. */
  readonly bytes: number;
}

const DEADLINE_MS = 120_000;
/** A tree with so many times the files that may change is compared with nothing, if it would take long. */
const GIANT = 10;
const META = /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*$/;
export const GITLINK = '160000';

/** The changes from one tree to another, or in words which limit they go beyond. */
export async function diffTrees(
  startGit: StartGit,
  place: GitPlace,
  asked: { readonly from: string; readonly to: string; readonly limits: TreeLimits; readonly objects?: ObjectReader | undefined },
): Promise<{ readonly changes: readonly TreeChange[] } | { readonly over: string }> {
  const args = ['diff-tree', '-r', '--raw', '-z', '--no-renames', '--no-abbrev', '--no-ext-diff', asked.from, asked.to];
  const process = startGit(args, place);
  const watch = new GiantWatch(startGit, place, { trees: [asked.to, asked.from], most: asked.limits.paths * GIANT, process });
  const changes = await changesOf(process, asked.limits.paths, watch).finally(() => watch.stop());
  if (changes === undefined) return { over: `it changes more than ${asked.limits.paths} files` };
  const written = changes.filter((change) => change.kind !== 'deleted' && change.newMode !== GITLINK).map((change) => change.newOid);
  const bytes = (await asked.objects?.bytesOf(written)) ?? (await bytesOf(startGit, place, written));
  return bytes > asked.limits.bytes ? { over: `it brings ${bytes} bytes, more than ${asked.limits.bytes}` } : { changes };
}

/** What `git diff-tree` lists; undefined when that is more than `most` paths, or would be. */
async function changesOf(process: GitProcess, most: number, watch: GiantWatch): Promise<TreeChange[] | undefined> {
  const changes: TreeChange[] = [];
  let meta: string | undefined;
  for await (const field of fieldsOf(process)) {
    if (meta === undefined) meta = field.toString('latin1');
    else {
      changes.push(parseChange(meta, field));
      meta = undefined;
    }
    if (changes.length > most) {
      process.kill();
      return undefined;
    }
  }
  if (watch.isGiant) return undefined;
  await mustSucceed(process, 'git diff-tree');
  return changes;
}

/** `commit`, or the empty tree for a branch that is unborn. */
export async function treeOrEmpty(runGit: RunGit, place: GitPlace, commit: Oid | undefined): Promise<Oid> {
  if (commit !== undefined) return commit;
  const { stdout } = await runGit(['hash-object', '-t', 'tree', '--stdin'], place);
  return parseOid(stdout.trim());
}

/** Everything git writes to standard output. @throws Fault `git` when it fails */
export async function collectOutput(
  process: GitProcess,
  options: { readonly name: string; readonly input?: Uint8Array; readonly okCodes?: readonly number[]; readonly deadlineMs?: number },
): Promise<Buffer> {
  process.stdin.end(options.input ?? '');
  const chunks: Buffer[] = [];
  for await (const chunk of withDeadlineKill(process, options.deadlineMs)) chunks.push(chunk);
  await mustSucceed(process, options.name, options.okCodes);
  return Buffer.concat(chunks);
}

/** The parts of a NUL-terminated list. */
export function splitNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0, at);
    parts.push(bytes.subarray(at, end < 0 ? bytes.length : end));
    at = end < 0 ? bytes.length : end + 1;
  }
  return parts;
}

/** @throws Fault `git` with git's own last words */
export async function mustSucceed(process: GitProcess, name: string, okCodes: readonly number[] = [0]): Promise<void> {
  const code = await process.exit;
  if (!okCodes.includes(code)) throw new Fault('git', `${name}: ${lastWords(process.stderrTail()) || `exit ${code}`}`);
}

/** The fields of a NUL-terminated list, as they come; the process gets no input. */
export async function* fieldsOf(process: GitProcess): AsyncGenerator<Buffer> {
  process.stdin.end();
  let rest = Buffer.alloc(0);
  for await (const chunk of withDeadlineKill(process)) {
    const bytes = Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(0) + 1;
    rest = bytes.subarray(end);
    yield* splitNul(bytes.subarray(0, end));
  }
}

async function* withDeadlineKill(process: GitProcess, deadlineMs = DEADLINE_MS): AsyncGenerator<Buffer> {
  const timer = realClock.setTimer(deadlineMs, () => process.kill());
  try {
    for await (const chunk of process.stdout) yield Buffer.from(chunk);
  } finally {
    timer.cancel();
  }
}

function parseChange(meta: string, path: Buffer): TreeChange {
  const [, oldMode, newMode, oldOid, newOid, status] = META.exec(meta) ?? [];
  if (oldMode === undefined || newMode === undefined || oldOid === undefined || newOid === undefined) {
    throw new Fault('internal', 'git diff-tree answered a line that is not raw output');
  }
  const kind = status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'changed';
  return { path: Buffer.from(path), kind, oldMode, newMode, oldOid: parseOid(oldOid), newOid: parseOid(newOid) };
}

/** Bytes of what would be written; content that lies at two paths counts twice. */
async function bytesOf(startGit: StartGit, place: GitPlace, written: readonly Oid[]): Promise<number> {
  if (written.length === 0) return 0;
  const process = startGit(['cat-file', '--batch-check=%(objectsize)'], place);
  const input = Buffer.from(written.map((oid) => `${oid}\n`).join(''));
  const sizes = (await collectOutput(process, { name: 'git cat-file', input })).toString('latin1').split('\n');
  return sizes.reduce((sum, size) => sum + (size === '' ? 0 : Number(size)), 0);
}
