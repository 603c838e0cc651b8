// Lines to whoever reads a named pipe, one reader after another (fifo(7)). Rule: nothing waits for a reader: who comes is told how it stands, then what is new,
// and who does not read on is let go.

import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import type { Clock, Timer } from '../lib/clock.ts';
import { codeOf } from '../lib/errors.ts';

export interface FifoWriterOptions {
  readonly path: string;
  readonly clock: Clock;
  /** What whoever begins to read is told first. */
  readonly standing: () => readonly string[];
  /** The pipe was taken away. */
  readonly onGone: () => void;
}

/** A reader may leave so many bytes waiting, beside what the pipe itself holds. */
const MAX_WAITING_BYTES = 256 * 1024;
/** A reader that comes is noticed this much later, at most. */
const LOOK_MS = 250;
/** What did not fit is tried again after so long, and twice as long each time. */
const AGAIN_MS = 10;

/** From `start` to `stop`. */
export class FifoWriter {
  readonly #options: FifoWriterOptions;
  /** Open once somebody has read, and kept: a reader that comes in the moment after another left would see its end. */
  #fd: number | undefined;
  #hasReader = false;
  #waiting: Buffer = Buffer.alloc(0);
  #againMs = AGAIN_MS;
  #timer: Timer | undefined;

  constructor(options: FifoWriterOptions) {
    this.#options = options;
  }

  start(): void {
    this.#look();
  }

  /** Who is not there is told how it stands when it comes. */
  say(line: string): void {
    if (!this.#hasReader) return;
    this.#waiting = Buffer.concat([this.#waiting, Buffer.from(`${line}\n`)]);
    this.#write();
    if (this.#waiting.length > MAX_WAITING_BYTES) this.#close();
    else if (this.#waiting.length > 0) this.#lookAfter(this.#againMs);
  }

  /** What was said last stays to be read. */
  stop(): void {
    this.#timer?.cancel();
    this.#write();
    this.#close();
  }

  #look(): void {
    this.#open();
    if (this.#fd !== undefined && !this.#hasReader) this.#greet();
    this.#write();
    this.#againMs = this.#waiting.length > 0 ? Math.min(LOOK_MS, this.#againMs * 2) : AGAIN_MS;
    this.#lookAfter(this.#waiting.length > 0 ? this.#againMs : LOOK_MS);
    // Its place in the file system is where the next reader looks for it.
    if (!existsSync(this.#options.path)) this.#options.onGone();
  }

  #lookAfter(ms: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => this.#look());
  }

  /** It can be opened for writing as soon as somebody reads. */
  #open(): void {
    if (this.#fd !== undefined) return;
    try {
      this.#fd = openSync(this.#options.path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      // ENXIO: nobody reads; ENOENT: it is gone.
    }
  }

  #greet(): void {
    this.#hasReader = true;
    this.#waiting = Buffer.from(this.#options.standing().map((line) => `${line}\n`).join(''));
  }

  #write(): void {
    try {
      while (this.#fd !== undefined && this.#waiting.length > 0) {
        this.#waiting = this.#waiting.subarray(writeSync(this.#fd, this.#waiting));
      }
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return;
      // EPIPE: the reader has gone, and the next one is told anew.
      this.#waiting = Buffer.alloc(0);
      this.#hasReader = false;
    }
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#hasReader = false;
    this.#waiting = Buffer.alloc(0);
  }
}
