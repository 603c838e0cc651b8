// The carriers of one pipe: the one that runs, one that is about to, and what became of those before. Rule: a carrier that is left is closed, and a
// loss is remembered until the pipe runs again, so that whoever asks why it moved is told.

import type { Carrier, CarrierKind } from '../carriers/carrier.ts';
import type { CarrierChange } from './carrier-change.ts';

/** Carriers by the number of their attachment. */
export class PipeCarriers {
  readonly #carriers = new Map<number, Carrier>();
  #lost: string | undefined;
  /** Kind of the carrier that the pipe ran on last. */
  #kind: CarrierKind | undefined;

  add(attachment: number, carrier: Carrier): void {
    this.#carriers.set(attachment, carrier);
    this.#kind ??= carrier.kind;
  }

  get(attachment: number | undefined): Carrier | undefined {
    return attachment === undefined ? undefined : this.#carriers.get(attachment);
  }

  /** A carrier ended by itself. @param why when it was the one that ran */
  ended(attachment: number, why: string | undefined): void {
    this.#carriers.delete(attachment);
    if (why !== undefined) this.#lost = why;
  }

  /** A carrier that ran is of no use any more. */
  drop(attachment: number, why: string): void {
    void this.#carriers.get(attachment)?.close();
    this.ended(attachment, why);
  }

  /** The pipe runs on this attachment: the others are closed. @returns how it came to it */
  runs(attachment: number, at: { readonly sent: number; readonly received: number }): CarrierChange | undefined {
    this.close(attachment);
    const carrier = this.#carriers.get(attachment);
    const [lost, from] = [this.#lost, this.#kind];
    this.#lost = undefined;
    this.#kind = carrier?.kind;
    return carrier === undefined ? undefined : { carrier, lost, from, ...at };
  }

  /** Closes all, or all but one. */
  close(except?: number): void {
    for (const [attachment, carrier] of this.#carriers) {
      if (attachment === except) continue;
      this.#carriers.delete(attachment);
      void carrier.close();
    }
  }
}
