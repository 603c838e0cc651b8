// Small files for their owner alone. Follows rename(2), link(2) and fsync(2).
// Rule: a reader sees the old text or the new one, whole, whatever crashes when; mode 0600 from the first byte on.

import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, open, readdir, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asFault, codeOf, Fault } from '../lib/errors.ts';

/** Ours, and those of journals (src/git/journal.ts). */
const HALF_WRITTEN = /\.[0-9a-f]{12}\.tmp$|^move-[0-9a-f]{16}\.json\.new$/;
/** What is longer than this is none of our files. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * The text of a file, or undefined when there is none. One that others may read is closed to them first.
 * @throws Fault `bad-config` when it is no file, too large or no UTF-8; `permissions`
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK a named pipe in the file's place would hold us for ever.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (!stat.isFile()) throw new Fault('bad-config', `${path} is no ordinary file`);
    if (stat.size > MAX_FILE_BYTES) throw new Fault('bad-config', `${path} holds more than ${MAX_FILE_BYTES} bytes`);
    if ((stat.mode & 0o077) !== 0) await file.chmod(0o600);
    return decodeText(path, await file.readFile());
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw asFault(error, `reading ${path}`);
  } finally {
    await file?.close();
  }
}

function decodeText(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault('bad-config', `${path} is no UTF-8 text`);
  }
}

/** Puts `text` in the file's place; it survives a power cut once this returns. @throws Fault `disk-full`, `permissions` */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  await withTemporary(path, text, (temporary) => rename(temporary, path));
}

/** Makes the file, unless it exists. @returns whether it was made: of any number who try, one is told so */
export async function createPrivateFile(path: string, text: string): Promise<boolean> {
  return withTemporary(path, text, async (temporary) => {
    try {
      await link(temporary, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

async function withTemporary<T>(path: string, text: string, place: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeSynced(temporary, text);
    const placed = await place(temporary);
    await syncFolder(dirname(path));
    return placed;
  } catch (error) {
    throw asFault(error, `writing ${path}`);
  } finally {
    // What a disk that turned read-only keeps goes when the agent starts again.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

/** Removes from a folder what a crash, or a disk that failed, has left of writes there. Only for whom nobody else writes there: who holds the home's lock. */
export async function removeHalfWritten(dir: string): Promise<void> {
  const names = await readdir(dir);
  // Whoever is about to ask for the lock writes beside it.
  const left = names.filter((name) => HALF_WRITTEN.test(name) && !name.startsWith('lock.'));
  for (const name of left) await rm(join(dir, name), { force: true });
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name in a folder survives a power cut only once the folder itself is written. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
