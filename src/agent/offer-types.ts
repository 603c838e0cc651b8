// What an offer is made of. Rule: plain data; how it is delivered is `offer.ts`'s.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId, Oid } from '../lib/names.ts';
import type { Requester } from '../link/services.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import type { SignedCounter } from './maps-format.ts';
import type { Transfer } from './transfers.ts';

/** What is known of the peer's copy of the map that is offered. */
export interface PeerCopy {
  /** Counter and refs last delivered to it; counter 0 and no refs when it has none. */
  readonly counter: number;
  readonly refs: RefsOfMap;
  /** Every oid of maps that the peer holds, or held before those it holds now. */
  readonly known: ReadonlySet<Oid>;
}

/** One device's map, as it was signed. */
export interface Offer {
  readonly device: DeviceId;
  readonly signed: SignedCounter;
  readonly refs: RefsOfMap;
}

/** What an offer goes over, and where it is told how far it has come. */
export interface OfferLink {
  readonly session: Requester;
  readonly clock: Clock;
  readonly transfer: Transfer;
}
