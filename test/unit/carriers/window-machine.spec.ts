// The window that grows by the delay it causes, fed with round trips.

import { describe, expect, it } from 'vitest';
import { SendWindow } from '../../../src/carriers/window-machine.ts';
import type { SentBlock } from '../../../src/carriers/window-machine.ts';

interface Drive {
  readonly longestMs: number;
  readonly sizes: readonly number[];
  readonly bytes: number;
  readonly end: number;
}

/** A path of `baseMs` both ways and `rate` bytes a second; for `ms` it carries all that the window allows. */
function drive(window: SendWindow, path: { readonly baseMs: number; readonly rate: number }, ms: number, startMs = 0): Drive {
  const underWay: { readonly block: SentBlock; readonly at: number }[] = [];
  const sizes: number[] = [];
  let [now, freeAt, longestMs, bytes] = [startMs, startMs, 0, 0];
  while (now < startMs + ms) {
    for (let room = window.room(); room > 0; room = window.room()) {
      freeAt = Math.max(freeAt, now) + (room / path.rate) * 1000;
      underWay.push({ block: window.send(room, now), at: freeAt + path.baseMs });
      sizes.push(room);
    }
    const next = underWay.shift();
    if (next === undefined) throw new Error('a window that lets nothing out');
    now = next.at;
    window.acknowledge(next.block, now);
    bytes += next.block.size;
    longestMs = Math.max(longestMs, now - next.block.sentAt);
  }
  for (const { block, at } of underWay) window.acknowledge(block, at);
  return { longestMs, sizes, bytes, end: now };
}

/** Prosody's way to limit: it reads at most 8192 bytes, then looks away for as long as they cost. @returns bytes of blocks a second */
function driveReads(window: SendWindow, rate: number, ms: number): { readonly bytesPerS: number; readonly longestMs: number } {
  const stanza = (size: number): number => Math.ceil(size / 3) * 4 + 165;
  const underWay: { readonly block: SentBlock; left: number }[] = [];
  let [now, bytes, longestMs] = [0, 0, 0];
  while (now < ms) {
    for (let room = window.room(); room > 0; room = window.room()) underWay.push({ block: window.send(room, now), left: stanza(room) });
    let read = 0;
    for (let first = underWay[0]; first !== undefined && read < 8192; first = underWay[0]) {
      const part = Math.min(first.left, 8192 - read);
      read += part;
      first.left -= part;
      if (first.left > 0) break;
      underWay.shift();
      // Passed on, consumed and answered within a few milliseconds, while the server looks away.
      window.acknowledge(first.block, now + 4);
      longestMs = Math.max(longestMs, now + 4 - first.block.sentAt);
      bytes += first.block.size;
    }
    now += Math.max(1, (read / rate) * 1000);
  }
  return { bytesPerS: (bytes / now) * 1000, longestMs };
}

describe('SendWindow', () => {
  it.each([
    [10_000, 4096],
    [3_000, 2048],
  ])('loses no more than two hundredths to a server that lets %d bytes a second in, with a queue of three blocks at most', (rate, size) => {
    const stanza = Math.ceil(size / 3) * 4 + 165;
    const { bytesPerS, longestMs } = driveReads(new SendWindow(4096), rate, 300_000);
    expect(bytesPerS).toBeGreaterThan(0.98 * ((size / stanza) * rate));
    expect(longestMs).toBeLessThan(((3 * 5629) / rate) * 1000);
  });

  it('starts with two blocks', () => {
    const window = new SendWindow(4096);
    expect(window.room()).toBe(4096);
    window.send(4096, 0);
    expect(window.room()).toBe(4096);
    window.send(4096, 0);
    expect(window.room()).toBe(0);
  });

  it('reaches sixteen blocks within sixteen round trips of an empty path', () => {
    const window = new SendWindow(4096);
    drive(window, { baseMs: 2, rate: Infinity }, 16 * 2 + 1);
    expect(window.blocks).toBeGreaterThanOrEqual(16);
  });

  it('never has more than 64 blocks or 256 KiB under way', () => {
    const large = new SendWindow(4096);
    drive(large, { baseMs: 2, rate: Infinity }, 5000);
    expect(large.blocks * 4096).toBeLessThanOrEqual(256 * 1024);
    const small = new SendWindow(256);
    drive(small, { baseMs: 2, rate: Infinity }, 5000);
    let count = 0;
    for (; small.room() > 0; count += 1) small.send(1, 5000);
    expect(count).toBe(64);
  });

  it('keeps the queue near its target where the server lets 50 kB a second through', () => {
    const window = new SendWindow(4096);
    const first = drive(window, { baseMs: 100, rate: 50_000 }, 60_000);
    const later = drive(window, { baseMs: 100, rate: 50_000 }, 60_000, first.end);
    expect(later.longestMs).toBeLessThan(100 + 2 * 600);
    expect(later.bytes / 60).toBeGreaterThan(45_000);
  });

  it('stays at two blocks where the server lets 10 kB a second through', () => {
    const window = new SendWindow(4096);
    drive(window, { baseMs: 50, rate: 10_000 }, 60_000);
    expect(window.blocks).toBeLessThanOrEqual(3);
    expect(window.room()).toBe(4096);
  });

  it('cuts its blocks to 2048 bytes on a path under 5 kB a second, and no further', () => {
    const window = new SendWindow(4096);
    const { sizes, end } = drive(window, { baseMs: 50, rate: 2500 }, 60_000);
    expect(sizes[0]).toBe(4096);
    const { sizes: later } = drive(window, { baseMs: 50, rate: 2500 }, 60_000, end);
    expect(new Set(later)).toEqual(new Set([2048]));
    expect(window.blocks).toBeGreaterThanOrEqual(2);
  });

  it('goes back to whole blocks when the path gets faster', () => {
    const window = new SendWindow(4096);
    const { end } = drive(window, { baseMs: 50, rate: 2500 }, 60_000);
    drive(window, { baseMs: 50, rate: 100_000 }, 10_000, end);
    expect(window.room()).toBe(4096);
  });

  it('goes over to larger blocks where they are allowed and the path is fast, and back when it is no more', () => {
    const window = new SendWindow(4096, 16_384);
    const { sizes, end } = drive(window, { baseMs: 5, rate: 5_000_000 }, 2000);
    expect(sizes.slice(0, 64).every((size) => size === 4096)).toBe(true);
    expect(window.room()).toBe(16_384);
    drive(window, { baseMs: 5, rate: 20_000 }, 20_000, end);
    expect(window.room()).toBe(4096);
  });

  it('never goes over to them where a server throttles', () => {
    const window = new SendWindow(4096, 16_384);
    const { sizes } = drive(window, { baseMs: 5, rate: 400_000 }, 60_000);
    expect(Math.max(...sizes)).toBe(4096);
  });

  it('shrinks once per round trip when the delay is far over its target', () => {
    const window = new SendWindow(4096);
    drive(window, { baseMs: 2, rate: Infinity }, 1000);
    const before = window.blocks;
    drive(window, { baseMs: 3000, rate: Infinity }, 3000, 2000);
    expect(window.blocks).toBeLessThan(before);
    expect(window.blocks).toBeGreaterThan(before / 3);
  });

  it('does not grow, and takes nothing for the rate of the path, while the source sends less than it may', () => {
    const window = new SendWindow(4096);
    for (let now = 0; now < 10_000; now += 10) window.acknowledge(window.send(100, now), now + 5);
    expect(window.blocks).toBe(2);
    expect(window.shown.rateBytesPerS).toBeUndefined();
  });

  it('forgets a short round trip after ten minutes', () => {
    const window = new SendWindow(4096);
    window.acknowledge(window.send(4096, 0), 1);
    const { end } = drive(window, { baseMs: 1500, rate: Infinity }, 60_000, 1000);
    expect(window.blocks).toBe(2);
    drive(window, { baseMs: 1500, rate: Infinity }, 900_000, end);
    expect(window.blocks).toBeGreaterThan(16);
  });

  it('waits a minute for an answer, or eight round trips when that is longer', () => {
    const window = new SendWindow(4096);
    expect(window.timeoutMs).toBe(60_000);
    window.acknowledge(window.send(4096, 0), 10_000);
    expect(window.timeoutMs).toBe(80_000);
  });
});
