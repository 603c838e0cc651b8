// A secret in every dress that it might wear in a log or a file: as it is, in hex, URL-encoded, in base64 at each of the three offsets. Rule: of base64 only the
// characters that the secret alone decides count, so that what stands before and behind it does not hide it.

/** Shorter ones would be found by chance. */
const MIN_BYTES = 6;

export function needlesOf(secret: string | Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(secret);
  if (bytes.length < MIN_BYTES) throw new Error(`a secret of ${bytes.length} bytes would be found by chance`);
  const hex = bytes.toString('hex');
  const dressed = [hex, hex.toUpperCase(), percent(bytes), ...[0, 1, 2].flatMap((offset) => inBase64(bytes, offset))];
  return [bytes, ...dressed.map((text) => Buffer.from(text))];
}

/** Which of the secrets, by name, are somewhere in the text. */
export function foundIn(haystack: Uint8Array | string, secrets: Readonly<Record<string, string | Uint8Array>>): readonly string[] {
  const hay = Buffer.from(haystack);
  return Object.entries(secrets).filter(([, secret]) => needlesOf(secret).some((needle) => hay.includes(needle))).map(([name]) => name);
}

function percent(bytes: Buffer): string {
  return [...bytes].map((byte) => (/[\w.~-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)).join('');
}

/** In both alphabets. */
function inBase64(bytes: Buffer, offset: number): string[] {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
  const sure = text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
}
