import { describe, expect, it } from 'vitest';
import { parseOid } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { decideJoin, isRival, joinCandidates } from '../../../src/sync/join.ts';
import type { Tip } from '../../../src/sync/join.ts';

const oid = (digit: string): Oid => parseOid(digit.repeat(40));
const [A, B, C, D, E] = [oid('a'), oid('b'), oid('c'), oid('d'), oid('e')];
const person = (of: Oid): Tip => ({ oid: of, solids: [of] });
const automatic = (of: Oid, ...solids: Oid[]): Tip => ({ oid: of, solids });
const nothingLeft = (): boolean => false;
const left = (...oids: Oid[]) => (one: Oid): boolean => oids.includes(one);

describe('joinCandidates', () => {
  it('are the solid commits of both, each once, in ascending order', () => {
    expect(joinCandidates(automatic(E, C, A), automatic(D, B, A), nothingLeft)).toEqual([A, B, C]);
  });

  it('leave out what people left', () => {
    expect(joinCandidates(person(A), person(B), left(A))).toEqual([B]);
    expect(joinCandidates(automatic(E, A, B), person(C), left(A, C))).toEqual([B]);
  });

  it('are all of them where all were left: a branch stands somewhere', () => {
    expect(joinCandidates(person(A), person(B), left(A, B))).toEqual([A, B]);
  });
});

describe('decideJoin', () => {
  it('keeps ours where it says it all', () => {
    expect(decideJoin(person(A), person(B), [A])).toEqual({ do: 'keep' });
    expect(decideJoin(automatic(E, B, A), person(A), [A, B])).toEqual({ do: 'keep' });
  });

  it('moves to theirs where that says it all', () => {
    expect(decideJoin(person(A), person(B), [B])).toEqual({ do: 'move', to: B });
    expect(decideJoin(person(A), automatic(E, A, B), [B, A])).toEqual({ do: 'move', to: E });
  });

  it('moves to the one solid commit that is left of an automatic merge', () => {
    expect(decideJoin(automatic(E, A, B), person(C), [A])).toEqual({ do: 'move', to: A });
    expect(decideJoin(automatic(E, A, B), automatic(D, B, C), [B])).toEqual({ do: 'move', to: B });
  });

  it('merges what neither says alone, with sorted parents', () => {
    expect(decideJoin(person(B), person(A), [B, A])).toEqual({ do: 'merge', parents: [A, B] });
    expect(decideJoin(automatic(E, A, C), person(B), [C, B, A])).toEqual({ do: 'merge', parents: [A, B, C] });
  });

  it('takes the smaller oid of one merge that two gits wrote', () => {
    expect(decideJoin(automatic(E, A, B), automatic(D, B, A), [A, B])).toEqual({ do: 'move', to: D });
    expect(decideJoin(automatic(D, A, B), automatic(E, B, A), [A, B])).toEqual({ do: 'keep' });
  });
});

describe('isRival', () => {
  it('tells a hub that stands on our merge under another oid', () => {
    expect(isRival(automatic(D, A, B), automatic(E, B, A))).toBe(true);
  });

  it('is no other tip', () => {
    expect(isRival(automatic(D, A, B), automatic(D, A, B))).toBe(false);
    expect(isRival(automatic(D, A, B), automatic(E, A, C))).toBe(false);
    expect(isRival(automatic(D, A, B), automatic(E, A, B, C))).toBe(false);
    expect(isRival(person(A), person(A))).toBe(false);
  });
});
