// One push of a peer as it comes in: what it may bring, and whether its turn has come. Rule: bytes are counted before git gets them, whoever else of that
// peer sends at the same time; what is refused is said once, in words, and none of the rest reaches git.

import { asFault } from '../lib/errors.ts';
import { boundPush } from '../git/push-limits.ts';
import { PushHead } from '../git/push-head-machine.ts';
import type { ServiceStart } from '../git/services.ts';

export interface AdmissionParts {
  /** The most that git is to take, in bytes. */
  readonly maxBytes: number;
  /** Where all that it writes has to lie, if anywhere. */
  readonly corner?: string | undefined;
  /** A device of another account: its push may not use what it likes of this machine. */
  readonly isBounded: boolean;
  /** @throws Fault when so many bytes more are too many */
  readonly take: (bytes: number) => void;
  /** All is in: it is written down, and the next one's turn comes. */
  readonly end: () => Promise<void>;
}

export class Admission {
  readonly #parts: AdmissionParts;
  readonly #head: PushHead;
  #why: string | undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#head = new PushHead(parts.corner);
  }

  get maxBytes(): number {
    return this.#parts.maxBytes;
  }

  /** Why it was refused. */
  get why(): string | undefined {
    return this.#why;
  }

  /** What git is started with. */
  bound(start: ServiceStart): ServiceStart {
    return this.#parts.isBounded ? boundPush(start) : start;
  }

  /** Whether the next part of a push may go to git. */
  admit(part: Uint8Array): boolean {
    return this.#check(() => {
      this.#parts.take(part.length);
      this.#head.push(part);
    });
  }

  /** Whether the next part of a file may be written. */
  admitBytes(part: Uint8Array): boolean {
    return this.#check(() => this.#parts.take(part.length));
  }

  end(): Promise<void> {
    return this.#parts.end();
  }

  #check(take: () => void): boolean {
    if (this.#why !== undefined) return false;
    try {
      take();
      return true;
    } catch (error) {
      this.#why = asFault(error, 'taking it in').message;
      return false;
    }
  }
}
