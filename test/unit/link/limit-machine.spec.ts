// The bucket, with the time handed in.

import { describe, expect, it } from 'vitest';
import { ask, Bucket } from '../../../src/link/limit-machine.ts';

const [anna, ben] = [{ name: 'anna' }, { name: 'ben' }];

/** Empties what may go out. */
function drain(bucket: Bucket, now: number, taker: object = anna): number {
  const { room } = ask([bucket], taker, 1 << 20, now);
  bucket.take(room);
  return room;
}

describe('Bucket', () => {
  it('lets a quarter of a second go at once, then its rate', () => {
    const bucket = new Bucket(100_000, 0);
    expect(drain(bucket, 0)).toBe(25_000);
    expect(drain(bucket, 0)).toBe(0);
    expect(drain(bucket, 100)).toBe(10_000);
    expect(drain(bucket, 60_000)).toBe(25_000);
  });

  it('always has room for one block in the end, however low its rate', () => {
    const bucket = new Bucket(1000, 0);
    expect(drain(bucket, 0)).toBe(4096);
    expect(ask([bucket], anna, 4096, 1)).toEqual({ room: 0, waitMs: 4095 });
    expect(drain(bucket, 4095)).toBe(0);
    expect(drain(bucket, 4096)).toBe(4096);
  });

  it('waits for a whole block rather than letting crumbs go', () => {
    const bucket = new Bucket(100_000, 0);
    drain(bucket, 0);
    expect(drain(bucket, 40)).toBe(0);
    expect(drain(bucket, 41)).toBe(4100);
  });

  it('gives those who wait their turn, in the order in which they came', () => {
    const bucket = new Bucket(10_000, 0);
    drain(bucket, 0);
    expect(ask([bucket], ben, 4096, 0)).toEqual({ room: 0, waitMs: 410 });
    expect(ask([bucket], anna, 4096, 0)).toEqual({ room: 0, waitMs: 820 });
    expect(ask([bucket], anna, 4096, 410).room).toBe(0);
    expect(ask([bucket], ben, 4096, 410).room).toBe(4096);
  });

  it('waits no longer than a second for one that does not come', () => {
    const bucket = new Bucket(10_000, 0);
    drain(bucket, 0);
    ask([bucket], ben, 4096, 0);
    expect(ask([bucket], anna, 4096, 1410).room).toBe(0);
    expect(ask([bucket], anna, 4096, 1411).room).toBe(4096);
  });

  it('lets nobody be held up by one that waits for a tighter limit of its own', () => {
    const [all, tight] = [new Bucket(100_000, 0), new Bucket(1000, 0)];
    tight.take(4096);
    expect(ask([all, tight], ben, 4096, 0).room).toBe(0);
    expect(ask([all], anna, 4096, 0).room).toBe(4096);
  });

  it('goes on at its rate when the clock is set back', () => {
    const bucket = new Bucket(100_000, 3_600_000);
    drain(bucket, 3_600_000);
    expect(drain(bucket, 0)).toBe(0);
    expect(drain(bucket, 100)).toBe(10_000);
  });
});
