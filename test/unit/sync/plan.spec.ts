import { describe, expect, it } from 'vitest';
import { parseOid } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { planBranch } from '../../../src/sync/plan.ts';
import type { BranchFacts, BranchPlan, Policy } from '../../../src/sync/plan.ts';

const oid = (digit: string): Oid => parseOid(digit.repeat(40));
const [OURS, THEIRS, BEFORE] = [oid('a'), oid('b'), oid('c')];
const POLICY: Policy = { merge: 'ff', mergeFrom: 'own', rewrite: 'follow', isFolder: false };

/** A branch of an own device, one commit ahead of ours, of which nothing was acted on yet. */
const FACTS: BranchFacts = {
  ours: OURS,
  theirs: THEIRS,
  acted: undefined,
  relation: 'behind',
  isOursInActed: false,
  wasLeft: false,
  isUnborn: false,
  isOwnDevice: true,
};

function plan(facts: Partial<BranchFacts>, policy: Partial<Policy> = {}): BranchPlan {
  return planBranch({ ...FACTS, ...facts }, { ...POLICY, ...policy });
}

describe('planBranch', () => {
  it('leaves equal tips alone', () => {
    expect(plan({ theirs: OURS, relation: 'same' })).toEqual({ do: 'nothing', because: 'same' });
  });

  it('fast-forwards to an own device that is ahead', () => {
    expect(plan({})).toEqual({ do: 'fast-forward' });
  });

  it('takes the first commit of a branch that waits for one, from an own device', () => {
    const unborn = { ours: undefined, isUnborn: true, relation: 'diverged' } as const;
    expect(plan(unborn)).toEqual({ do: 'fast-forward' });
    expect(plan({ ...unborn, isOwnDevice: false })).toEqual({ do: 'wait', why: 'other-account' });
    expect(plan(unborn, { merge: 'none' })).toEqual({ do: 'wait', why: 'policy' });
    expect(plan({ ...unborn, acted: THEIRS })).toEqual({ do: 'nothing', because: 'absent' });
  });

  it('does not take back what the user undid', () => {
    expect(plan({ wasLeft: true })).toEqual({ do: 'wait', why: 'undone' });
    expect(plan({ wasLeft: true, relation: 'diverged', acted: BEFORE, isOursInActed: true })).toEqual({ do: 'wait', why: 'undone' });
  });

  it('moves nothing under merge = none', () => {
    expect(plan({}, { merge: 'none' })).toEqual({ do: 'wait', why: 'policy' });
    expect(plan({ ours: undefined }, { merge: 'none', isFolder: true }).do).toBe('nothing');
    expect(plan({ theirs: undefined, acted: OURS }, { merge: 'none' }).do).toBe('nothing');
  });

  it('leaves the commits of another account to the user, unless mergeFrom = all', () => {
    expect(plan({ isOwnDevice: false })).toEqual({ do: 'wait', why: 'other-account' });
    expect(plan({ isOwnDevice: false }, { mergeFrom: 'all' })).toEqual({ do: 'fast-forward' });
  });

  it('waits where both sides have commits', () => {
    expect(plan({ relation: 'diverged' })).toEqual({ do: 'wait', why: 'diverged' });
    expect(plan({ relation: 'diverged', acted: BEFORE, isOursInActed: false })).toEqual({ do: 'wait', why: 'diverged' });
  });

  it('follows a rewrite of what was followed before, and asks where that is wanted', () => {
    const rewritten = { relation: 'diverged', acted: BEFORE, isOursInActed: true } as const;
    expect(plan(rewritten)).toEqual({ do: 'follow' });
    expect(plan(rewritten, { rewrite: 'ask' })).toEqual({ do: 'wait', why: 'rewritten' });
    expect(plan({ ...rewritten, isOwnDevice: false })).toEqual({ do: 'wait', why: 'other-account' });
  });

  it('is not led back by a tip that is merely old', () => {
    expect(plan({ relation: 'ahead' })).toEqual({ do: 'nothing', because: 'ahead' });
    expect(plan({ relation: 'ahead', acted: THEIRS, isOursInActed: false })).toEqual({ do: 'nothing', because: 'ahead' });
    expect(plan({ relation: 'ahead', acted: THEIRS, isOursInActed: true })).toEqual({ do: 'nothing', because: 'ahead' });
  });

  it('follows a device that went back on purpose, when it holds nothing else', () => {
    expect(plan({ relation: 'ahead', acted: OURS, isOursInActed: true })).toEqual({ do: 'follow' });
    expect(plan({ relation: 'ahead', acted: BEFORE, isOursInActed: false })).toEqual({ do: 'nothing', because: 'ahead' });
  });

  it('makes a new branch in a folder alone, and only while it was never here', () => {
    expect(plan({ ours: undefined })).toEqual({ do: 'nothing', because: 'absent' });
    expect(plan({ ours: undefined }, { isFolder: true })).toEqual({ do: 'create' });
    expect(plan({ ours: undefined, acted: BEFORE }, { isFolder: true })).toEqual({ do: 'nothing', because: 'absent' });
    expect(plan({ ours: undefined, isOwnDevice: false }, { isFolder: true })).toEqual({ do: 'nothing', because: 'absent' });
  });

  it('deletes only what stands exactly where that device last had it', () => {
    expect(plan({ theirs: undefined, acted: OURS })).toEqual({ do: 'delete' });
    expect(plan({ theirs: undefined, acted: BEFORE })).toEqual({ do: 'wait', why: 'deleted-there' });
    expect(plan({ theirs: undefined, acted: undefined })).toEqual({ do: 'nothing', because: 'absent' });
    expect(plan({ theirs: undefined, ours: undefined, acted: BEFORE })).toEqual({ do: 'nothing', because: 'deleted-both' });
    expect(plan({ theirs: undefined, acted: OURS, isOwnDevice: false })).toEqual({ do: 'nothing', because: 'absent' });
  });
});
