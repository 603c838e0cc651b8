// How a pipe came from one carrier to the next, as facts and in words. Rule: a loss says what was lost by, a move says what it is better by.

import type { Carrier, CarrierKind } from '../carriers/carrier.ts';

/** How a pipe came to its newest carrier. */
export interface CarrierChange {
  readonly carrier: Carrier;
  /** Why there was none before it; undefined when the pipe moved while the one before still ran. */
  readonly lost: string | undefined;
  /** Kind of the carrier before it. */
  readonly from: CarrierKind | undefined;
  /** Offset from which our bytes go on, and up to which there are bytes of the other end. */
  readonly sent: number;
  readonly received: number;
}

const WAYS: Readonly<Record<Carrier['addressClass'], string>> = {
  server: 'through the server',
  proxy: 'through a proxy',
  loopback: 'on this machine',
  lan: 'within the local network',
  public: 'over the internet',
};

/** `direct (within the local network) instead of in-band`; undefined when it is another of the same kind. */
export function describeChange({ carrier, lost, from }: CarrierChange): string | undefined {
  if (from === undefined || from === carrier.kind) return undefined;
  return `${carrier.kind} (${WAYS[carrier.addressClass]}) instead of ${from}${lost === undefined ? ': a better way was found' : `: ${lost}`}`;
}
