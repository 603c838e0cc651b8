// The automatic merge commit: one form, so that the same parents give the same object on every device (docs/CONVERGENCE.md, "The join").
// Rule: whatever differs from that form in one byte was made by a person, and is never replaced.

import { InputFault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';

/** The version of the rule by which trees are folded; another rule would be another number. */
export const MERGE_RULE = 1;
/** A merge of more is not made: each costs every device a run of git. */
export const MAX_MERGE_PARENTS = 256;

const PERSON = 'git-xmpp <git-xmpp@localhost>';
const MESSAGE = `Merge what several devices committed\n\nXmpp-Merge: ${MERGE_RULE}\n`;
const FORM =
  /^tree ([0-9a-f]{40}|[0-9a-f]{64})\n((?:parent [0-9a-f]+\n){2,})author git-xmpp <git-xmpp@localhost> (\d{1,10}) \+0000\ncommitter ([^\n]*)\n\n([^]*)$/;
const COMMITTER = /^committer [^\n]*> (\d{1,10}) [+-]\d{4}$/m;

/** An automatic merge, as its commit says it. */
export interface Automatic {
  readonly tree: Oid;
  /** In ascending order, at least two, none twice. */
  readonly parents: readonly Oid[];
  /** Seconds since 1970: the latest date of the parents. */
  readonly seconds: number;
}

/** The commit object's content. @throws InputFault on parents that are not sorted, or too many */
export function formatAutomatic({ tree, parents, seconds }: Automatic): string {
  if (!isSorted(parents) || parents.length > MAX_MERGE_PARENTS) throw new InputFault('automatic merge', `cannot have these ${parents.length} parents`);
  const when = `${PERSON} ${seconds} +0000`;
  return `tree ${tree}\n${parents.map((oid) => `parent ${oid}\n`).join('')}author ${when}\ncommitter ${when}\n\n${MESSAGE}`;
}

/** @returns undefined for any other commit */
export function parseAutomatic(content: string): Automatic | undefined {
  const [, tree, lines, seconds, committer, message] = FORM.exec(content) ?? [];
  if (tree === undefined || lines === undefined || committer !== `${PERSON} ${seconds} +0000` || message !== MESSAGE) return undefined;
  const names = lines.split('\n').slice(0, -1).map((line) => line.slice('parent '.length));
  if (names.some((name) => name.length !== tree.length) || !isSorted(names) || names.length > MAX_MERGE_PARENTS) return undefined;
  return { tree: parseOid(tree), parents: names.map(parseOid), seconds: Number(seconds) };
}

/** A commit's committer date in seconds since 1970; 0 where it has none that can be read, which real history has. */
export function committerSeconds(content: string): number {
  const end = content.indexOf('\n\n');
  return Number(COMMITTER.exec(end < 0 ? content : content.slice(0, end))?.[1] ?? 0);
}

function isSorted(oids: readonly string[]): boolean {
  return oids.length > 1 && oids.every((oid, index) => index === 0 || (oids[index - 1] ?? '') < oid);
}
