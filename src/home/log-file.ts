// The agent's log on the disk: <home>/agent.log and the one before it, agent.log.1. Rule: never more than two files of 5 MB, each for its owner alone; a crash
// while they change loses nothing, and a disk that is full loses lines and never the agent.

import { chmodSync, closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';

/** Of each of the two files, in bytes. */
export const MAX_LOG_BYTES = 5_000_000;

/** The file that comes before `path`. */
export function olderLog(path: string): string {
  return `${path}.1`;
}

/**
 * Written at its end, by one agent. The words of a process that dies come there by descriptor 2, which whoever started it opened: so the file that is full is
 * copied and emptied, and stays the same file.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  #fd: number;
  #size: number;

  /** @throws as open(2) */
  constructor(path: string, maxBytes = MAX_LOG_BYTES) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#fd = openSync(path, 'a', 0o600);
    // It may be older than this rule.
    chmodSync(path, 0o600);
    this.#size = fstatSync(this.#fd).size;
  }

  /** Whether `fd` is open on this very file. */
  isSame(fd: number): boolean {
    const [ours, other] = [fstatSync(this.#fd), fstatSync(fd)];
    return ours.dev === other.dev && ours.ino === other.ino;
  }

  /** Writes one line. */
  write(line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      this.#reopenIfGone();
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#rotate();
      writeSync(this.#fd, bytes);
      // Others write there too.
      this.#size = fstatSync(this.#fd).size;
    } catch {
      // Nobody could be told: this is where it would be.
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Somebody may have removed or renamed it. */
  #reopenIfGone(): void {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there !== undefined && there.ino === fstatSync(this.#fd).ino) return;
    const next = openSync(this.#path, 'a', 0o600);
    closeSync(this.#fd);
    this.#fd = next;
    this.#size = fstatSync(next).size;
  }

  /** Where no copy can be made, what is full is kept until it is twice as long; the log must not fill a disk. */
  #rotate(): void {
    const copy = `${olderLog(this.#path)}.tmp`;
    try {
      copyFileSync(this.#path, copy);
      chmodSync(copy, 0o600);
      renameSync(copy, olderLog(this.#path));
    } catch {
      rmSync(copy, { force: true, recursive: true });
      if (this.#size < 2 * this.#maxBytes) return;
      rmSync(olderLog(this.#path), { force: true, recursive: true });
    }
    ftruncateSync(this.#fd, 0);
    this.#size = 0;
  }
}
