// What `git status --porcelain=v2 -z --branch` says (git-status(1), "Porcelain Format Version 2").
// Rule: paths are bytes; a line that is none of the known forms is an error, never passed over.

import { Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';

/** One file that differs from the index. */
export interface WorkChange {
  /** From the top. */
  readonly path: Buffer;
  readonly kind: 'new' | 'changed' | 'deleted';
}

export interface WorkStatus {
  /** Absent while the branch is unborn. */
  readonly head: Oid | undefined;
  /** The first path that is staged, or marked by `git add -N`. */
  readonly staged: Buffer | undefined;
  /** The first path with a conflict. */
  readonly unmerged: Buffer | undefined;
  readonly changes: readonly WorkChange[];
  /** Repositories within this one that are not submodules. */
  readonly nested: readonly Buffer[];
}

/** Fields before the path in `1 XY sub mH mI mW hH hI path`. */
const FIELDS_BEFORE = 8;

const SLASH = 0x2f;

/** What is found out line by line. */
interface Found {
  head: Oid | undefined;
  staged: Buffer | undefined;
  unmerged: Buffer | undefined;
  readonly changes: WorkChange[];
  readonly nested: Buffer[];
}

/** @param parts the NUL-terminated parts of what git printed @throws Fault `git` */
export function parseStatus(parts: readonly Buffer[]): WorkStatus {
  const found: Found = { head: undefined, staged: undefined, unmerged: undefined, changes: [], nested: [] };
  for (const part of parts) {
    const kind = part.subarray(0, 2).toString('latin1');
    if (kind === '# ') readHeader(part.toString('utf8'), found);
    else if (kind === '1 ') readOrdinary(part, found);
    else if (kind === 'u ') found.unmerged ??= pathAfter(part, FIELDS_BEFORE + 2);
    else if (kind !== '? ') throw new Fault('git', `git status said what is not known: ${part.toString('utf8').slice(0, 100)}`);
    else if (part.at(-1) === SLASH) found.nested.push(part.subarray(2, -1));
    else found.changes.push({ path: part.subarray(2), kind: 'new' });
  }
  return found;
}

function readHeader(line: string, found: Found): void {
  const value = /^# branch\.oid (.+)$/.exec(line)?.[1];
  if (value !== undefined && value !== '(initial)') found.head = parseOid(value);
}

function readOrdinary(part: Buffer, found: Found): void {
  const [index, work] = part.subarray(2, 4).toString('latin1');
  const path = pathAfter(part, FIELDS_BEFORE);
  if (index !== '.' || work === 'A') found.staged ??= path;
  else found.changes.push({ path, kind: work === 'D' ? 'deleted' : 'changed' });
}

function pathAfter(part: Buffer, fields: number): Buffer {
  let at = -1;
  for (let count = 0; count < fields; count += 1) {
    at = part.indexOf(0x20, at + 1);
    if (at < 0) throw new Fault('git', 'git status said less than it should');
  }
  return part.subarray(at + 1);
}
