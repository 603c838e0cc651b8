// Whatever an agent answers and however narrow the terminal is: no line is wider, none steers the terminal, and no word is lost.

import { clean } from '../../src/lib/steering.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOf, cut, plain, wrap } from '../../src/cli/cells-format.ts';
import { movingLine } from '../../src/cli/moving-format.ts';
import { formatStatus } from '../../src/cli/status-format.ts';
import { makeAnswer, makeHub, makePeerStatus, makeRepoPeer, makeRepoStatus } from '../helpers/status-answer.ts';

const RUNS = { numRuns: 300 };
const sign = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...'ab -/.:'.split('')) },
  { weight: 2, arbitrary: fc.constantFrom('日', '한', 'Ａ', '👍', 'e\u0301', '\u200d', '\ufe0f', '❤', '\u{20000}', '\u202e', '\u001b[2J', '\n', '\ud800') },
);
const text = fc.oneof(fc.string({ unit: sign, maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 30 }));
const amount = fc.oneof(fc.constant(0), fc.nat(1000), fc.double({ min: 0, max: 1e15, noNaN: true }).map(Math.floor));
const moved = fc.record({ bytes: amount, total: fc.option(amount, { nil: undefined }), rate: amount, leftMs: fc.option(amount, { nil: undefined }) });
const width = fc.integer({ min: 10, max: 200 });

const transfer = fc.record({ kind: fc.constantFrom('offer', 'fetch', 'push'), direction: fc.constantFrom('up', 'down'), moved }).map(({ moved: m, ...more }) => ({ ...m, ...more, since: 0 }));
const answer = fc
  .record({ names: fc.array(text, { minLength: 1, maxLength: 4 }), words: text, remedy: text, count: fc.nat(99_999), moving: fc.array(transfer, { maxLength: 2 }), isOnline: fc.boolean() })
  .map(({ names, words, remedy, count, moving, isOnline }) => {
    const error = { at: 0, code: 'git', message: words, remedy };
    const branch = { branch: words, state: 'diverged', ahead: count, behind: 1, here: [{ oid: 'abcdef0123', subject: words }], there: [], end: remedy };
    const about = { isOnline, state: `ahead ${count}`, ahead: count, error, waiting: [words], moving, branches: [branch] } as never;
    return makeAnswer({
      account: { ...makeAnswer().account, state: 'offline', jid: words, fault: { code: 'tls', message: words, remedy } },
      peers: names.map((name) => makePeerStatus({ petname: name, isOnline, error, jid: words })),
      repos: [makeRepoStatus({ name: words, path: words, peers: names.map((name) => makeRepoPeer({ peer: name, ...(about as object) })), hubs: [makeHub({ name: words, words })] })],
      notes: [words],
    });
  });

describe('a status', () => {
  it('is never wider than the terminal, and steers it in no way', () => {
    fc.assert(
      fc.property(answer, width, (given, cells) => {
        const rows = formatStatus(given, { width: cells, isUnicode: true, now: 1e12, homeDir: '/home' }).map(plain);
        for (const row of rows) {
          expect(cellsOf(row), JSON.stringify(row)).toBeLessThanOrEqual(cells);
          expect(row).toBe(clean(row));
        }
      }),
      RUNS,
    );
  });
});

describe('wrap', () => {
  it('keeps every sign but spaces, in order, and within the width', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), width, fc.nat(12), fc.nat(12), (parts, cells, indent, hang) => {
        const rows = wrap(parts.map((part) => ({ text: part })), { width: cells, indent, hang }).map(plain);
        const solid = (some: string): string => some.replace(/\s/gu, '');
        expect(solid(rows.join(''))).toBe(solid(parts.map(clean).join('')));
        for (const row of rows) expect(cellsOf(row)).toBeLessThanOrEqual(cells);
      }),
      RUNS,
    );
  });
});

describe('cut and movingLine', () => {
  it('fit', () => {
    fc.assert(
      fc.property(text, moved, fc.integer({ min: 1, max: 120 }), fc.boolean(), (words, { total, leftMs, ...some }, cells, isUnicode) => {
        const told = { ...some, ...(total === undefined ? {} : { total }), ...(leftMs === undefined ? {} : { leftMs }) };
        expect(cellsOf(cut(words, cells))).toBeLessThanOrEqual(cells);
        expect(cellsOf(movingLine('receiving', told, { width: cells, isUnicode }))).toBeLessThanOrEqual(cells);
      }),
      RUNS,
    );
  });
});
