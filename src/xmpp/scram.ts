// SCRAM (RFC 5802, RFC 7677), with channel binding by tls-exporter (RFC 9266).
// Rule: nothing of the server is believed before its signature shows that it knows the password too.

import { createHash, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';

const derive = promisify(pbkdf2);
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 1_000_000;

export interface ScramOptions {
  readonly hash: 'sha1' | 'sha256';
  readonly username: string;
  readonly password: string;
  /** Random, printable, without a comma. */
  readonly nonce: string;
  /** `p=tls-exporter` binds; `y` says that the server seems to offer no binding; `n` that there is none here. */
  readonly binding: { readonly flag: 'p'; readonly data: Uint8Array } | { readonly flag: 'y' | 'n' };
}

/** The client's side of one exchange: first, final, verify; each once, in this order. */
export class ScramExchange {
  readonly #options: ScramOptions;
  #serverSignature: Uint8Array | undefined;
  #isVerified = false;

  constructor(options: ScramOptions) {
    this.#options = options;
  }

  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** The client-first-message. */
  first(): string {
    return this.#gs2Header() + this.#firstBare();
  }

  /**
   * The client-final-message that answers `serverFirst`.
   * @throws InputFault when the server's part is malformed, replayed, or asks for too few or too many rounds
   */
  async final(serverFirst: string): Promise<string> {
    const { hash, password, binding } = this.#options;
    const { nonce, salt, iterations } = parseServerFirst(serverFirst, this.#options.nonce);
    const header = utf8(this.#gs2Header());
    const bound = binding.flag === 'p' ? Buffer.concat([header, binding.data]) : header;
    const withoutProof = `c=${encodeBase64(bound)},r=${nonce}`;
    const message = `${this.#firstBare()},${serverFirst},${withoutProof}`;
    const length = createHash(hash).digest().length;
    const salted = await derive(prepare(password), salt, iterations, length, hash);
    const hmac = (key: Uint8Array, text: string): Buffer => createHmac(hash, key).update(text).digest();
    const clientKey = hmac(salted, 'Client Key');
    const clientSignature = hmac(createHash(hash).update(clientKey).digest(), message);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message);
    return `${withoutProof},p=${encodeBase64(clientKey.map((byte, index) => byte ^ (clientSignature[index] ?? 0)))}`;
  }

  /** @throws Fault `server` unless `serverFinal` proves that the server knows the password */
  verify(serverFinal: string): void {
    const expected = this.#serverSignature;
    const given = /^v=([A-Za-z0-9+/=]{4,128})(?:,|$)/.exec(serverFinal)?.[1];
    const signature = given === undefined ? new Uint8Array(0) : decodeBase64(given, 64);
    if (expected === undefined || signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new Fault('server', 'the server could not prove that it knows the password: it may be an impostor', {
        remedy: 'do not sign in from this network until you know why',
      });
    }
    this.#isVerified = true;
  }

  #gs2Header(): string {
    const { flag } = this.#options.binding;
    return flag === 'p' ? 'p=tls-exporter,,' : `${flag},,`;
  }

  #firstBare(): string {
    const name = prepare(this.#options.username).replaceAll('=', '=3D').replaceAll(',', '=2C');
    return `n=${name},r=${this.#options.nonce}`;
  }
}

function parseServerFirst(text: string, clientNonce: string): { nonce: string; salt: Uint8Array; iterations: number } {
  const match = /^r=([\x21-\x2b\x2d-\x7e]{1,512}),s=([A-Za-z0-9+/=]{1,1024}),i=([1-9][0-9]{0,9})(?:,|$)/.exec(text);
  const [, nonce, salt, rounds] = match ?? [];
  if (nonce === undefined || salt === undefined || rounds === undefined)
    throw new InputFault("the server's challenge", 'is not of RFC 5802');
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw new InputFault("the server's challenge", 'does not answer the nonce that was sent');
  }
  const iterations = Number(rounds);
  if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    throw new InputFault(
      "the server's challenge",
      `asks for ${iterations} rounds; ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are accepted`,
    );
  }
  return { nonce, salt: decodeBase64(salt, 512), iterations };
}

/** SASLprep (RFC 4013) as far as it changes anything people type: spaces, characters mapped to nothing, NFKC. */
function prepare(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g, ' ')
    .replace(/\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u200c|\u200d|\u2060|\ufeff|\p{Variation_Selector}/gu, '')
    .normalize('NFKC');
}
