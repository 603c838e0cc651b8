// What a peer's git says, on its way to the git that reads it: in frames through a shim, or into the shim's pipe itself. Rule: who reads slowly has the
// whole way wait, and the end is told only once every byte before it has been taken.

import { once } from 'node:events';
import type { Duplex, Writable } from 'node:stream';
import { InputFault } from '../lib/errors.ts';
import { waitForMore } from '../lib/more.ts';
import { Gather } from '../control/gather.ts';
import type { OutputPlace } from '../control/output-format.ts';
import { GO } from '../control/stream-format.ts';
import { openOutput } from './direct-output.ts';
import type { OutputPipe } from './direct-output.ts';

/** Takes what git is to read. */
export interface ShimOutput {
  /** @returns whether there is room for more; if not, `onRoom` is called once there is */
  add(part: Uint8Array): boolean;
  /** Resolves when all has been taken, or nobody takes any more. */
  end(): Promise<void>;
  onRoom: () => void;
  /** Nobody reads any more. */
  onGone: () => void;
}

/** This much waits for a pipe at most, in bytes, and what came with it. */
const MAX_WAITING_BYTES = 256 * 1024;
/** After so many bytes a pipe is widened. */
const BULK_BYTES = 2 << 20;

/**
 * The output for the shim behind `socket`; with a place its pipe, from when the shim says that it may be written to.
 * One that says anything else loses its socket.
 */
export async function openShimOutput(socket: Duplex, place: OutputPlace | undefined): Promise<ShimOutput> {
  if (place === undefined) return new FramedOutput(socket);
  await readGo(socket);
  const pipe = socket.destroyed ? undefined : await openOutput(place);
  if (pipe === undefined) return new FramedOutput(socket);
  socket.once('close', () => pipe.stream.destroy());
  if (socket.destroyed) pipe.stream.destroy();
  return new PipeOutput(pipe);
}

/** Takes the first byte, or sees that none comes, or not that one. */
async function readGo(socket: Duplex): Promise<void> {
  for (;;) {
    const first: unknown = socket.read(1);
    if (first instanceof Uint8Array) {
      if (first[0] !== GO) socket.destroy(new InputFault('stream', `begins with the byte ${String(first[0])}, where ${GO} was to be`));
      return;
    }
    if (socket.readableEnded || socket.destroyed) return;
    // What broke it is seen by its state.
    await waitForMore(socket).catch(() => undefined);
  }
}

/** In frames of the control stream. */
export class FramedOutput implements ShimOutput {
  readonly #gather: Gather;
  #hasRoom = true;
  onRoom: () => void = () => undefined;
  onGone: () => void = () => undefined;

  constructor(socket: Duplex) {
    this.#gather = new Gather((frame, written) => {
      this.#hasRoom = socket.write(frame, written);
    });
    socket.on('drain', () => {
      this.#hasRoom = true;
      this.onRoom();
    });
  }

  add(part: Uint8Array): boolean {
    this.#gather.add(part);
    return this.#hasRoom;
  }

  end(): Promise<void> {
    this.#gather.flush();
    return Promise.resolve();
  }
}

/** Into a pipe. What comes in one turn of the event loop is written by one call. */
export class PipeOutput implements ShimOutput {
  readonly #pipe: Writable;
  readonly #widen: () => void;
  /** What has come before the pipe was widened, in bytes. */
  #before = 0;
  #isDue = false;
  onRoom: () => void = () => undefined;
  onGone: () => void = () => undefined;

  constructor({ stream, widen }: OutputPipe) {
    this.#pipe = stream;
    this.#widen = widen;
    stream.on('drain', () => this.onRoom());
    stream.once('error', () => this.onGone());
  }

  add(part: Uint8Array): boolean {
    if (this.#pipe.destroyed) return true;
    if (!this.#isDue) {
      this.#isDue = true;
      this.#pipe.cork();
      setImmediate(() => {
        this.#isDue = false;
        this.#pipe.uncork();
      });
    }
    this.#pipe.write(part);
    if (this.#before < BULK_BYTES) this.#count(part.length);
    return this.#pipe.writableLength < MAX_WAITING_BYTES;
  }

  /** Small fetches are over before it would help. */
  #count(bytes: number): void {
    this.#before += bytes;
    if (this.#before >= BULK_BYTES) this.#widen();
  }

  async end(): Promise<void> {
    if (this.#pipe.destroyed) return;
    const closed = once(this.#pipe, 'close').catch(() => undefined);
    this.#pipe.end();
    await closed;
  }
}
