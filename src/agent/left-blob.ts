// A book of left commits as the blob that a map names (docs/PROTOCOL.md, "Maps"). Rule: a blob of any peer is measured before it is read, and parsed
// strictly; what we write fits what others read.

import { utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import { inRepository } from '../git/environment.ts';
import { formatLeft, MAX_LEFT_BYTES, parseLeft } from '../sync/left-format.ts';
import type { LeftBook } from '../sync/left-format.ts';
import type { RepoContext } from './context.ts';

type BlobDeps = Pick<RepoContext, 'runGit' | 'repository'>;

/** @throws InputFault when it is no book; Fault `git` when it is not here */
export async function readBook({ runGit, repository }: BlobDeps, oid: Oid): Promise<LeftBook> {
  const place = inRepository(repository);
  const { stdout } = await runGit(['cat-file', '--batch-check=%(objecttype) %(objectsize)'], { ...place, input: `${oid}\n` });
  const [type, size] = stdout.trim().split(' ');
  if (type !== 'blob') throw new InputFault('book of left commits', 'is no blob');
  if (Number(size) > MAX_LEFT_BYTES) throw new InputFault('book of left commits', `is larger than ${MAX_LEFT_BYTES} bytes`);
  return parseLeft(utf8((await runGit(['cat-file', 'blob', oid], place)).stdout));
}

export async function writeBook({ runGit, repository }: BlobDeps, text: string): Promise<Oid> {
  const { stdout } = await runGit(['hash-object', '-t', 'blob', '-w', '--stdin', '--no-filters'], { ...inRepository(repository), input: text });
  return parseOid(stdout.trim());
}

export function textOf(book: LeftBook): string {
  return Buffer.from(formatLeft(book)).toString('utf8');
}
