// Packs that are too large for one go, on the disk while they travel: <home>/state/spool/ (docs/PROTOCOL.md, "Slices").
// Rule: a whole pack is named by its SHA-256, one that still comes in by what it is to be; 0600, few, and never more than the disk has.

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import { asFault, codeOf, Fault, InputFault } from '../lib/errors.ts';

/** At most so many packs wait here to be sent, and so many come in from one device. */
export const MAX_SPOOLED = 2;
/** Left free on the disk whatever is spooled. */
const SPARE_BYTES = 16 * 2 ** 20;
const ABANDONED_MS = 7 * 86_400_000;

export interface SpooledPack {
  readonly path: string;
  /** Of the whole file, 64 hex digits. */
  readonly sha256: string;
  readonly size: number;
}

/** The pack that was written for `key` before, if it is still there. */
export async function findSpooled(dir: string, key: string): Promise<SpooledPack | undefined> {
  const name = (await namesIn(dir)).find((each) => each.startsWith(`${key}-`) && /-[0-9a-f]{64}\.pack$/.test(each));
  if (name === undefined) return undefined;
  const path = join(dir, name);
  return { path, sha256: name.slice(-'.pack'.length - 64, -'.pack'.length), size: (await stat(path)).size };
}

/**
 * Writes `source` to the end; the oldest of too many others go.
 * @param key names what it holds; letters, digits and `-`
 * @throws Fault `disk-full`, or what `source` failed with; nothing is left then
 */
export async function spoolPack(dir: string, key: string, source: Readable): Promise<SpooledPack> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await keepNewest(dir, (name) => name.endsWith('.pack'), MAX_SPOOLED - 1);
  const temporary = join(dir, `${key}.${randomBytes(6).toString('hex')}.tmp`);
  const hash = createHash('sha256');
  let size = 0;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      for await (const part of source) {
        if (!(part instanceof Uint8Array)) continue;
        hash.update(part);
        size += part.length;
        await file.writeFile(part);
      }
    } finally {
      await file.close();
    }
    const sha256 = hash.digest('hex');
    const path = join(dir, `${key}-${sha256}.pack`);
    await rename(temporary, path);
    return { path, sha256, size };
  } catch (error) {
    throw asFault(error, 'spooling a pack');
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Whether `bytes` more fit on the disk of `dir`, with something to spare. */
export async function hasRoom(dir: string, bytes: number): Promise<boolean> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize >= bytes + SPARE_BYTES;
}

/** How much of a pack has come in. */
export async function partSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Makes room for one more pack of a device: the oldest of too many others go. @param prefix of its files */
export async function makeRoomForPart(dir: string, prefix: string, path: string): Promise<void> {
  await keepNewest(dir, (name) => name.startsWith(prefix) && name.endsWith('.part') && join(dir, name) !== path, MAX_SPOOLED - 1);
}

/** Where the bytes of a pack from `offset` on are appended; more than `size` in all is an error, and none of that is written. */
export class PartWriter extends Writable {
  readonly #path: string;
  readonly #room: number;
  #file: FileHandle | undefined;
  /** What it was fed. */
  bytesWritten = 0;

  constructor(path: string, { offset, size }: { readonly offset: number; readonly size: number }) {
    super();
    this.#path = path;
    this.#room = size - offset;
  }

  override _construct(done: (error?: Error | null) => void): void {
    open(this.#path, 'a', 0o600).then((file) => {
      this.#file = file;
      done();
    }, done);
  }

  override _write(part: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#file === undefined || this.bytesWritten + part.length > this.#room) return done(new InputFault('pack', 'is longer than it was said to be'));
    this.bytesWritten += part.length;
    this.#file.appendFile(part).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const closed = this.#file?.close() ?? Promise.resolve();
    closed.then(() => done(error), done);
  }
}

/** @throws InputFault, with the file removed, when a whole pack is not what its name says */
export async function verifyPart(path: string, { sha256, size }: { readonly sha256: string; readonly size: number }): Promise<void> {
  const hash = createHash('sha256');
  let length = 0;
  for await (const part of createReadStream(path)) {
    if (!(part instanceof Uint8Array)) continue;
    hash.update(part);
    length += part.length;
  }
  if (length === size && hash.digest('hex') === sha256) return;
  await rm(path, { force: true });
  throw new InputFault('pack', 'is not what its size and SHA-256 say; it was thrown away');
}

/** Removes what a crash left half written, and packs that nothing was done with for seven days. @returns how many */
export async function removeAbandoned(dir: string, now: number): Promise<number> {
  let removed = 0;
  for (const name of await namesIn(dir)) {
    const path = join(dir, name);
    const { mtimeMs } = await stat(path);
    if (!name.endsWith('.tmp') && mtimeMs > now - ABANDONED_MS) continue;
    await rm(path, { force: true });
    removed += 1;
  }
  return removed;
}

async function keepNewest(dir: string, isOne: (name: string) => boolean, count: number): Promise<void> {
  const found = await Promise.all(
    (await namesIn(dir)).filter(isOne).map(async (name) => ({ path: join(dir, name), at: (await stat(join(dir, name))).mtimeMs })),
  );
  for (const { path } of found.toSorted((a, b) => b.at - a.at).slice(count)) await rm(path, { force: true });
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new Fault('permissions', `looking into ${dir}`, { cause: error });
  }
}
