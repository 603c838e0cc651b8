// What becomes of the files that git could not merge (docs/CONVERGENCE.md, "Conflicts"). Rule: it depends on the two commits alone, never on whose
// is whose; every side's file is kept whole, one under the name and the others beside it, and no file ever holds conflict markers.

import type { Entry, MergeMessage, Stage } from './merge-tree-format.ts';

/** What differs between two commits, by path: what the first and what the second has there. */
export type Sides = ReadonlyMap<string, readonly (Entry | undefined)[]>;

export interface Conflicted {
  readonly stages: readonly Stage[];
  readonly messages: readonly MergeMessage[];
  /** Object ids of the two commits, as git was given them. */
  readonly labels: readonly [string, string];
  /** Needed for what git renamed on both sides: only there it mixes both sides before it gives up. */
  readonly sides: Sides;
}

/** How the merged tree is changed. */
export interface Resolution {
  readonly removed: readonly string[];
  readonly placed: ReadonlyMap<string, Entry>;
}

const LINK = '160000';
const SYMLINK = '120000';
const EXECUTABLE = '100755';
/** What marks a file as another side's. */
export const VARIANT = /\.variant-[0-9a-f]{8,64}(?=\.|$)/;
const SHORT_OID = 8;
/** Bytes that most file systems allow in one name. */
const MAX_NAME = 255;
/** What follows the last dot is an extension up to this length, its dot included. */
const MAX_EXTENSION = 17;

/** A path without what git adds to keep two things apart: `~<commit>`, and `_0` and so on. */
export function plainPath(path: string, labels: readonly string[]): string {
  for (const label of labels) {
    const at = path.lastIndexOf(`~${label}`);
    if (at > 0 && /^(?:_\d+)?$/.test(path.slice(at + 1 + label.length))) return path.slice(0, at);
  }
  return path;
}

/**
 * `notes.txt` → `notes.variant-1234abcd.txt`; of a variant it is another of the same file.
 * @param digits how many of the object id
 */
export function variantPath(path: string, oid: string, digits: number): string {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash).replace(VARIANT, '');
  const dot = name.lastIndexOf('.');
  const hasExtension = dot > 0 && name.length - dot <= MAX_EXTENSION;
  const [stem, extension] = hasExtension ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  const mark = `.variant-${oid.slice(0, digits)}`;
  return path.slice(0, slash) + cut(stem, MAX_NAME - mark.length - extension.length) + mark + extension;
}

/** At most `length` bytes, and no part of a UTF-8 character. */
function cut(name: string, length: number): string {
  if (name.length <= length) return name;
  let end = length;
  while (end > 1 && (name.charCodeAt(end) & 0xc0) === 0x80) end -= 1;
  return name.slice(0, end);
}

/**
 * Decides for all conflicted paths of one merge.
 * @param others what the merged tree has at other paths, at least those below a conflicted path and all variants
 */
export function resolveConflicts(conflicted: Conflicted, others: ReadonlyMap<string, Entry>): Resolution {
  const groups = groupByPath(conflicted);
  const held = [...groups].filter(([, entries]) => entries.length > 0).map(([path]) => path);
  const folders = new Set([...others.keys(), ...held].flatMap(foldersOf));
  const placed = new Map<string, Entry>();
  const aside: { readonly path: string; readonly entry: Entry }[] = [];
  for (const path of held.toSorted()) {
    const [first, ...rest] = inOrder(groups.get(path) ?? []);
    if (first === undefined) continue;
    if (folders.has(path)) aside.push({ path, entry: first });
    else placed.set(path, first);
    aside.push(...rest.map((entry) => ({ path, entry })));
  }
  // A link to a submodule is of use at its own path alone.
  for (const { path, entry } of aside.filter((each) => each.entry.mode !== LINK)) {
    const free = freePath(path, entry, (at) => (folders.has(at) ? 'folder' : (placed.get(at) ?? others.get(at))));
    placed.set(free, entry);
  }
  return { removed: [...new Set(conflicted.stages.map(({ path }) => path))], placed };
}

/** What either side has at each path, by the path's plain name; nothing where it is gone. */
function groupByPath({ stages, messages, labels, sides }: Conflicted): Map<string, Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const { stage, mode, oid, path } of stages) {
    const plain = plainPath(path, labels);
    const entries = groups.get(plain) ?? [];
    groups.set(plain, stage === 1 ? entries : [...entries, { mode, oid }]);
  }
  const mixed = messages.filter(({ type }) => /rename\/rename|involved in collision/.test(type));
  for (const path of new Set(mixed.flatMap(({ paths }) => paths.map((each) => plainPath(each, labels))))) {
    const entries = sides.get(path);
    if (entries !== undefined) groups.set(path, entries.filter((entry) => entry !== undefined));
  }
  return groups;
}

/** Who keeps the name comes first: a submodule, then the smaller object id; one content once, executable where either is. */
function inOrder(entries: readonly Entry[]): Entry[] {
  const distinct = new Map<string, Entry>();
  for (const entry of entries) {
    const key = `${entry.mode === LINK || entry.mode === SYMLINK ? entry.mode : 'file'} ${entry.oid}`;
    if (!distinct.has(key) || entry.mode === EXECUTABLE) distinct.set(key, entry);
  }
  const rank = ({ mode, oid }: Entry): string => `${mode === LINK ? 0 : 1} ${oid} ${mode}`;
  return [...distinct.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** The first variant name that is free, or holds just that already; the object id is told the further, the more of it is taken. */
function freePath(path: string, entry: Entry, at: (path: string) => Entry | 'folder' | undefined): string {
  const isFree = (name: string): boolean => {
    const there = at(name);
    return there === undefined || (there !== 'folder' && there.oid === entry.oid && there.mode === entry.mode);
  };
  for (let digits = SHORT_OID; digits < entry.oid.length; digits += SHORT_OID) {
    const name = variantPath(path, entry.oid, digits);
    if (isFree(name)) return name;
  }
  const whole = variantPath(path, entry.oid, entry.oid.length);
  let name = whole;
  for (let count = 2; !isFree(name); count += 1) name = `${whole}.${count}`;
  return name;
}

/** `a` and `a/b` for `a/b/c`. */
export function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('/'));
}
