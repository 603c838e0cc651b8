// CPace over ristretto255 with SHA-512: draft-irtf-cfrg-cpace, "CPACE-RISTR255-SHA512", initiator-responder setting.
// Rule: a point from outside is used only when it decodes, is not the identity, and is not one's own; random bytes are handed in.

import { createHash } from 'node:crypto';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { concatBytes, equalBytes, utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';

/** Length in bytes of a share and of the random bytes a scalar is made from. */
export const SHARE_BYTES = 32;

const DSI = utf8('CPaceRistretto255');
const DSI_ISK = utf8('CPaceRistretto255_ISK');
/** Input block of SHA-512; the password fills the first one, so that hashing it takes one time whatever it is. */
const BLOCK_BYTES = 128;

/** What both sides must have in common before a share is made. */
export interface CpaceInputs {
  /** PRS: the secret that both people hold. */
  readonly secret: Uint8Array;
  /** CI: who talks to whom, and for what. */
  readonly channel: Uint8Array;
  /** sid: fresh for each try. */
  readonly session: Uint8Array;
}

/** One side's part of an exchange: the scalar never leaves it, the share is sent. */
export interface CpaceHalf {
  readonly scalar: bigint;
  readonly share: Uint8Array;
}

/**
 * Makes one's own share.
 * @param random 32 fresh random bytes, used for nothing else
 */
export function beginCpace(inputs: CpaceInputs, random: Uint8Array): CpaceHalf {
  const scalar = scalarOf(random);
  return { scalar, share: generatorOf(inputs).multiply(scalar).toBytes() };
}

/**
 * The secret point K that both sides arrive at.
 * @throws InputFault when `share` is of another length, no canonical point, the identity, or one's own
 */
export function agreeOnPoint(half: CpaceHalf, share: Uint8Array): Uint8Array {
  if (equalBytes(half.share, share)) throw new InputFault('share', 'is the one that was sent from here');
  const shared = decodeShare(share).multiply(half.scalar);
  // The group's order is prime and the scalar is not zero, so this tells of an identity that was sent.
  if (shared.equals(ristretto255.Point.ZERO)) throw new InputFault('share', 'is the identity');
  return shared.toBytes();
}

/** What went over the wire, by role: the initiator's share and associated data, then the responder's. */
export interface CpaceTranscript {
  readonly initiator: { readonly share: Uint8Array; readonly data: Uint8Array };
  readonly responder: { readonly share: Uint8Array; readonly data: Uint8Array };
}

/** ISK, 64 bytes: hashes the session, the secret point and all that was said. */
export function sessionKeyOf(session: Uint8Array, point: Uint8Array, transcript: CpaceTranscript): Uint8Array {
  return sha512([lengthValued([DSI_ISK, session, point]), formatTranscript(transcript)]);
}

/** The draft's ordered transcript: `lv_cat(Ya, ADa) || lv_cat(Yb, ADb)`. */
export function formatTranscript({ initiator, responder }: CpaceTranscript): Uint8Array {
  return lengthValued([initiator.share, initiator.data, responder.share, responder.data]);
}

/** The draft's `lv_cat`: each part after its length in LEB128, so that no two lists give the same bytes. */
export function lengthValued(parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(parts.flatMap((part) => [encodeLeb128(part.length), part]));
}

/** The draft's `calculate_generator`; exported for its test vectors. */
export function generatorOf({ secret, channel, session }: CpaceInputs): typeof ristretto255.Point.BASE {
  const filled = 1 + lengthValued([secret]).length + lengthValued([DSI]).length;
  const padding = new Uint8Array(Math.max(0, BLOCK_BYTES - filled));
  const generator = ristretto255_hasher.deriveToCurve?.(sha512([lengthValued([DSI, secret, padding, channel, session])]));
  if (generator === undefined) throw new Fault('internal', 'the curve library lacks the element derivation of RFC 9496');
  return generator;
}

/** Uniform below 2^252, little-endian, as the draft samples scalars. @throws Fault on bytes that cannot be random */
function scalarOf(random: Uint8Array): bigint {
  if (random.length !== SHARE_BYTES) throw new Fault('internal', `a scalar is made from ${SHARE_BYTES} bytes`);
  const top = SHARE_BYTES - 1;
  const scalar = random.reduceRight((sum, byte, index) => (sum << 8n) | BigInt(index === top ? byte & 0x0f : byte), 0n);
  if (scalar === 0n) throw new Fault('internal', 'the random bytes for a scalar are all zero');
  return scalar;
}

function decodeShare(share: Uint8Array): typeof ristretto255.Point.BASE {
  if (share.length !== SHARE_BYTES) throw new InputFault('share', `is not ${SHARE_BYTES} bytes long`);
  try {
    return ristretto255.Point.fromBytes(share);
  } catch (cause) {
    throw new InputFault('share', 'is no point of ristretto255', { cause });
  }
}

function encodeLeb128(length: number): Uint8Array {
  const bytes: number[] = [];
  let left = length;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Uint8Array.from([...bytes, left]);
}

function sha512(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha512');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}
