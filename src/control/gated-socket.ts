// A caller's socket while its stream is being opened (RFC 9110 §7.8).
// Rule: not a byte of the stream may pass before the 101, so writes wait for it.

import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/** The stream end of an upgraded connection. */
export class GatedSocket extends Duplex {
  readonly #socket: Duplex;
  #isOpen = false;
  #hasEnded = false;
  #waiting: (() => void) | undefined;

  /** @param head what came in one piece with the request */
  constructor(socket: Duplex, head: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    // Whoever reads learns of errors by 'close' or its pipeline; an error nobody listens to must not end the agent.
    this.on('error', () => undefined);
    if (head.length > 0) socket.unshift(head);
    socket.pause();
    socket.on('data', (bytes: Uint8Array) => {
      if (!this.push(bytes)) socket.pause();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.push(null);
    });
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => {
      if (!this.#hasEnded) this.destroy();
    });
  }

  /** Sends `head` and then all that was written meanwhile. */
  open(head: string): void {
    this.#isOpen = true;
    if (this.destroyed) {
      this.#socket.destroy();
      return;
    }
    this.#socket.write(head);
    this.#waiting?.();
    this.#waiting = undefined;
  }

  /** Sends `answer` instead, and nothing that was written. */
  refuse(answer: string): void {
    this.#socket.end(answer, () => this.#socket.destroy());
    this.destroy();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(bytes: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    this.#whenOpen(() => this.#socket.write(bytes, done));
  }

  /** What was corked together stays together: each write of its own would wake the caller once more. */
  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Done): void {
    this.#whenOpen(() => {
      const last = chunks.length - 1;
      this.#socket.cork();
      for (const [index, { chunk }] of chunks.entries()) this.#socket.write(chunk, index === last ? done : undefined);
      this.#socket.uncork();
    });
  }

  override _final(done: Done): void {
    this.#whenOpen(() => this.#socket.end(done));
  }

  override _destroy(error: Error | null, done: Done): void {
    // Before the gate opens the socket is still needed: the caller is owed an answer.
    if (this.#isOpen) this.#socket.destroy();
    done(error);
  }

  /** A stream has one write or end under way at a time, so one place to wait is enough. */
  #whenOpen(send: () => void): void {
    if (this.#isOpen) send();
    else this.#waiting = send;
  }
}
