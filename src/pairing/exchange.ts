// One try at pairing, the same on both sides: what is bound into CPace, and the keys it gives (docs/PROTOCOL.md, "Pairing").
// Rule: both addresses, both nonces, both roles and both versions are in what is hashed; a tag is compared in constant time.

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { concatBytes, utf8 } from '../lib/bytes.ts';
import type { FullJid } from '../lib/jid.ts';
import { agreeOnPoint, beginCpace, formatTranscript, lengthValued, sessionKeyOf } from './cpace.ts';
import type { CpaceHalf, CpaceTranscript } from './cpace.ts';

/** Version of the pairing exchange; the other side's is told in its hello. */
export const PAIRING_VERSION = 1;
/** Length in bytes of a hello's nonce, half of the session id. */
export const NONCE_BYTES = 16;
/** Length in bytes of a confirmation tag. */
export const TAG_BYTES = 32;

/** The typer enters the code and asks (CPace's initiator); the shower shows it and answers (responder). */
export type PairingRole = 'typer' | 'shower';

/** A code is spent by one guess; an invite is not. */
export type SecretKind = 'code' | 'invite';

/** What a code or an invite comes down to. */
export interface PairingSecret {
  readonly kind: SecretKind;
  /** Public: the code's number, or the invite's lookup id. */
  readonly id: string;
  readonly secret: Uint8Array;
}

/** One side's hello as it went over the wire, with the full JID that the stanza really came from or went to. */
export interface Greeting {
  readonly jid: FullJid;
  readonly version: number;
  readonly nonce: Uint8Array;
}

/** Both sides' hellos. */
export type Greetings = Readonly<Record<PairingRole, Greeting>>;

/** Keys of one role: it alone tags and seals with them. */
export interface RoleKeys {
  readonly tag: Uint8Array;
  readonly card: Uint8Array;
}

export type PairingKeys = Readonly<Record<PairingRole, RoleKeys>>;

const ROLE_BYTE: Readonly<Record<PairingRole, number>> = { typer: 1, shower: 2 };
const CONTEXT = 'git-xmpp-pair/1';

/** One side of one try: knows its own share, waits for the other's. */
export class Exchange {
  readonly #role: PairingRole;
  readonly #greetings: Greetings;
  readonly #half: CpaceHalf;

  /** @param options.random 32 fresh random bytes */
  constructor(role: PairingRole, greetings: Greetings, options: { readonly secret: Uint8Array; readonly random: Uint8Array }) {
    this.#role = role;
    this.#greetings = greetings;
    const inputs = { secret: options.secret, channel: channelOf(greetings), session: sessionOf(greetings) };
    this.#half = beginCpace(inputs, options.random);
  }

  /** 32 bytes to send. */
  get share(): Uint8Array {
    return this.#half.share;
  }

  /** The keys, once the other's share is here. @throws InputFault when that share may not be used (cpace.ts) */
  finish(share: Uint8Array): PairingKeys {
    const point = agreeOnPoint(this.#half, share);
    const own = this.#half.share;
    const shares = this.#role === 'typer' ? { typer: own, shower: share } : { typer: share, shower: own };
    const transcript: CpaceTranscript = {
      initiator: { share: shares.typer, data: associatedData('typer', this.#greetings) },
      responder: { share: shares.shower, data: associatedData('shower', this.#greetings) },
    };
    const session = sessionOf(this.#greetings);
    return deriveKeys(sessionKeyOf(session, point, transcript), { session, transcript });
  }
}

/** Whether `tag` is the one that belongs to these keys. */
export function isTagOf(keys: RoleKeys, tag: Uint8Array): boolean {
  return tag.length === keys.tag.length && timingSafeEqual(tag, keys.tag);
}

/** HKDF-SHA-512 (RFC 5869): 32 bytes for one purpose. */
export function deriveKey(secret: Uint8Array, salt: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha512', secret, salt, `${CONTEXT} ${purpose}`, 32));
}

function deriveKeys(isk: Uint8Array, said: { readonly session: Uint8Array; readonly transcript: CpaceTranscript }): PairingKeys {
  const all = formatTranscript(said.transcript);
  const ofRole = (role: PairingRole): RoleKeys => ({
    tag: new Uint8Array(createHmac('sha256', deriveKey(isk, said.session, `${role} confirms`)).update(all).digest()),
    card: deriveKey(isk, said.session, `${role} seals its card`),
  });
  return { typer: ofRole('typer'), shower: ofRole('shower') };
}

/** CI: the purpose and both full JIDs, so that a try relayed between other addresses comes to nothing. */
function channelOf({ shower, typer }: Greetings): Uint8Array {
  return lengthValued([utf8(CONTEXT), utf8(shower.jid), utf8(typer.jid)]);
}

/** sid: the typer's nonce, then the shower's. */
function sessionOf({ typer, shower }: Greetings): Uint8Array {
  return concatBytes([typer.nonce, shower.nonce]);
}

/** AD: the role, then the typer's and the shower's version as each side saw them, 16 bits each. */
function associatedData(role: PairingRole, { typer, shower }: Greetings): Uint8Array {
  const versions = [typer.version, shower.version].flatMap((version) => [version >> 8, version & 0xff]);
  return Uint8Array.from([ROLE_BYTE[role], ...versions]);
}
