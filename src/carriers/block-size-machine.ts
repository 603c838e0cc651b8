// Whether blocks larger than the usual ones are worth it, and safe (docs/PROTOCOL.md, "In-band"). Rule: only where a running carrier has
// shown a server that does not throttle, and never a stanza longer than every server on the way takes.

/** Blocks of this size halve the work for each byte; still larger ones gain nothing. Bytes before base64. */
export const LARGE_BLOCK_SIZE = 16_384;
/** Bytes a second that only a server without a limit lets through. */
const FAST_RATE = 512_000;
/** Round trip with everything that is queued in it, in milliseconds. */
const FAST_RTT_MS = 100;
/** So much must have been acknowledged for the two figures to mean something. */
const PROBE_BYTES = 256 * 1024;
/** Only so much of what a server takes is used: other servers on the way may say nothing of their own limits. */
const SHARE_OF_LIMIT = 0.7;
/** The stanza around a block. */
const ENVELOPE_BYTES = 512;

/** What a carrier has shown so far. */
export interface Shown {
  /** Bytes a second, measured while the window was full; undefined before. */
  readonly rateBytesPerS: number | undefined;
  readonly srttMs: number;
  readonly ackedBytes: number;
}

/** What is known of the way, and what it has shown. */
export interface BlockFacts extends Shown {
  /** Longest stanza in bytes: the server's own figure (XEP-0478), or what is taken for granted without one. */
  readonly maxStanzaBytes: number;
  /** A large block has failed on this server before. */
  readonly isKnownSmall: boolean;
}

/** Whether blocks of 16 384 bytes may be used from now on. */
export function mayUseLargeBlocks(facts: BlockFacts): boolean {
  return !facts.isKnownSmall && fitsStanza(LARGE_BLOCK_SIZE, facts.maxStanzaBytes) && isUnthrottled(facts);
}

/** Whether the stanza of a full block is well within what the server takes. */
export function fitsStanza(blockSize: number, maxStanzaBytes: number): boolean {
  return Math.ceil(blockSize / 3) * 4 + ENVELOPE_BYTES <= maxStanzaBytes * SHARE_OF_LIMIT;
}

/** Whether the carrier is faster than any limit in use. @param wasSo what was found before: it takes half the rate to find otherwise */
export function isUnthrottled({ rateBytesPerS = 0, srttMs, ackedBytes }: Shown, wasSo = false): boolean {
  if (wasSo) return rateBytesPerS > FAST_RATE / 2 && srttMs < FAST_RTT_MS * 2;
  return rateBytesPerS > FAST_RATE && srttMs < FAST_RTT_MS && ackedBytes >= PROBE_BYTES;
}

/** Servers on which a large block has failed; belongs to the agent and is kept as long as that lives. */
export class SmallServers {
  readonly #domains = new Set<string>();

  isSmall(domain: string): boolean {
    return this.#domains.has(domain);
  }

  /** @returns whether that was not known before */
  learn(domain: string): boolean {
    const isNew = !this.#domains.has(domain);
    this.#domains.add(domain);
    return isNew;
  }
}
