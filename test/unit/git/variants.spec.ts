// Names of variants, and who keeps the name.

import { describe, expect, it } from 'vitest';
import type { Entry, Stage } from '../../../src/git/merge-tree-format.ts';
import { plainPath, resolveConflicts, variantPath } from '../../../src/git/variants.ts';
import { parseOid } from '../../../src/lib/names.ts';

const oid = (digit: string): Entry['oid'] => parseOid(digit.repeat(40));
const file = (digit: string, mode = '100644'): Entry => ({ mode, oid: oid(digit) });
const stage = (number: 1 | 2 | 3, path: string, entry: Entry): Stage => ({ ...entry, stage: number, path });
const LABELS = [oid('1'), oid('2')] as const;

function resolve(stages: readonly Stage[], others: Readonly<Record<string, Entry>> = {}): Record<string, string> {
  const { placed } = resolveConflicts({ stages, messages: [], labels: LABELS, sides: new Map() }, new Map(Object.entries(others)));
  return Object.fromEntries([...placed].map(([path, entry]) => [path, `${entry.mode} ${entry.oid[0]}`]));
}

describe('variantPath', () => {
  it.each([
    ['notes.txt', 'notes.variant-abababab.txt'],
    ['a.b/notes.tar.gz', 'a.b/notes.tar.variant-abababab.gz'],
    ['a.b/Makefile', 'a.b/Makefile.variant-abababab'],
    ['.env', '.env.variant-abababab'],
    ['notes.variant-00000000.txt', 'notes.variant-abababab.txt'],
    ['Makefile.variant-00000000', 'Makefile.variant-abababab'],
    ['a.sentence that is no extension', 'a.sentence that is no extension.variant-abababab'],
  ])('of %s is %s', (path, expected) => {
    expect(variantPath(path, 'ab'.repeat(20), 8)).toBe(expected);
  });

  it('fits into 255 bytes without cutting a character', () => {
    const name = Buffer.from('ü'.repeat(120) + 'xyz.txt', 'utf8').toString('latin1');
    const short = Buffer.from(variantPath(name, 'ab'.repeat(20), 8), 'latin1');
    expect(short.length).toBeLessThanOrEqual(255);
    expect(short.toString('utf8')).toMatch(/^ü+\.variant-abababab\.txt$/);
  });
});

describe('plainPath', () => {
  it('takes off what git added for one of the two commits, and nothing else', () => {
    expect(plainPath(`a/b~${oid('1')}`, LABELS)).toBe('a/b');
    expect(plainPath(`a/b~${oid('2')}_3`, LABELS)).toBe('a/b');
    for (const path of ['a~b', `a~${oid('3')}`, `a~${oid('1')}/b`, `a~${oid('1')}_x`]) expect(plainPath(path, LABELS)).toBe(path);
  });
});

describe('resolveConflicts', () => {
  it('leaves the name to the smaller object id, whichever side it is of', () => {
    const expected = { 'f.txt': '100644 a', 'f.variant-bbbbbbbb.txt': '100755 b' };
    expect(resolve([stage(1, 'f.txt', file('0')), stage(2, 'f.txt', file('a')), stage(3, 'f.txt', file('b', '100755'))])).toEqual(expected);
    expect(resolve([stage(2, 'f.txt', file('b', '100755')), stage(3, 'f.txt', file('a'))])).toEqual(expected);
  });

  it('keeps a change against a deletion', () => {
    expect(resolve([stage(1, 'f', file('0')), stage(3, 'f', file('b'))])).toEqual({ f: '100644 b' });
  });

  it('makes one content of two modes executable', () => {
    expect(resolve([stage(2, 'f', file('b')), stage(3, 'f', file('b', '100755'))])).toEqual({ f: '100755 b' });
  });

  it('puts a file aside where a folder has its name, and lets go of a submodule there', () => {
    const others = { 'd/x': file('9') };
    expect(resolve([stage(2, `d~${LABELS[0]}`, file('b'))], others)).toEqual({ 'd.variant-bbbbbbbb': '100644 b' });
    expect(resolve([stage(2, `d~${LABELS[0]}`, file('b', '160000'))], others)).toEqual({});
    expect(resolve([stage(2, 'd/x', file('c')), stage(3, `d~${LABELS[1]}`, file('b'))])).toEqual({ 'd/x': '100644 c', 'd.variant-bbbbbbbb': '100644 b' });
  });

  it('leaves the name to a submodule, and of two to the smaller one alone', () => {
    expect(resolve([stage(2, 's', file('b')), stage(3, `s~${LABELS[1]}`, file('c', '160000'))])).toEqual({ s: '160000 c', 's.variant-bbbbbbbb': '100644 b' });
    expect(resolve([stage(2, 's', file('b', '160000')), stage(3, 's', file('c', '160000'))])).toEqual({ s: '160000 b' });
  });

  it('tells more of the object id where a variant of that name has other content', () => {
    const stages = [stage(2, 'f', file('a')), stage(3, 'f', file('b'))];
    expect(resolve(stages, { 'f.variant-bbbbbbbb': file('b') })).toEqual({ f: '100644 a', 'f.variant-bbbbbbbb': '100644 b' });
    expect(resolve(stages, { 'f.variant-bbbbbbbb': file('9') })).toEqual({ f: '100644 a', [`f.variant-${'b'.repeat(16)}`]: '100644 b' });
    expect(resolve(stages, { 'f.variant-bbbbbbbb/x': file('9') })).toEqual({ f: '100644 a', [`f.variant-${'b'.repeat(16)}`]: '100644 b' });
    const taken = Object.fromEntries([8, 16, 24, 32, 40].map((digits) => [`f.variant-${'b'.repeat(digits)}`, file('9')]));
    expect(resolve(stages, taken)).toEqual({ f: '100644 a', [`f.variant-${'b'.repeat(40)}.2`]: '100644 b' });
  });

  it('takes the sides themselves for what git renamed on both', () => {
    const messages = [{ type: 'CONFLICT (rename/rename)', paths: ['old', 'one', 'two'] }];
    const stages = [stage(1, 'old', file('0')), stage(2, 'one', file('e')), stage(3, 'two', file('e'))];
    const sides = new Map([['one', [file('a'), undefined] as const], ['two', [undefined, file('b')] as const]]);
    const { placed, removed } = resolveConflicts({ stages, messages, labels: LABELS, sides }, new Map());
    expect(Object.fromEntries(placed)).toEqual({ one: file('a'), two: file('b') });
    expect(removed).toEqual(['old', 'one', 'two']);
  });
});
