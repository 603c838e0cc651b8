// Byte strings. Rule: a queue hands out what was put in, in order, and never copies more than it must.

/** From this size on, filling with zeros costs more than asking Node for memory as it is. */
const LARGE = 4096;

/** `length` bytes of no particular value, for whoever writes every one of them at once: large ones are not filled with zeros first. */
export function unsetBytes(length: number): Uint8Array {
  return length < LARGE ? new Uint8Array(length) : Buffer.allocUnsafeSlow(length);
}

/** All `parts`, one after the other. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const out = unsetBytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes of `text` in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Whether two byte strings are the same (not for secrets: use timingSafeEqual there). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** First in, first out, in pieces of the taker's size. */
export class ByteQueue {
  #parts: Uint8Array[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  /** Takes at most `max` bytes from the front; an empty array when there are none. */
  take(max: number): Uint8Array {
    const taken = this.peek(max);
    this.drop(taken.length);
    return taken;
  }

  /** Takes at most `max` bytes from the front, and no more than were put in at once: nothing is copied. */
  takePart(max: number): Uint8Array {
    return this.take(Math.min(max, this.#parts[this.#head]?.length ?? 0));
  }

  /** The first `max` bytes, left where they are. */
  peek(max: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let wanted = Math.min(max, this.#length);
    for (let index = this.#head; wanted > 0; index += 1) {
      const part = this.#parts[index];
      if (part === undefined) break;
      parts.push(part.length <= wanted ? part : part.subarray(0, wanted));
      wanted -= Math.min(part.length, wanted);
    }
    return concatBytes(parts);
  }

  /** Forgets the first `count` bytes. */
  drop(count: number): void {
    let left = Math.min(count, this.#length);
    this.#length -= left;
    while (left > 0) {
      const part = this.#parts[this.#head];
      if (part === undefined) break;
      if (part.length > left) {
        this.#parts[this.#head] = part.subarray(left);
        break;
      }
      left -= part.length;
      this.#head += 1;
    }
    if (this.#head > 64 && this.#head * 2 > this.#parts.length) {
      this.#parts = this.#parts.slice(this.#head);
      this.#head = 0;
    }
  }
}
