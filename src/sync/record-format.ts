// A map told by name alone, because the receiver is believed to hold every object it names (docs/PROTOCOL.md, "Maps").
// Rule: bounded and strict; what the receiver lacks is answered with some of its tips, for a push to build on.

import { InputFault } from '../lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { parseCounter, parseRecord, parseText } from './digest-format.ts';

/** Larger changes travel as a push. */
export const MAX_RECORDED_REFS = 4000;
/** Of tips that a push may build on, asked about and answered. */
const MAX_OIDS = 16;

export interface RecordedMap {
  readonly device: DeviceId;
  readonly counter: number;
  /** Ed25519 over the whole map, base64. */
  readonly signature: string;
  /** The counter at the receiver that `changes` build on; 0 when they are the whole map. */
  readonly base: number;
  /** Branch or tag → oid, or null when it is gone. */
  readonly changes: ReadonlyMap<RefName, Oid | undefined>;
  /** Where the receiver's copy is not known: what it may hold, at most 16, to be told which of that it does. */
  readonly maybe: readonly Oid[];
}

export function formatRecordedMap(map: RecordedMap): unknown {
  const changes = Object.fromEntries([...map.changes].map(([ref, oid]) => [ref, oid ?? null]));
  return { device: map.device, counter: map.counter, signature: map.signature, base: map.base, changes, ...(map.maybe.length === 0 ? {} : { maybe: map.maybe }) };
}

/** @throws InputFault */
export function parseRecordedMap(value: unknown): RecordedMap {
  const { device, counter, signature, base, changes, maybe } = parseRecord(value, 'map');
  const entries = Object.entries(parseRecord(changes, 'changes of a map'));
  if (entries.length > MAX_RECORDED_REFS) throw new InputFault('map', `names more than ${MAX_RECORDED_REFS} changes`);
  return {
    device: parseDeviceId(parseText(device, 'device id')),
    counter: parseCounter(counter),
    signature: parseSignature(signature),
    base: base === 0 ? 0 : parseCounter(base),
    changes: new Map(entries.map(([ref, oid]) => [parseMapRef(ref), parseTip(oid)])),
    maybe: maybe === undefined ? [] : parseOids(maybe, 'map'),
  };
}

/** A 64-byte Ed25519 signature in base64. @throws InputFault */
export function parseSignature(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]{85}[AQgw]==$/.test(value)) throw new InputFault('signature', 'is not 64 bytes of base64');
  return value;
}

function parseTip(value: unknown): Oid | undefined {
  if (value !== null && typeof value !== 'string') throw new InputFault('map', 'holds something other than object ids');
  return value === null ? undefined : parseOid(value);
}

/** The one name in a map that is neither branch nor tag: the book of left commits (left-format.ts), a blob. */
export const LEFT_REF = parseRefName('refs/xmpp/left');

/** A ref that a map may hold: a branch or a tag, and no branch named HEAD; or the book of left commits. @throws InputFault */
export function parseMapRef(text: string): RefName {
  if (!isMapRef(text)) throw new InputFault('map', 'holds more than branches, tags and the book of left commits');
  return parseRefName(text);
}

export function isMapRef(text: string): boolean {
  return (/^refs\/(?:heads|tags)\//.test(text) && text !== 'refs/heads/HEAD') || text === LEFT_REF;
}

/** What the receiver lacks: it answers with tips of its own, at most 16, which the sender may know. */
export interface Lacking {
  readonly tips: readonly Oid[];
}

export function formatLacking(lacking: Lacking): unknown {
  return { lacking: true, tips: lacking.tips };
}

/** @returns undefined when the map was taken in (the answer was empty). @throws InputFault */
export function parseLacking(value: unknown): Lacking | undefined {
  if (value === undefined) return undefined;
  const { lacking, tips } = parseRecord(value, 'answer to a map');
  if (lacking !== true) throw new InputFault('answer to a map', 'does not say that anything is lacking');
  return { tips: parseOids(tips, 'answer to a map') };
}

function parseOids(value: unknown, what: string): Oid[] {
  if (!Array.isArray(value) || value.length > MAX_OIDS) throw new InputFault(what, `names no list of at most ${MAX_OIDS} object ids`);
  return value.map((oid) => parseOid(parseText(oid, 'object id')));
}
