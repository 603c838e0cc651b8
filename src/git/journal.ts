// What a move is about to do, written down first, so that a crash can be told from somebody's work
// (docs/decisions/0012-the-agent-holds-the-index-lock.md).
// Rule: a journal is whole or not there; it goes only when branch, index and files agree again.

import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, InputFault } from '../lib/errors.ts';
import { parseOid, parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { unlinkIfThere } from './index-lock.ts';

/** One move of a checked-out branch. */
export interface Journal {
  /** `commit`: the files are there already, index and branch follow them. Absent for a move that writes files. */
  readonly kind?: 'commit';
  /** Work tree and its git directory. */
  readonly path: string;
  readonly gitDir: string;
  readonly branch: RefName;
  /** Absent when the branch is unborn. */
  readonly from: Oid | undefined;
  readonly to: Oid;
  /** Which file the agent's index.lock is (`identityOf`). */
  readonly indexLock: string;
  /** Locks that git update-ref took for us; empty until they are known. */
  readonly refLocks: readonly { readonly path: string; readonly identity: string }[];
}

/** Where the journal of the repository with `commonDir` lies. */
export function journalPath(stateDir: string, commonDir: string): string {
  return join(stateDir, `move-${createHash('sha256').update(commonDir).digest('hex').slice(0, 16)}.json`);
}

/** Writes the journal in one piece. @param options.isDurable waits until it would survive loss of power */
export async function writeJournal(path: string, journal: Journal, options: { readonly isDurable: boolean }): Promise<void> {
  const folder = join(path, '..');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ version: 1, ...journal }));
    if (options.isDurable) await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  if (options.isDurable) await syncFolder(folder);
}

/** The journal that a move left, if one did. @throws InputFault when it cannot be read */
export async function readJournal(path: string): Promise<Journal | undefined> {
  try {
    return parseJournal(JSON.parse(await readFile(path, 'utf8')), path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error instanceof SyntaxError ? new InputFault(path, 'is not a journal of git-xmpp') : error;
  }
}

export async function removeJournal(path: string): Promise<void> {
  await unlinkIfThere(path);
}

function parseJournal(value: unknown, path: string): Journal {
  const record = parseRecord(value, path);
  if (record['version'] !== 1) throw new InputFault(path, 'was written by another version of git-xmpp');
  const text = (name: string): string => parseText(record[name], `${path}: ${name}`);
  const locks = Array.isArray(record['refLocks']) ? record['refLocks'] : [];
  return {
    ...(record['kind'] === 'commit' ? { kind: 'commit' } : {}),
    path: text('path'),
    gitDir: text('gitDir'),
    branch: parseRefName(text('branch')),
    from: record['from'] === undefined ? undefined : parseOid(text('from')),
    to: parseOid(text('to')),
    indexLock: text('indexLock'),
    refLocks: locks.map((lock: unknown) => {
      const entry = parseRecord(lock, path);
      return { path: parseText(entry['path'], path), identity: parseText(entry['identity'], path) };
    }),
  };
}

function parseRecord(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new InputFault(path, 'is not a journal of git-xmpp');
  return { ...value };
}

function parseText(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new InputFault(what, 'is missing');
  return value;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
