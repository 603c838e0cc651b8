// What `git merge-tree --write-tree -z` answers (git-merge-tree(1), "OUTPUT"). Rule: paths are bytes, held as latin1 text, one character a byte;
// what is not of that form is a fault, and nothing of it counts.

import { Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';

/** What a tree names at a path. */
export interface Entry {
  /** Six octal digits: 100644, 100755, 120000 (symbolic link), 160000 (submodule). */
  readonly mode: string;
  readonly oid: Oid;
}

/** A conflicted entry: of the common ancestor (1), of the first commit (2) or of the second (3). */
export interface Stage extends Entry {
  readonly stage: 1 | 2 | 3;
  readonly path: string;
}

/** What git says of some paths; `type` is stable, such as `CONFLICT (rename/rename)`. */
export interface MergeMessage {
  readonly type: string;
  readonly paths: readonly string[];
}

export interface MergeTree {
  readonly tree: Oid;
  readonly stages: readonly Stage[];
  readonly messages: readonly MergeMessage[];
}

const STAGE = /^(\d{6}) ([0-9a-f]+) ([123])\t([^]+)$/;

/** @throws Fault `git` */
export function parseMergeTree(output: Buffer): MergeTree {
  // What follows the last NUL is advice for people, of submodules.
  const fields = output.toString('latin1').split('\0').slice(0, -1);
  const tree = parseOid((fields[0] ?? '').trim());
  const end = fields.indexOf('', 1);
  const stages = fields.slice(1, end < 0 ? fields.length : end).map(parseStage);
  return { tree, stages, messages: end < 0 ? [] : parseMessages(fields.slice(end + 1)) };
}

function parseStage(field: string): Stage {
  const [, mode, oid, stage, path] = STAGE.exec(field) ?? [];
  if (mode === undefined || oid === undefined || path === undefined) throw broken();
  return { mode, oid: parseOid(oid), stage: stage === '1' ? 1 : stage === '2' ? 2 : 3, path };
}

/** Each: how many paths, the paths, the type, the words. */
function parseMessages(fields: readonly string[]): MergeMessage[] {
  const messages: MergeMessage[] = [];
  for (let at = 0; at < fields.length;) {
    const count = Number(fields[at]);
    const type = fields[at + 1 + count];
    if (!Number.isSafeInteger(count) || count < 0 || type === undefined) throw broken();
    messages.push({ type, paths: fields.slice(at + 1, at + 1 + count) });
    at += count + 3;
  }
  return messages;
}

function broken(): Fault {
  return new Fault('git', 'git merge-tree answered something else');
}
