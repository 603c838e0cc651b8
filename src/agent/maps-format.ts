// What an agent stores of the maps of one repository, and where a map's refs lie (docs/PROTOCOL.md, "Maps").
// Rule: the file is read whole and strictly; a corner holds heads, tags and the book of left commits, and nothing else.

import { InputFault } from '../lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { parseCounter, parseRecord } from '../sync/digest-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { LEFT_REF, parseSignature } from '../sync/record-format.ts';

/** A signature and what it counts; the refs lie in the repository. */
export interface SignedCounter {
  readonly counter: number;
  /** Ed25519 over the canonical text of the map, base64. */
  readonly signature: string;
}

/** What outlives the agent. */
export interface MapsState {
  readonly signed: Readonly<Record<string, SignedCounter>>;
  /** Per device and branch, the tip that was last acted on here. */
  readonly acted: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Where what a map names lies: `refs/xmpp/<device>/heads/main` for `refs/heads/main`, `refs/xmpp/<device>/left` for the book of left commits. */
export function cornerRef(device: DeviceId, ref: RefName): RefName {
  if (ref === LEFT_REF) return parseRefName(`refs/xmpp/${device}/left`);
  return parseRefName(`refs/xmpp/${device}/${ref.slice('refs/'.length)}`);
}

/** The heads, tags and book of one device's corner under their own names. */
export function cornerOf(all: ReadonlyMap<RefName, Oid>, device: DeviceId): RefsOfMap {
  const prefix = `refs/xmpp/${device}/`;
  const refs = new Map<RefName, Oid>();
  for (const [ref, oid] of all) {
    const rest = ref.startsWith(prefix) ? ref.slice(prefix.length) : '';
    if (/^(?:heads|tags)\//.test(rest)) refs.set(parseRefName(`refs/${rest}`), oid);
    else if (rest === 'left') refs.set(LEFT_REF, oid);
  }
  return refs;
}

/** @throws InputFault */
export function parseMapsState(value: unknown): MapsState {
  const { signed, acted } = parseRecord(value, 'stored maps');
  const all = Object.entries(parseRecord(signed, 'stored maps: signed')).map(([device, each]) => {
    const { counter, signature } = parseRecord(each, 'stored maps: signed');
    return [parseDeviceId(device), { counter: parseCounter(counter), signature: parseSignature(signature) }] as const;
  });
  const tips = Object.entries(parseRecord(acted, 'stored maps: acted')).map(
    ([device, each]) => [parseDeviceId(device), parseTips(each)] as const,
  );
  return { signed: Object.fromEntries(all), acted: Object.fromEntries(tips) };
}

/** The state with nothing of `device` in it. */
export function withoutDevice({ signed, acted }: MapsState, device: DeviceId): MapsState {
  const { [device]: _signed, ...others } = signed;
  const { [device]: _acted, ...actedOn } = acted;
  return { signed: others, acted: actedOn };
}

function parseTips(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(parseRecord(value, 'stored maps: acted')).map(([ref, oid]) => {
    if (typeof oid !== 'string') throw new InputFault('stored maps: acted', 'holds something other than object ids');
    return [parseRefName(ref), parseOid(oid)] as const;
  });
  return Object.fromEntries(entries);
}
