// What `git cat-file --batch-command` answers (git-cat-file(1), "BATCH OUTPUT"), and the parents that a commit names (git-commit-tree(1)).
// Rule: an answer is to the object that was asked for, in order, and bounded before it is kept; else it is a fault and nothing of it counts.

import { Fault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';

/** One object; `content` is empty where only `info` was asked. */
export interface BatchAnswer {
  readonly type: string;
  /** Bytes of its content. */
  readonly size: number;
  readonly content: Buffer;
}

const MAX_LINE = 128;
/** Commits are a few hundred bytes; a peer may have made a larger one, which is not read here. */
const MAX_CONTENT = 64 << 10;
const MAX_PARENTS = 8;
const HEAD = /^([0-9a-f]{40,64}) (?:(missing)|(commit|tree|blob|tag) (\d{1,15}))$/;
const COMMIT = /^tree [0-9a-f]{40,64}\n((?:parent [0-9a-f]{40,64}\n)*)author /;

/**
 * A parser that is given what git writes, and returns all answers with the last one, undefined before.
 * It throws a Fault `git` for what was not asked for, and for an object too large to be read so.
 */
export function batchAnswers(asked: {
  readonly command: 'contents' | 'info';
  readonly oids: readonly Oid[];
}): (chunk: Uint8Array) => readonly (BatchAnswer | 'missing')[] | undefined {
  const answers: (BatchAnswer | 'missing')[] = [];
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const oid = asked.oids[answers.length];
      if (oid === undefined) break;
      const found = oneAnswer(rest, oid, asked.command === 'contents');
      if (found === undefined) return undefined;
      answers.push(found.answer);
      rest = rest.subarray(found.length);
    }
    if (rest.length > 0) throw new Fault('git', 'git cat-file answered more than was asked');
    return answers;
  };
}

/** The answer that `bytes` begin with; undefined while it is not all there. */
function oneAnswer(bytes: Buffer, oid: Oid, hasContent: boolean): { readonly answer: BatchAnswer | 'missing'; readonly length: number } | undefined {
  const end = bytes.subarray(0, MAX_LINE).indexOf(0x0a);
  if (end < 0 && bytes.length < MAX_LINE) return undefined;
  const [, named, missing, type, digits] = HEAD.exec(bytes.toString('latin1', 0, Math.max(0, end))) ?? [];
  if (named !== oid) throw new Fault('git', 'git cat-file answered something else');
  if (missing !== undefined || type === undefined) return { answer: 'missing', length: end + 1 };
  const size = Number(digits);
  if (!hasContent) return { answer: { type, size, content: Buffer.alloc(0) }, length: end + 1 };
  if (size > MAX_CONTENT) throw new Fault('git', `an object of ${size} bytes is not read so`);
  const length = end + 1 + size + 1;
  if (bytes.length < length) return undefined;
  if (bytes[length - 1] !== 0x0a) throw new Fault('git', 'git cat-file answered another length');
  return { answer: { type, size, content: Buffer.from(bytes.subarray(end + 1, length - 1)) }, length };
}

/** The parents of a commit; undefined for what is none, and for one of more than eight. */
export function parentsIn({ type, content }: BatchAnswer): readonly Oid[] | undefined {
  const lines = type === 'commit' ? COMMIT.exec(content.toString('latin1'))?.[1]?.split('\n').slice(0, -1) : undefined;
  return lines === undefined || lines.length > MAX_PARENTS ? undefined : lines.map((line) => parseOid(line.slice('parent '.length)));
}
