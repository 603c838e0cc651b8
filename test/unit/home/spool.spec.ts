// Packs on the disk while they travel: whole and named by their hash, or appended to and checked.

import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { findSpooled, hasRoom, makeRoomForPart, PartWriter, partSize, removeAbandoned, spoolPack, verifyPart } from '../../../src/home/spool.ts';
import { makeFolder } from '../../helpers/repo.ts';

const BYTES = randomBytes(300_000);
const SHA256 = createHash('sha256').update(BYTES).digest('hex');

let dir: string;

beforeEach(() => {
  dir = join(makeFolder(), 'spool');
});

const mode = (path: string): number => statSync(path).mode & 0o777;

describe('a pack that is to be sent', () => {
  it('is named by its hash, for its owner alone, and found again', async () => {
    const pack = await spoolPack(dir, 'key', Readable.from([BYTES.subarray(0, 1000), BYTES.subarray(1000)]));
    expect(pack).toEqual({ path: join(dir, `key-${SHA256}.pack`), sha256: SHA256, size: BYTES.length });
    expect([mode(dir), mode(pack.path)]).toEqual([0o700, 0o600]);
    expect(await findSpooled(dir, 'key')).toEqual(pack);
    expect(await findSpooled(dir, 'ke')).toBeUndefined();
    expect(await findSpooled(join(dir, 'none'), 'key')).toBeUndefined();
  });

  it('leaves nothing when its source fails', async () => {
    const failing = Readable.from(
      (async function* () {
        yield BYTES;
        throw new Error('broken off');
      })(),
    );
    await expect(spoolPack(dir, 'key', failing)).rejects.toThrow('broken off');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is one of two: the oldest goes', async () => {
    for (const key of ['a', 'b', 'c']) {
      const { path } = await spoolPack(dir, key, Readable.from([Buffer.from(key)]));
      utimesSync(path, key.charCodeAt(0), key.charCodeAt(0));
    }
    expect(readdirSync(dir).map((name) => name.slice(0, 1)).toSorted()).toEqual(['b', 'c']);
  });

  it('needs room on the disk', async () => {
    expect(await hasRoom(dir, 1)).toBe(true);
    expect(await hasRoom(dir, 2 ** 60)).toBe(false);
  });
});

describe('a pack that comes in', () => {
  const path = (): string => join(dir, 'x.part');
  const append = (bytes: Uint8Array, offset: number, size = BYTES.length): Promise<void> => pipeline(Readable.from([bytes]), new PartWriter(path(), { offset, size }));

  beforeEach(() => hasRoom(dir, 1));

  it('is appended to over several tries, and is what its name says', async () => {
    expect(await partSize(path())).toBe(0);
    await append(BYTES.subarray(0, 100_000), 0);
    expect(await partSize(path())).toBe(100_000);
    await append(BYTES.subarray(100_000), 100_000);
    expect(mode(path())).toBe(0o600);
    await verifyPart(path(), { sha256: SHA256, size: BYTES.length });
  });

  it('takes no byte above its size', async () => {
    await append(BYTES.subarray(0, 100), 0, 150);
    await expect(append(BYTES.subarray(0, 51), 100, 150)).rejects.toMatchObject({ code: 'bad-input' });
    expect(await partSize(path())).toBe(100);
  });

  it.each([
    ['another hash', { sha256: '0'.repeat(64), size: BYTES.length }],
    ['another size', { sha256: SHA256, size: BYTES.length + 1 }],
  ])('is thrown away with %s', async (_name, said) => {
    await append(BYTES, 0);
    await expect(verifyPart(path(), said)).rejects.toMatchObject({ code: 'bad-input' });
    expect(existsSync(path())).toBe(false);
  });

  it('is one of two of its device, and takes no room from others', async () => {
    for (const [index, name] of ['me-1.part', 'me-2.part', 'you-1.part'].entries()) {
      writeFileSync(join(dir, name), 'x');
      utimesSync(join(dir, name), index + 1, index + 1);
    }
    await makeRoomForPart(dir, 'me-', join(dir, 'me-3.part'));
    expect(readdirSync(dir).toSorted()).toEqual(['me-2.part', 'you-1.part']);
    await makeRoomForPart(dir, 'me-', join(dir, 'me-2.part'));
    expect(readdirSync(dir).toSorted()).toEqual(['me-2.part', 'you-1.part']);
  });
});

describe('removeAbandoned', () => {
  it('removes what a crash left half written, and what nobody went on with for seven days', async () => {
    expect(await removeAbandoned(dir, 0)).toBe(0);
    await hasRoom(dir, 1);
    const day = 86_400;
    for (const [name, at] of [['a.pack', 1], ['b.part', 1], ['c.pack', 2 * day], ['d.part', 2 * day], ['e.tmp', 8 * day]] as const) {
      writeFileSync(join(dir, name), 'x');
      utimesSync(join(dir, name), at, at);
    }
    expect(await removeAbandoned(dir, 8 * day * 1000)).toBe(3);
    expect(readdirSync(dir).toSorted()).toEqual(['c.pack', 'd.part']);
  });
});
