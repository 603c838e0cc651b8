// Whether what began under a grant may go on under it. Rule: what held at the beginning is looked at before anything is waited for, so that a grant which is
// taken back, or given for other branches, in between is a change like any other.

import { isGranted } from '../lib/names.ts';
import type { DeviceId, Grant, RepoId } from '../lib/names.ts';
import type { Peers } from '../home/peers.ts';
import { grantOf } from '../home/repos.ts';
import type { SharedRepo } from '../home/repos.ts';
import { globsFor } from './shown-branches.ts';

export interface GrantParts {
  readonly who: DeviceId;
  readonly peers: Pick<Peers, 'byDevice'>;
  readonly isShared: (id: RepoId) => boolean;
  readonly shared: () => SharedRepo;
}

/** @param asked.hasBranches whether it matters for which branches the grant is */
export function grantHolds({ who, peers, isShared, shared }: GrantParts, asked: { readonly needed: Exclude<Grant, 'none'>; readonly hasBranches?: boolean }): () => boolean {
  const granted = (): string => {
    const [repo, peer] = [shared(), peers.byDevice(who)];
    // Not shared any more: what began while it was is not to go on.
    if (!isShared(repo.id) || peer === undefined || !isGranted(grantOf(repo, peer), asked.needed)) return 'nothing';
    return asked.hasBranches === true ? JSON.stringify(globsFor(repo, peer)) : 'all';
  };
  const before = granted();
  return () => before !== 'nothing' && granted() === before;
}
