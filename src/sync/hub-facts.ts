// What is said to the machine of a hub and what it answers (hub-machine.ts). Rule: plain data, so that the agent and the simulator
// drive the same machine.

import type { Oid, RefName } from '../lib/names.ts';

/** `remote.<name>.xmppSync`. */
export type HubMode = 'fetch' | 'push' | 'both';

/** Branches and tags by their full names. */
export type HubRefs = ReadonlyMap<RefName, Oid>;

/** What became of one ref of a push. */
export type PushResult =
  | 'done'
  /** The hub holds something else there than was expected: somebody was faster. */
  | 'stale'
  /** The hub does not want it, whatever it holds: a hook, a protected branch. */
  | { readonly declined: string };

/** Why a hub could not be used. */
export interface HubTrouble {
  /**
   * `passing`: may be over the next time (no network, an overloaded server), tried again soon. `person`: a password, an unknown host key,
   * no such repository, a history that has nothing to do with ours; asking again at once would only be a nuisance.
   */
  readonly kind: 'passing' | 'person';
  /** What a person reads, with what mends it. */
  readonly words: string;
}

/** What happened. Each `fetch`, `push` and `consider` is answered by exactly one of the facts named with it. */
export type HubFact =
  /**
   * What is here now.
   * `contained`: of those branches whose tip here contains the hub's tip, that tip of the hub. One of an older look does no harm.
   * `automatic`: branches whose tip here is an automatic merge, which the hub would make solid.
   * `idle`: those of them that hold nothing of a person's that the hub's tip lacks.
   */
  | { readonly type: 'ours'; readonly tips: HubRefs; readonly contained: HubRefs; readonly automatic?: ReadonlySet<RefName>; readonly idle?: ReadonlySet<RefName> }
  /** Answers `consider`: as `ours`, after what may be taken over was. */
  | { readonly type: 'considered'; readonly tips: HubRefs; readonly contained: HubRefs; readonly automatic?: ReadonlySet<RefName>; readonly idle?: ReadonlySet<RefName> }
  /** Answers `fetch`: every branch (`refs/heads/synced/…` too) and tag of the hub. */
  | { readonly type: 'fetched'; readonly refs: HubRefs }
  /** Answers `push`, with a result for each of its updates; one that is lacking counts as `stale`. */
  | { readonly type: 'pushed'; readonly results: ReadonlyMap<RefName, PushResult> }
  /** Answers any of the three: nothing is known of what it did. */
  | { readonly type: 'failed'; readonly trouble: HubTrouble }
  /** Another device said that this hub has something new; with `isSeen` it was looked at from here, and it has. */
  | { readonly type: 'told'; readonly isSeen?: boolean }
  /** Signed in, the network returned, the machine woke, the settings changed, or a person asked. */
  | { readonly type: 'contact' }
  /** The medium of a hub that is a path was taken away, or is there again. */
  | { readonly type: 'medium'; readonly isThere: boolean }
  /** The time of `wakeAt` has come. */
  | { readonly type: 'time' };

/** One ref that is to be changed at the hub. */
export interface HubUpdate {
  readonly ref: RefName;
  /** What the hub is believed to hold; undefined for nothing. */
  readonly from: Oid | undefined;
  /** Undefined takes it away, which only befalls a ref that is ours alone. */
  readonly to: Oid | undefined;
  /** Whether it is ours alone: then it moves anyhow, from `from` only; else forward only. */
  readonly isOwn: boolean;
}

/** What is to be done. */
export type HubIntention =
  /** With `isListing` only the refs are asked for, not their objects. */
  | { readonly type: 'fetch'; readonly isListing: boolean }
  /** Compare with what the hub holds; take over what may be taken, where `mayMove`. */
  | { readonly type: 'consider'; readonly refs: HubRefs; readonly mayMove: boolean }
  /** In this order; one refused update does not stop the others. */
  | { readonly type: 'push'; readonly updates: readonly HubUpdate[] }
  /** Tell the other devices that the hub has something new. */
  | { readonly type: 'announce' };
