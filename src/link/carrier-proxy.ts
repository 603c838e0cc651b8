// A carrier between its first frame, which says whom it is for, and the pipe that it is then led to.
// Rule: it adds nothing; until the pipe has started it, it gives nothing and takes nothing.

import type { Carrier } from '../carriers/carrier.ts';

/** A carrier whose first frame was read already: start comes later, and what it hands on is set then. */
export class CarrierProxy implements Carrier {
  readonly #carrier: Carrier;
  #source: Parameters<Carrier['start']>[0] | undefined;
  #sink: Parameters<Carrier['start']>[1] | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get kind(): Carrier['kind'] {
    return this.#carrier.kind;
  }

  get addressClass(): Carrier['addressClass'] {
    return this.#carrier.addressClass;
  }

  get sid(): string {
    return this.#carrier.sid;
  }

  get peer(): Carrier['peer'] {
    return this.#carrier.peer;
  }

  get stats(): Carrier['stats'] {
    return this.#carrier.stats;
  }

  start(source: Parameters<Carrier['start']>[0], sink: Parameters<Carrier['start']>[1]): void {
    this.#source = source;
    this.#sink = sink;
  }

  takeOutgoing(max: number): Uint8Array {
    return this.#source?.takeOutgoing(max) ?? new Uint8Array(0);
  }

  receive(bytes: Uint8Array): Promise<void> {
    return this.#sink?.receive(bytes) ?? Promise.resolve();
  }

  closed(fault: Parameters<Parameters<Carrier['start']>[1]['closed']>[0]): void {
    this.#sink?.closed(fault);
  }

  wake(): void {
    this.#carrier.wake();
  }

  close(): Promise<void> {
    return this.#carrier.close();
  }
}
