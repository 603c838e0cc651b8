// Books of left commits as blobs: a map names one by its object id. Rule: a book is only what its bytes say; equal bytes are one blob.

import { createHash } from 'node:crypto';
import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';
import { NO_LEFT } from '../../src/sync/left-format.ts';
import type { LeftBook } from '../../src/sync/left-format.ts';
import type { Decisions } from './decisions.ts';

/** A book and the blob that holds it; undefined for the empty one. */
export interface Book {
  readonly oid: Oid | undefined;
  readonly marks: LeftBook;
}

export const EMPTY_BOOK: Book = { oid: undefined, marks: NO_LEFT };

/** All blobs, on whichever device they are; what two books make together is worked out once. */
export class Books {
  readonly #decisions: Decisions;
  readonly #blobs = new Map<Oid, Book>();
  readonly #merged = new Map<string, Book>();

  constructor(decisions: Decisions) {
    this.#decisions = decisions;
  }

  store(marks: LeftBook): Book {
    const bytes = this.#decisions.formatLeft(marks);
    if (bytes.length === 0) return EMPTY_BOOK;
    const oid = parseOid(createHash('sha1').update(bytes).digest('hex'));
    const known = this.#blobs.get(oid) ?? { oid, marks: this.#decisions.parseLeft(bytes) };
    this.#blobs.set(oid, known);
    return known;
  }

  /** The book of that blob. */
  read(oid: Oid | undefined): Book {
    return (oid === undefined ? undefined : this.#blobs.get(oid)) ?? EMPTY_BOOK;
  }

  merge(one: Book, other: Book): Book {
    if (other.oid === undefined || other.oid === one.oid) return one;
    const key = `${one.oid ?? ''} ${other.oid}`;
    const known = this.#merged.get(key) ?? this.store(this.#decisions.mergeLeft(one.marks, other.marks));
    this.#merged.set(key, known);
    return known;
  }
}
