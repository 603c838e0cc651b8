// Which branches are for a peer, by the sharing and by its grant.

import { describe, expect, it } from 'vitest';
import { globsFor, isLimited, isShownTo, isToldMaps, shownTo } from '../../../src/agent/shown-branches.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';

const PEER = makePeer('desktop');
const REFS = new Map(['refs/heads/main', 'refs/heads/release/1', 'refs/heads/wip', 'refs/tags/v1'].map((ref) => [ref, '']));
const list = (): Promise<typeof REFS> => Promise.resolve(REFS);

describe('shownTo', () => {
  it('is everything where nobody names branches', async () => {
    const repo = makeSharedRepo('notes');
    expect(await shownTo(repo, PEER, list)).toBeUndefined();
    expect(isLimited(repo, PEER)).toBe(false);
    expect(isToldMaps(repo, PEER)).toBe(true);
  });

  it('is what the sharing and the grant both name', async () => {
    const repo = makeSharedRepo('notes', { branches: ['main', 'release/*'], grants: { [PEER.device]: 'write' }, grantBranches: { [PEER.device]: ['wip', 'release/*'] } });
    expect(await shownTo(repo, PEER, list)).toEqual(['release/1']);
    expect(globsFor(repo, PEER)).toHaveLength(2);
    expect(['refs/heads/release/2', 'refs/heads/main', 'refs/heads/wip', 'refs/tags/v1'].map((ref) => isShownTo(repo, PEER, ref))).toEqual([true, false, false, true]);
    expect(await shownTo(repo, makePeer('phone'), list)).toEqual(['main', 'release/1']);
  });

  it('is by the grant that holds: that of the device before that of its account', async () => {
    const grants = { [PEER.jid]: 'read', [PEER.device]: 'write' } as const;
    const repo = makeSharedRepo('notes', { grants, grantBranches: { [PEER.jid]: ['main'] } });
    expect(await shownTo(repo, PEER, list)).toBeUndefined();
    expect(await shownTo(repo, makePeer('phone'), list)).toEqual(['main']);
  });

  it('tells no maps to a peer whose grant is for some branches alone, nor to one without a grant', () => {
    expect(isToldMaps(makeSharedRepo('notes', { grants: { [PEER.device]: 'write' }, grantBranches: { [PEER.device]: ['main'] } }), PEER)).toBe(false);
    expect(isToldMaps(makeSharedRepo('notes', { grants: { [PEER.device]: 'none' } }), PEER)).toBe(false);
    expect(isToldMaps(makeSharedRepo('notes', { branches: ['main'] }), PEER)).toBe(true);
  });
});
