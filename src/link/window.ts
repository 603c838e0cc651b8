// How many bytes of the other side may be on their way on a link (RFC 9113 §6.9.1). Rule: more than its carrier can have under way, so that it never
// waits for this; that bulk does not pile up before what is small is the gate's business (`bulk-gate.ts`).

import type { Http2Session } from 'node:http2';
import type { CarrierKind } from '../carriers/carrier.ts';
import type { PipeStream } from './pipe-stream.ts';

/** What all streams may use together: each has its own window of 1 MiB, and nothing unread is bounded by this one. */
const WIDE = 16 << 20;
/** Four times what in-band blocks under way may hold. */
const NARROW = 1 << 20;

/** Gives `session` the window that its pipe's carrier can use, now and with each carrier that follows. */
export function followCarrier(session: Http2Session & { setLocalWindowSize(bytes: number): void }, pipe: PipeStream): void {
  const fit = (kind: CarrierKind): void => {
    if (!session.destroyed) session.setLocalWindowSize(kind === 'in-band' ? NARROW : WIDE);
  };
  if (pipe.carrier !== undefined) fit(pipe.carrier.kind);
  pipe.on('carrier', fit);
}
