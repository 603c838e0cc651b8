// One bound for what all pipes of an agent keep. Rule: each pipe's floor lies outside of it, so it may be overdrawn by those.

/** Bytes that all pipes of an agent may keep together. */
export const REPLAY_TOTAL = 64 * 1024 * 1024;

/** Shared by the pipes of one agent. */
export class ReplayBudget {
  #freeBytes: number;

  constructor(totalBytes = REPLAY_TOTAL) {
    this.#freeBytes = totalBytes;
  }

  /** Below 0 while pipes live on their floors. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  reserve(bytes: number): void {
    this.#freeBytes -= bytes;
  }

  release(bytes: number): void {
    this.#freeBytes += bytes;
  }
}
