import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAutomatic, parseAutomatic } from '../../src/git/automatic-format.ts';
import { parseMergeTree } from '../../src/git/merge-tree-format.ts';
import type { Entry, Stage } from '../../src/git/merge-tree-format.ts';
import { resolveConflicts, variantPath } from '../../src/git/variants.ts';
import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';

const oid = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => parseOid(Buffer.from(bytes).toString('hex')));
/** Few enough that contents, and the beginnings of their ids, come together. */
const blob = fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('0', '1', '2')).map(([start, end]) => parseOid(start.repeat(20) + end.repeat(20)));
const entry = fc.record({ mode: fc.constantFrom('100644', '100755', '120000', '160000'), oid: blob });
const path = fc.constantFrom('a', 'a/b', 'a/b/c', 'd.txt', 'e/.env', 'd.variant-aaaaaaaa.txt');
const LABELS: readonly [Oid, Oid] = [parseOid('1'.repeat(40)), parseOid('2'.repeat(40))];
const SIDES = new Map();

const conflicts = fc.uniqueArray(fc.record({ path, ours: fc.option(entry, { nil: undefined }), theirs: fc.option(entry, { nil: undefined }) }), {
  selector: (each) => each.path,
  minLength: 1,
  maxLength: 5,
});
type Conflicts = typeof conflicts extends fc.Arbitrary<infer T> ? T : never;

function stagesOf(all: Conflicts, isSwapped = false): Stage[] {
  return all.flatMap(({ path: at, ours, theirs }) => {
    const [first, second] = isSwapped ? [theirs, ours] : [ours, theirs];
    const stage = (number: 2 | 3, there: Entry | undefined): Stage[] => (there === undefined ? [] : [{ stage: number, path: at, ...there }]);
    return [...stage(2, first), ...stage(3, second)];
  });
}

const resolve = (all: Conflicts, isSwapped = false): ReadonlyMap<string, Entry> =>
  resolveConflicts({ stages: stagesOf(all, isSwapped), messages: [], labels: LABELS, sides: SIDES }, new Map()).placed;

describe('resolveConflicts', () => {
  it('comes to the same whichever side is whose, in whatever order git names the paths', () => {
    fc.assert(
      fc.property(conflicts.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))), ([all, shuffled]) => {
        expect(Object.fromEntries(resolve(shuffled, true))).toEqual(Object.fromEntries(resolve(all)));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps the content of every file of either side, and no path is file and folder at once', () => {
    fc.assert(
      fc.property(conflicts, (all) => {
        const placed = resolve(all);
        const contents = new Set([...placed.values()].map((each) => each.oid));
        for (const each of stagesOf(all)) if (each.mode !== '160000') expect(contents).toContain(each.oid);
        const paths = [...placed.keys()];
        for (const each of paths) expect(paths.filter((other) => other.startsWith(`${each}/`))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe('variantPath', () => {
  it('stays in its folder, within 255 bytes, and of a variant is a variant of the same file', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'é', '.', '-', '😀'), minLength: 1, maxLength: 120 }).map((text) => Buffer.from(text, 'utf8').subarray(0, 255).toString('latin1'));
    fc.assert(
      fc.property(name, oid, oid, (file, one, other) => {
        const variant = variantPath(`folder/${file}`, one, 8);
        expect(variant).toMatch(/^folder\/[^/]+$/);
        expect(variant.length - 'folder/'.length).toBeLessThanOrEqual(255);
        expect(variantPath(variant, other, 8)).toBe(variantPath(`folder/${file}`, other, 8));
      }),
      { numRuns: 500 },
    );
  });
});

describe('formatAutomatic', () => {
  it('is read back as it was', () => {
    const merge = fc.record({ tree: oid, parents: fc.uniqueArray(oid, { minLength: 2, maxLength: 40 }).map((parents) => parents.toSorted()), seconds: fc.integer({ min: 0, max: 9_999_999_999 }) });
    fc.assert(
      fc.property(merge, (each) => {
        expect(parseAutomatic(formatAutomatic(each))).toEqual(each);
      }),
      { numRuns: 200 },
    );
  });
});

describe('parseMergeTree', () => {
  it('takes any bytes for an answer or for a fault', () => {
    const field = fc.oneof(fc.constantFrom('', '1', '2', 'a', 'f'.repeat(40), `100644 ${'a'.repeat(40)} 2\tx`, 'CONFLICT (contents)'), fc.string());
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        try {
          for (const { path: at } of parseMergeTree(Buffer.from(fields.join('\0'), 'latin1')).stages) expect(at).not.toBe('');
        } catch (error) {
          expect(error).toMatchObject({ name: expect.stringMatching(/^(?:Input)?Fault$/) as string });
        }
      }),
      { numRuns: 500 },
    );
  });
});
