import { describe, expect, it } from 'vitest';
import { bar, movingLine, verbOf } from '../../../src/cli/moving-format.ts';

const HALF = { bytes: 12_000_000, total: 26_400_000, rate: 1_200_000, leftMs: 12_000 };
const line = (width: number, moved: Parameters<typeof movingLine>[1] = HALF, isUnicode = true): string => movingLine('sending', moved, { width, isUnicode });

describe('movingLine', () => {
  it('tells how far, how much, how fast, and how long it still takes', () => {
    expect(line(80)).toBe('sending  ██████████░░░░░░░░░░░░░░  45 %  12.0 of 26.4 MB  1.2 MB/s  12 s left');
    expect(line(Infinity)).toBe(line(80));
  });

  it('leaves out what is worth least where there is less room, and stays one line', () => {
    expect([line(60), line(44), line(36), line(24), line(14), line(5)]).toEqual([
      'sending  ██░░░░  45 %  12.0 of 26.4 MB  1.2 MB/s  12 s left',
      'sending  ██░░░░  45 %  1.2 MB/s  12 s left',
      'sending  45 %  1.2 MB/s  12 s left',
      'sending  45 %  12 s left',
      'sending  45 %',
      'send…',
    ]);
  });

  it('has no bar where nobody knows the whole, and says when nothing moves', () => {
    expect(line(80, { bytes: 3_100_000, rate: 429_000 })).toBe('sending  3.1 MB  429 kB/s');
    expect(line(80, { bytes: 500, total: 1000, rate: 0 })).toContain('nothing moves');
  });

  it('is not done before it is', () => {
    expect(line(80, { bytes: 9_999_999, total: 10_000_000, rate: 5, leftMs: 1 })).toContain('  99 %');
    expect(line(80, { bytes: 20, total: 10, rate: 5 })).toContain('100 %  10 of 10 B');
  });

  it('is ASCII where nothing else is understood', () => {
    expect(line(80, HALF, false)).toContain('[##########------------]');
  });
});

describe('bar', () => {
  it('has the width that was asked for, whatever the share', () => {
    for (const share of [-1, 0, 0.5, 1, 7]) expect([bar(share, 10, true).length, bar(share, 10, false).length]).toEqual([10, 10]);
    expect([bar(0, 4, true), bar(1, 4, true)]).toEqual(['░░░░', '████']);
  });
});

describe('verbOf', () => {
  it('tells who moves what', () => {
    const verbs = (['offer', 'fetch', 'push'] as const).map((kind) => [verbOf({ kind, direction: 'up' }), verbOf({ kind, direction: 'down' })]);
    expect(verbs).toEqual([['sending', 'receiving'], ['it fetches', 'fetching'], ['pushing', 'it pushes']]);
  });
});
