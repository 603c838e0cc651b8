// What is considered, and what comes of it. Rule: plain data; a hub is a source of tips like a device.

import type { Fault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import type { RefMap } from '../git/refs.ts';
import type { LeftBook } from '../sync/left-format.ts';
import type { SourceId, Waiting } from './context.ts';
import type { RepoPolicy } from './policies-format.ts';

/** Whose tips are considered: a device's, as its map has them, or a hub's. */
export interface TipSource {
  /** A device, or `hub:<remote>`. */
  readonly id: SourceId;
  /** What git calls it in this repository. */
  readonly remote: string;
  /** An own device, or a hub: its tips may move branches. */
  readonly isOwn: boolean;
  readonly refs: RefMap;
  /** The tips that were last acted on here, by branch. */
  readonly acted: Readonly<Record<string, string>>;
  setActed(tips: Readonly<Record<string, string>>): Promise<void>;
}

/** A branch that moved here. */
export interface Moved {
  readonly ref: RefName;
  readonly from: Oid | undefined;
  readonly to: Oid | undefined;
  readonly how: 'fast-forward' | 'follow' | 'merge' | 'create' | 'delete' | 'tag';
  /** Files of other sides that an automatic merge brings beside those it could not merge. */
  readonly variants?: readonly string[];
}

export interface Outcome {
  readonly moved: readonly Moved[];
  readonly waiting: readonly Waiting[];
  /** What went wrong beside, such as a full disk; it does not undo the moves. */
  readonly problem?: Fault;
}

/** What is known here when tips are considered. */
export interface Known {
  readonly policy: RepoPolicy;
  /** Branches and tags as last looked at: where they have moved since, nothing is done and the next look tries again. */
  readonly ours: RefMap;
  /** What was left on purpose. */
  readonly book: LeftBook;
}

/** One branch here and there. */
export interface Tips {
  readonly ref: RefName;
  readonly ours: Oid | undefined;
  readonly theirs: Oid | undefined;
  readonly acted: Oid | undefined;
  readonly isUnborn: boolean;
}
