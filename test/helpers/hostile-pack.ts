// Packs that no git would write (gitformat-pack(5)): objects of any content, deltas on anything, counts and hashes that are lies.
// Rule: bytes are made here by hand, so that nothing on the attacker's side refuses first.

import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';

export type ObjectKind = 'commit' | 'tree' | 'blob' | 'tag';

/** One object of a pack: whole, or as a delta on the object of that id. */
export type PackEntry = { readonly kind: ObjectKind; readonly body: Uint8Array } | { readonly on: Oid; readonly delta: Uint8Array };

const TYPES: Readonly<Record<ObjectKind, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };
const REF_DELTA = 7;
/** The most that one copy instruction of a delta may take. */
const MAX_COPY = 0xff_ff_ff;

/** The id of an object. */
export function oidOf({ kind, body }: { readonly kind: ObjectKind; readonly body: Uint8Array }): Oid {
  return parseOid(createHash('sha1').update(`${kind} ${body.length}\0`).update(body).digest('hex'));
}

/** A tree of entries in the order given, whatever git thinks of it. */
export function treeOf(entries: readonly { readonly mode: string; readonly name: string | Uint8Array; readonly oid: Oid }[]): { readonly kind: 'tree'; readonly body: Buffer } {
  const body = entries.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(oid, 'hex')]);
  return { kind: 'tree', body: Buffer.concat(body) };
}

export function blobOf(text: string | Uint8Array): { readonly kind: 'blob'; readonly body: Buffer } {
  return { kind: 'blob', body: Buffer.from(text) };
}

export function commitOf(tree: Oid, message = 'hello', parents: readonly Oid[] = []): { readonly kind: 'commit'; readonly body: Buffer } {
  const who = 'Eve <eve@example.org> 1700000000 +0000';
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`, '', message, ''];
  return { kind: 'commit', body: Buffer.from(lines.join('\n')) };
}

/** A commit of one tree with these entries, and all that it takes. */
export function commitWith(entries: Parameters<typeof treeOf>[0], more: readonly PackEntry[] = []): { readonly tip: Oid; readonly pack: Buffer } {
  const tree = treeOf(entries);
  const commit = commitOf(oidOf(tree));
  return { tip: oidOf(commit), pack: packOf([...more, tree, commit]) };
}

/** A delta that makes `length` bytes of `base` zeros, over and over. */
export function zeroDelta(base: number, length: number): Buffer {
  const copies: Buffer[] = [];
  for (let left = length; left > 0; left -= MAX_COPY) {
    const size = Math.min(left, MAX_COPY, base);
    copies.push(Buffer.from([0xf0, size & 0xff, (size >> 8) & 0xff, size >> 16]));
  }
  return Buffer.concat([varint(base), varint(length), ...copies]);
}

/** @param said.count how many objects the header tells, when not as many as there are */
export function packOf(entries: readonly PackEntry[], said: { readonly count?: number; readonly hash?: Buffer } = {}): Buffer {
  const header = Buffer.alloc(12);
  header.write('PACK', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(said.count ?? entries.length, 8);
  const body = Buffer.concat([header, ...entries.map(formatEntry)]);
  return Buffer.concat([body, said.hash ?? createHash('sha1').update(body).digest()]);
}

function formatEntry(entry: PackEntry): Buffer {
  const isDelta = 'on' in entry;
  const content = isDelta ? entry.delta : entry.body;
  const head = sizeHeader(isDelta ? REF_DELTA : TYPES[entry.kind], content.length);
  return Buffer.concat([head, ...(isDelta ? [Buffer.from(entry.on, 'hex')] : []), deflateSync(content)]);
}

/** Type in three bits, length in four and then sevens. */
function sizeHeader(type: number, length: number): Buffer {
  const bytes = [(type << 4) | (length & 15)];
  for (let left = Math.floor(length / 16); left > 0; left = Math.floor(left / 128)) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(left % 128);
  }
  return Buffer.from(bytes);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  do {
    const more = left >= 128 ? 0x80 : 0;
    bytes.push((left % 128) | more);
    left = Math.floor(left / 128);
  } while (left > 0);
  return Buffer.from(bytes);
}

export interface RefCommand {
  readonly ref: string;
  readonly from?: Oid;
  readonly to?: Oid;
}

const NONE = '0'.repeat(40);

/** What `git send-pack` says first (gitprotocol-pack(5), "Reference Update Request"): a line for each ref, and a flush packet. */
export function commandsOf(commands: readonly RefCommand[]): Buffer {
  const lines = commands.map(({ ref, from = NONE, to = NONE }, index) => packet(`${from} ${to} ${ref}${index === 0 ? '\0 report-status' : ''}`));
  return Buffer.from(`${lines.join('')}0000`);
}

/** A packet line of gitprotocol-common(5). */
export function packet(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, '0') + text;
}
