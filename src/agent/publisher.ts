// Our own map of one repository: signed, told, and written down (docs/PROTOCOL.md, "Maps"). Rule: it is on its way to the peers while it is being
// written; what was told and could not be written is not held, else what is held would be offered in its place without end.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Engine, Intention } from '../sync/engine.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { removeStaleLocks } from '../git/stale-locks.ts';
import type { RepoContext } from './context.ts';

export interface PublisherParts {
  readonly context: RepoContext;
  readonly me: { readonly device: DeviceId; readonly keyPem: string };
  readonly clock: Clock;
  readonly engine: Engine;
  readonly carryOut: (intentions: readonly Intention[]) => Promise<void>;
  /** Somebody held a lock where the map is written: it is tried again after `ms`. */
  readonly onUnwritten: (ms: number) => void;
}

/** By then nobody holds the lock in whose way our map was, or it is nobody's. */
const UNWRITTEN_MS = 4_000;

/** Publishes one map at a time: the loop sees to that. */
export class Publisher {
  readonly #parts: PublisherParts;
  #isUnwritten = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /** Makes our map say `refs`. @throws as `MapStore.publish` */
  async publish(refs: RefsOfMap): Promise<void> {
    const { context, me, clock, engine, carryOut } = this.#parts;
    let counter = 0;
    let told: Promise<void> | undefined;
    const onSigned = (signed: number): void => {
      counter = signed;
      told = carryOut(engine.receive({ type: 'published', counter }));
    };
    if (this.#isUnwritten) await removeStaleLocks(context.repository, clock.now());
    try {
      await context.maps.publish(me.device, refs, { keyPem: me.keyPem, now: clock.now(), onSigned });
    } finally {
      await told;
      this.#settle(counter);
    }
  }

  #settle(counter: number): void {
    const { context, me, engine, onUnwritten } = this.#parts;
    const held = context.maps.signed(me.device)?.counter ?? 0;
    this.#isUnwritten = held < counter;
    if (!this.#isUnwritten) return;
    engine.receive({ type: 'unstored', device: me.device, counter: held });
    onUnwritten(UNWRITTEN_MS);
  }
}
