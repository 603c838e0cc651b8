// Commits without trees: who is whose parent, and which are automatic merges. Rule: what git would say of them, and no more; that a merge
// is automatic is seen from the commit itself, as it is from git's.

import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';

interface Commit {
  /** In order of making: a parent's is smaller. */
  readonly id: number;
  readonly oid: Oid;
  readonly parents: readonly Commit[];
  readonly isAutomatic: boolean;
  /** Ids of all that it contains, itself included; made when first asked for. */
  reach: Uint32Array | undefined;
}

/** As much as one move marks: `git rev-list --max-count`. */
const MAX_LISTED = 256;

/** All commits of one repository, on whichever device they are. */
export class Commits {
  readonly #salt: number;
  readonly #byOid = new Map<Oid, Commit>();
  /** By id. */
  readonly #all: Commit[] = [];
  readonly #automatic = new Map<string, Oid>();
  readonly #people: Oid[] = [];

  constructor(seed: number) {
    this.#salt = seed;
  }

  /** Commits of people, in order of making. */
  get people(): readonly Oid[] {
    return this.#people;
  }

  /** How many automatic merges were made. */
  get automatic(): number {
    return this.#automatic.size;
  }

  /** A person's commit. */
  make(parents: readonly Oid[]): Oid {
    const oid = this.#add(parents, false);
    this.#people.push(oid);
    return oid;
  }

  /**
   * The automatic merge of these parents: the same one whoever makes it.
   * @param version another git may write it otherwise
   */
  merge(parents: readonly Oid[], version: number): Oid {
    if (parents.length < 2) throw new Error(`a merge of ${parents.length} commits`);
    const key = `${version} ${parents.map((parent) => this.#get(parent).id.toString(36)).join(' ')}`;
    const known = this.#automatic.get(key) ?? this.#add(parents, true);
    this.#automatic.set(key, known);
    return known;
  }

  isAutomatic(oid: Oid): boolean {
    return this.#get(oid).isAutomatic;
  }

  parents(oid: Oid): Oid[] {
    return this.#get(oid).parents.map((parent) => parent.oid);
  }

  /** `git merge-base --is-ancestor`: a commit contains itself. */
  isWithin(older: Oid, newer: Oid): boolean {
    if (older === newer) return true;
    const [one, other] = [this.#get(older), this.#get(newer)];
    return one.id < other.id && has(reachOf(other), one.id);
  }

  /** `git merge-base --independent`. */
  maximal(oids: readonly Oid[]): Oid[] {
    const found: Commit[] = [];
    // Newest first: what contains a commit was made later, and what contains that one contains both.
    for (const commit of oids.map((oid) => this.#get(oid)).sort((a, b) => b.id - a.id)) {
      if (!found.some((other) => has(reachOf(other), commit.id))) found.push(commit);
    }
    return found.map(({ oid }) => oid);
  }

  /** `git rev-list from ^without` without automatic merges, newest first, of at most 256. */
  list(from: Oid, without?: Oid): Oid[] {
    const listed = this.#beyond(from, without, MAX_LISTED);
    return listed.filter(({ isAutomatic }) => !isAutomatic).map(({ oid }) => oid);
  }

  /** Whether `from` holds a person's commit that `without` lacks. */
  hasNews(from: Oid, without: Oid): boolean {
    return this.#beyond(from, without, Infinity).some(({ isAutomatic }) => !isAutomatic);
  }

  /** The newest commits that one contains and the other does not. */
  #beyond(from: Oid, without: Oid | undefined, limit: number): Commit[] {
    if (from === without) return [];
    const all = reachOf(this.#get(from));
    const known = without === undefined ? undefined : reachOf(this.#get(without));
    const found: Commit[] = [];
    for (let word = all.length - 1; word >= 0; word -= 1) {
      for (let bits = (all[word] ?? 0) & ~(known?.[word] ?? 0); bits !== 0; ) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        const commit = this.#all[word * 32 + bit];
        if (commit !== undefined) found.push(commit);
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  #add(parents: readonly Oid[], isAutomatic: boolean): Oid {
    const id = this.#all.length;
    const oid = fakeOid(id, this.#salt);
    const commit = { id, oid, parents: parents.map((parent) => this.#get(parent)), isAutomatic, reach: undefined };
    this.#byOid.set(oid, commit);
    this.#all.push(commit);
    return oid;
  }

  #get(oid: Oid): Commit {
    const commit = this.#byOid.get(oid);
    if (commit === undefined) throw new Error(`${oid} is no commit`);
    return commit;
  }
}

/** 40 hex digits in no order, as a hash has them. */
export function fakeOid(id: number, salt: number): Oid {
  let text = '';
  for (let word = 0; word < 5; word += 1) {
    let mixed = Math.imul(id + 1, 0x9e37_79b1) ^ Math.imul(salt + word * 0x1_0001, 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x7feb_352d);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b);
    text += ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, '0');
  }
  return parseOid(text);
}

function has(bits: Uint32Array, id: number): boolean {
  return (((bits[id >>> 5] ?? 0) >>> (id & 31)) & 1) === 1;
}

function reachOf(commit: Commit): Uint32Array {
  // Without recursion: a history may be longer than the stack.
  const open = [commit];
  while (open.length > 0) {
    const next = open.at(-1);
    if (next === undefined) break;
    const unknown = next.reach === undefined ? next.parents.filter(({ reach }) => reach === undefined) : [];
    if (unknown.length > 0) {
      open.push(...unknown);
      continue;
    }
    open.pop();
    next.reach ??= unite(next);
  }
  return commit.reach ?? new Uint32Array();
}

function unite({ id, parents }: Commit): Uint32Array {
  const bits = new Uint32Array((id >>> 5) + 1);
  for (const { reach = new Uint32Array() } of parents) {
    for (let word = 0; word < reach.length; word += 1) bits[word] = (bits[word] ?? 0) | (reach[word] ?? 0);
  }
  bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
  return bits;
}
