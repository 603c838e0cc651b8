// What a device says of a repository, signed: branch or tag → oid, counted (docs/PROTOCOL.md, "Maps").
// Rule: one text for one map: refs in byte order of their UTF-8, so that every device hashes and signs the same bytes.

import { createHash, createPrivateKey, sign } from 'node:crypto';
import { utf8 } from '../lib/bytes.ts';
import { Fault } from '../lib/errors.ts';
import type { DeviceId, Oid, RefName, RepoId } from '../lib/names.ts';
import { isSignedBy } from '../lib/signature.ts';

/** Branches and tags under their own names: `refs/heads/x`, `refs/tags/x`. */
export type RefsOfMap = ReadonlyMap<RefName, Oid>;

/** More branches and tags than this are not synced. */
export const MAX_MAP_REFS = 20_000;

export interface MapStatement {
  readonly repo: RepoId;
  readonly device: DeviceId;
  /** Rises with every statement of this device on this repository. */
  readonly counter: number;
  readonly refs: RefsOfMap;
}

const CONTEXT = 'git-xmpp-map/1';
/** Hex digits of SHA-256 that name a map's content. */
const HASH_DIGITS = 32;

/**
 * Ed25519 over the statement's canonical text, 64 bytes.
 * @param keyPem the device's private key, PKCS #8
 * @throws Fault `too-large` beyond 20 000 refs
 */
export function signMap(statement: MapStatement, keyPem: string): Uint8Array {
  return new Uint8Array(sign(null, formatStatement(statement), createPrivateKey(keyPem)));
}

/** Whether the device that owns `spkiBase64` said this; false as well for a key or a map that may not be used. */
export function isMapSignedBy(statement: MapStatement, signature: Uint8Array, spkiBase64: string): boolean {
  if (statement.refs.size > MAX_MAP_REFS) return false;
  return isSignedBy(formatStatement(statement), signature, spkiBase64);
}

/** 32 hex digits that are the same for the same refs, whatever order they are in. */
export function mapHash(refs: RefsOfMap): string {
  return createHash('sha256').update(formatRefs(refs)).digest('hex').slice(0, HASH_DIGITS);
}

/** What leads from one map to another: the new oid of each ref that differs, undefined where it is gone. */
export function diffMaps(from: RefsOfMap, to: RefsOfMap): Map<RefName, Oid | undefined> {
  const changes = new Map<RefName, Oid | undefined>();
  for (const [ref, oid] of to) if (from.get(ref) !== oid) changes.set(ref, oid);
  for (const ref of from.keys()) if (!to.has(ref)) changes.set(ref, undefined);
  return changes;
}

/** The map that `changes` lead to; `applyChanges(a, diffMaps(a, b))` equals `b`. */
export function applyChanges(refs: RefsOfMap, changes: ReadonlyMap<RefName, Oid | undefined>): Map<RefName, Oid> {
  const result = new Map(refs);
  for (const [ref, oid] of changes) {
    if (oid === undefined) result.delete(ref);
    else result.set(ref, oid);
  }
  return result;
}

/** The bytes that are signed: context, repository, device, counter, then one line `oid ref` for each ref. */
function formatStatement({ repo, device, counter, refs }: MapStatement): Uint8Array {
  if (refs.size > MAX_MAP_REFS) {
    throw new Fault('too-large', `the repository has more than ${MAX_MAP_REFS} branches and tags`, {
      remedy: 'share fewer of them with "git xmpp share --branches"',
    });
  }
  return utf8(`${CONTEXT}\n${repo}\n${device}\n${counter}\n${formatRefs(refs)}`);
}

/** Lines `oid ref`, each with its line break, in byte order of the refs. */
function formatRefs(refs: RefsOfMap): string {
  const lines = [...refs].map(([ref, oid]) => ({ line: `${oid} ${ref}\n`, bytes: Buffer.from(ref) }));
  return lines.sort((a, b) => Buffer.compare(a.bytes, b.bytes)).map(({ line }) => line).join('');
}
