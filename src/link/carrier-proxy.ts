// A carrier whose first frame was read already, by which it is led to its pipe. Rule: it is the carrier in everything but who starts it.

import type { Carrier, CarrierSink, CarrierSource } from '../carriers/carrier.ts';

/** Start comes later, and what it hands on is set then. */
export class CarrierProxy implements Carrier {
  readonly #carrier: Carrier;
  #source: CarrierSource | undefined;
  #sink: CarrierSink | undefined;

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

  start(source: CarrierSource, sink: CarrierSink): void {
    this.#source = source;
    this.#sink = sink;
  }

  takeOutgoing(max: number): Uint8Array {
    return this.#source?.takeOutgoing(max) ?? new Uint8Array(0);
  }

  probe(): boolean {
    return this.#source?.probe?.() ?? false;
  }

  receive(bytes: Uint8Array): Promise<void> {
    return this.#sink?.receive(bytes) ?? Promise.resolve();
  }

  closed(fault: Parameters<CarrierSink['closed']>[0]): void {
    this.#sink?.closed(fault);
  }

  wake(): void {
    this.#carrier.wake();
  }

  close(): Promise<void> {
    return this.#carrier.close();
  }
}
