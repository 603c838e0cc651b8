// The form of the file of peers: `{version: 1, peers: […]}`.
// Rule: a device id is believed only where it is the hash of the key beside it; two peers share neither device nor petname.

import { InputFault } from '../lib/errors.ts';
import { parseBareJid, parseFullJid } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import { parseDeviceId, parsePetname } from '../lib/names.ts';
import type { DeviceId, Petname } from '../lib/names.ts';
import { parseDeviceName } from './device-name-format.ts';
import { Fields } from './fields-format.ts';
import { deviceIdOf } from './fingerprint.ts';
import { foldPetname } from './petname-format.ts';

/** More devices than this are not paired with one home. */
export const MAX_PEERS = 256;

/** A paired device. */
export interface Peer {
  readonly device: DeviceId;
  readonly petname: Petname;
  /** `own`: a device of the same account. */
  readonly kind: 'own' | 'other';
  readonly jid: BareJid;
  /** Where it was last; a hint, never proof. */
  readonly address?: FullJid;
  /** Its pinned public key: SPKI, DER, base64. */
  readonly spki: string;
  /** Its age recipient: what is sealed for it. */
  readonly recipient: string;
  /** What it calls itself. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly pairedAt: number;
  /** Milliseconds since 1970. */
  readonly lastSeen?: number;
  /** Pairing made the two accounts contacts, so unpairing undoes it. */
  readonly isContactAddedByUs?: boolean;
  /** The protocol version it last spoke. */
  readonly version?: number;
  /** The own device that introduced it, where it was not paired with this one by a code. */
  readonly via?: DeviceId;
  /** What that one was called here. */
  readonly viaName?: string;
}

/** @throws InputFault naming the peer and field */
export function parsePeers(value: unknown): readonly Peer[] {
  const fields = new Fields(value, 'file');
  if (fields.count('version') !== 1) throw new InputFault('file.version', 'is not 1');
  const peers = fields.list('peers', MAX_PEERS, parsePeer);
  fields.end();
  checkUnique(peers.map(({ device }) => device), 'device');
  checkUnique(peers.map(({ petname }) => foldPetname(petname)), 'petname');
  return peers;
}

/** What `parsePeers` reads back. */
export function formatPeers(peers: readonly Peer[]): { readonly version: 1; readonly peers: readonly Peer[] } {
  return { version: 1, peers };
}

/** @throws InputFault naming `what` and the field */
export function parsePeer(value: unknown, what: string): Peer {
  const fields = new Fields(value, what);
  const peer: Peer = {
    device: fields.text('device', parseDeviceId),
    petname: fields.text('petname', parsePetname),
    kind: fields.text('kind', parseKind),
    jid: fields.text('jid', parseBareJid),
    ...fields.parseOptional('address', (name) => fields.text(name, parseFullJid)),
    spki: fields.text('spki', (text) => text),
    recipient: fields.text('recipient', parseRecipient),
    name: fields.text('name', parseDeviceName),
    pairedAt: fields.count('pairedAt'),
    ...fields.parseOptional('lastSeen', (name) => fields.count(name)),
    ...fields.parseOptional('isContactAddedByUs', (name) => fields.flag(name)),
    ...fields.parseOptional('version', (name) => fields.count(name)),
    ...fields.parseOptional('via', (name) => fields.text(name, parseDeviceId)),
    ...fields.parseOptional('viaName', (name) => fields.text(name, parseDeviceName)),
  };
  fields.end();
  if (deviceIdOf(peer.spki) !== peer.device) throw new InputFault(`${what}.device`, `is not the hash of ${what}.spki`);
  return peer;
}

function parseKind(text: string): 'own' | 'other' {
  if (text === 'own' || text === 'other') return text;
  throw new InputFault('kind', 'is neither own nor other');
}

/** An X25519 recipient of age: bech32 of 32 bytes. */
function parseRecipient(text: string): string {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(text)) throw new InputFault('age recipient', 'is no X25519 recipient');
  return text;
}

function checkUnique(names: readonly string[], what: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new InputFault(`peers.${what}`, `"${twice}" stands twice`);
}
