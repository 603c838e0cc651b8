// Two streams joined in memory: what is written to one is read from the other, its end included.
// Rule: a write is done once the other side has room for more, and what was written is the writer's own again.

import { Duplex } from 'node:stream';

class End extends Duplex {
  #other: End | undefined;
  #taken: (() => void) | undefined;

  join(other: End): void {
    this.#other = other;
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    setImmediate(() => this.#other?.accept(chunk, done));
  }

  override _final(done: () => void): void {
    setImmediate(() => this.#other?.accept(null, done));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const other = this.#other;
    setImmediate(() => other?.destroy());
    done(error);
  }

  accept(chunk: Buffer | null, done: () => void): void {
    if (this.destroyed || this.push(chunk === null ? null : Buffer.from(chunk)) || chunk === null) done();
    else this.#taken = done;
  }
}

export function duplexPair(): [Duplex, Duplex] {
  const [a, b] = [new End(), new End()];
  a.join(b);
  b.join(a);
  return [a, b];
}
