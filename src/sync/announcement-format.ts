// "These tips exist": what a device tells granted devices that it has no link to (docs/PROTOCOL.md, "Announcements").
// Rule: every announcement has exactly one form in bytes; it is a hint: its signature is checked, and then the data asked for.

import { concatBytes, utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import type { FaultOptions } from '../lib/errors.ts';
import { parseDeviceId, parseOid, parseRepoId } from '../lib/names.ts';
import type { DeviceId, Oid, RefName, RepoId } from '../lib/names.ts';
import { SIGNATURE_BYTES, isSignedBy, signStatement, splitSigned } from '../lib/signature.ts';
import { parseCounter } from './digest-format.ts';
import { parseMapRef } from './record-format.ts';

/** Version of the form below; the first byte. */
export const ANNOUNCEMENT_VERSION = 1;
/** Tips that one announcement names at most. */
export const MAX_ANNOUNCED_TIPS = 16;
/** Length in bytes, signature included: sealed by age (about 220 bytes more) it stays within 4 KiB. */
export const MAX_ANNOUNCEMENT_BYTES = 3840;

export interface Announcement {
  readonly repo: RepoId;
  readonly device: DeviceId;
  /** Counter of the map that says so. */
  readonly counter: number;
  /** Changed branches and tags, undefined where one is gone; at most 16. */
  readonly tips: ReadonlyMap<RefName, Oid | undefined>;
  /** `mapHash` of the refs that `tips` does not name. */
  readonly rest: string;
  /** Keyed hash of the hub's URL, 32 hex digits. */
  readonly hub?: string;
}

const CONTEXT = utf8('git-xmpp-announcement/1\n');
const HAS_HUB = 1;

/** The announcement as it is sealed: its bytes, then the device's Ed25519 signature. @throws Fault `too-large`, InputFault */
export function signAnnouncement(announcement: Announcement, keyPem: string): Uint8Array {
  return signStatement(CONTEXT, formatAnnouncement(announcement), keyPem);
}

/**
 * Reads what was unsealed and judges its signature.
 * @param pinOf public key (base64 of SPKI in DER) pinned for a device, or undefined
 * @returns undefined when the device is unknown or did not sign this. @throws InputFault as parseAnnouncement
 */
export function verifyAnnouncement(
  signed: Uint8Array,
  pinOf: (device: DeviceId) => string | undefined,
): Announcement | undefined {
  if (signed.length > MAX_ANNOUNCEMENT_BYTES) throw broken(`is larger than ${MAX_ANNOUNCEMENT_BYTES} bytes`);
  const { statement, signature } = splitSigned(signed);
  const announcement = parseAnnouncement(statement);
  const pin = pinOf(announcement.device);
  const isGenuine = pin !== undefined && isSignedBy(concatBytes([CONTEXT, statement]), signature, pin);
  return isGenuine ? announcement : undefined;
}

/**
 * Bytes, numbers big-endian: version u8 · flags u8 (1: hub) · repo 16 · device 16 · counter u64 · rest 16 · hub 16 if flagged ·
 * count u8 · for each tip: oid length u8 (0: gone, 20, 32) · oid · ref length u16 · ref in UTF-8.
 */
export function formatAnnouncement(announcement: Announcement): Uint8Array {
  const { repo, device, counter, tips, rest, hub } = announcement;
  if (tips.size > MAX_ANNOUNCED_TIPS) throw broken(`names more than ${MAX_ANNOUNCED_TIPS} tips`);
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(parseCounter(counter)));
  const bytes = concatBytes([
    Uint8Array.of(ANNOUNCEMENT_VERSION, hub === undefined ? 0 : HAS_HUB),
    ...[repo.replaceAll('-', ''), device].map(parseHash),
    count,
    ...[rest, ...(hub === undefined ? [] : [hub])].map(parseHash),
    Uint8Array.of(tips.size),
    ...[...tips].flatMap(([ref, oid]) => formatTip(ref, oid)),
  ]);
  if (bytes.length + SIGNATURE_BYTES > MAX_ANNOUNCEMENT_BYTES) {
    throw new Fault('too-large', 'the names of the changed branches do not fit into an announcement');
  }
  return bytes;
}

/** Reads the bytes above, without a signature. @throws InputFault on any other form, Fault `newer-protocol` on a newer version */
export function parseAnnouncement(bytes: Uint8Array): Announcement {
  if (bytes.length > MAX_ANNOUNCEMENT_BYTES) throw broken(`is larger than ${MAX_ANNOUNCEMENT_BYTES} bytes`);
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version > ANNOUNCEMENT_VERSION) {
    throw new Fault('newer-protocol', 'that device speaks a newer version', { remedy: 'update git-xmpp here' });
  }
  const flags = reader.u8();
  if (version !== ANNOUNCEMENT_VERSION || flags > HAS_HUB) throw broken('begins with no version and flags');
  const repo = parseRepoId(reader.hex(16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'));
  const device = parseDeviceId(reader.hex(16));
  const counter = parseCounter(Number(reader.u64()));
  const rest = reader.hex(16);
  const hub = flags === HAS_HUB ? { hub: reader.hex(16) } : {};
  const tips = parseTips(reader);
  reader.end();
  return { repo, device, counter, tips, rest, ...hub };
}

function formatTip(ref: RefName, oid: Oid | undefined): Uint8Array[] {
  const name = Buffer.from(parseMapRef(ref));
  const id = oid === undefined ? Buffer.alloc(0) : Buffer.from(parseOid(oid), 'hex');
  return [Uint8Array.of(id.length), id, Uint8Array.of(name.length >> 8, name.length & 0xff), name];
}

function parseTips(reader: Reader): Map<RefName, Oid | undefined> {
  const tips = new Map<RefName, Oid | undefined>();
  const count = reader.u8();
  if (count > MAX_ANNOUNCED_TIPS) throw broken(`names more than ${MAX_ANNOUNCED_TIPS} tips`);
  for (let index = 0; index < count; index += 1) {
    const length = reader.u8();
    const oid = length === 0 ? undefined : parseOid(reader.hex(length));
    const ref = parseMapRef(reader.text(reader.u16()));
    if (tips.has(ref)) throw broken('names a tip twice');
    tips.set(ref, oid);
  }
  return tips;
}

/** 16 bytes of a hash or id in hex. @throws InputFault */
function parseHash(text: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(text)) throw broken('holds a hash that is not 32 hex digits');
  return Buffer.from(text, 'hex');
}

/** Takes fields off the front of `bytes`; every short read is a fault. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(): number {
    return this.#take(1).readUInt8();
  }

  u16(): number {
    return this.#take(2).readUInt16BE();
  }

  u64(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  hex(length: number): string {
    return this.#take(length).toString('hex');
  }

  text(length: number): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#take(length));
    } catch (cause) {
      throw cause instanceof Fault ? cause : broken('holds a name that is no UTF-8', { cause });
    }
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw broken('has bytes too many');
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    if (taken.length !== length) throw broken('ends too early');
    this.#at += length;
    return taken;
  }
}

function broken(why: string, options: FaultOptions = {}): InputFault {
  return new InputFault('announcement', why, options);
}
