// What of a device outlives its agent: the repository and the files of the agent. Rule: whatever is not here is lost in a crash.

import { parseRefName } from '../../src/lib/names.ts';
import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import { EMPTY_BOOK } from './books.ts';
import type { Book } from './books.ts';

/** Branches, and beside them the book's blob, under their own names. */
export type Refs = ReadonlyMap<RefName, Oid>;

/** Where a map names the book of left commits. */
export const LEFT_REF = parseRefName('refs/xmpp/left');

/** What a device says, as it is held on another. */
export interface HeldMap {
  readonly counter: number;
  readonly refs: Refs;
}

/** A move of a branch in its reflog. */
export interface ReflogEntry {
  readonly from: Oid;
  readonly to: Oid;
}

/** One device's disk. */
export class Disk {
  readonly branches = new Map<RefName, Oid>();
  readonly maps = new Map<DeviceId, HeldMap>();
  /** The tips that were last acted on here, by source and branch. */
  readonly acted = new Map<string, Refs>();
  /** `refs/xmpp/kept/`. */
  readonly kept = new Set<Oid>();
  /** Moves that a person made other than forward. */
  readonly left = new Map<RefName, readonly ReflogEntry[]>();
  book: Book = EMPTY_BOOK;
  /** The marks that were made here. */
  ownBook: Book = EMPTY_BOOK;
}
