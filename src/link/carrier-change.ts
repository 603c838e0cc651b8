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

/**
 * `direct (within the local network) instead of in-band: a better way was found`; undefined for the first one, which `status` shows.
 * @param by which end tells it: the one that dialled the link decides where it moves, and may have lost what the other one still has
 */
export function describeChange({ carrier, lost, from }: CarrierChange, by: 'dialler' | 'listener'): string | undefined {
  if (from === undefined) return undefined;
  const way = `${carrier.kind} (${WAYS[carrier.addressClass]})`;
  const isOwn = by === 'dialler';
  if (from !== carrier.kind) return `${way} instead of ${from}: ${lost ?? (isOwn ? 'a better way was found' : 'the other device moved there')}`;
  // Of one kind the pipe moves by itself only to larger blocks.
  if (lost === undefined && isOwn) return `${way} with larger blocks: the server throttles nothing`;
  return `${way} again: ${lost ?? 'the other device moved there'}`;
}
