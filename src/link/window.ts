// How many bytes of the other side may be on their way on a link (RFC 9113 §6.9.1). Rule: it fits the carrier, for what is on its way
// on a slow one is what a small request has to wait for, and on a fast one the lack of it is what everybody waits for.

import type { Http2Session } from 'node:http2';
import type { CarrierKind } from '../carriers/carrier.ts';
import type { PipeStream } from './pipe-stream.ts';

/** What all streams may use together: each has its own window of 1 MiB, and nothing unread is bounded by this one. */
const WIDE = 16 << 20;
/** HTTP/2's own. */
const NARROW = 65_535;

/** Gives `session` the window that its pipe's carrier can use, now and with each carrier that follows. */
export function followCarrier(session: Http2Session & { setLocalWindowSize(bytes: number): void }, pipe: PipeStream): void {
  const fit = (kind: CarrierKind): void => {
    if (!session.destroyed) session.setLocalWindowSize(kind === 'in-band' ? NARROW : WIDE);
  };
  if (pipe.carrier !== undefined) fit(pipe.carrier.kind);
  pipe.on('carrier', fit);
}
