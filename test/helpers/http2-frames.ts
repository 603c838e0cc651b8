// Frames of HTTP/2 (RFC 9113 §4) and fields of HPACK (RFC 7541 §6), made by hand. Rule: nothing is checked here: what is wrong is meant to be.

export const FRAME = { data: 0, headers: 1, priority: 2, reset: 3, settings: 4, push: 5, ping: 6, goaway: 7, window: 8, continuation: 9 } as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface FrameSaid {
  readonly flags?: number;
  readonly stream?: number;
  readonly payload?: Uint8Array;
  /** Length that is told, when not the payload's. */
  readonly length?: number;
}

export function frame(type: number, { flags = 0, stream = 0, payload = new Uint8Array(0), length = payload.length }: FrameSaid = {}): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** Literal fields without indexing. */
export function fields(pairs: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(pairs.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])));
}

/** One large field that goes into the dynamic table, and `count` times the byte that names it. */
export function bomb(count: number): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text('x'), text('x'.repeat(4000)), Buffer.alloc(count, 0xbe)]);
}

/** A request's own fields. */
export function requestFields(method: string, path: string): Buffer {
  return fields([[':method', method], [':scheme', 'https'], [':authority', 'peer'], [':path', path]]);
}

/** A string of HPACK (RFC 7541 §5.2), not Huffman-coded. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) length.push((left % 128) | 0x80);
  return Buffer.concat([Buffer.from([...length, left]), bytes]);
}
