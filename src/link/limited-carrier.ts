// A carrier that takes no more than its limits allow. Rule: it is the carrier in everything but how fast it is fed.

import type { Carrier, CarrierSink, CarrierSource } from '../carriers/carrier.ts';
import type { Clock } from '../lib/clock.ts';
import type { Bucket } from './limit-machine.ts';
import { limitSource } from './limit-source.ts';
import type { LimitedSource } from './limit-source.ts';

/** `inner` under limits that may change while it runs. */
export class LimitedCarrier implements Carrier {
  readonly inner: Carrier;
  readonly #buckets: () => readonly Bucket[];
  readonly #clock: Clock;
  #source: LimitedSource | undefined;

  constructor(inner: Carrier, buckets: () => readonly Bucket[], clock: Clock) {
    this.inner = inner;
    this.#buckets = buckets;
    this.#clock = clock;
  }

  get kind(): Carrier['kind'] {
    return this.inner.kind;
  }

  get addressClass(): Carrier['addressClass'] {
    return this.inner.addressClass;
  }

  get sid(): string {
    return this.inner.sid;
  }

  get peer(): Carrier['peer'] {
    return this.inner.peer;
  }

  get stats(): Carrier['stats'] {
    return this.inner.stats;
  }

  /** Whether any limit holds now. */
  get isLimited(): boolean {
    return this.#buckets().length > 0;
  }

  start(source: CarrierSource, sink: CarrierSink): void {
    const limited = limitSource(source, this.#buckets, { clock: this.#clock, wake: () => this.inner.wake() });
    this.#source = limited;
    const closed: CarrierSink['closed'] = (fault) => {
      limited.stop();
      sink.closed(fault);
    };
    this.inner.start(limited, { receive: (bytes) => sink.receive(bytes), closed });
  }

  wake(): void {
    this.inner.wake();
  }

  close(): Promise<void> {
    this.#source?.stop();
    return this.inner.close();
  }
}
