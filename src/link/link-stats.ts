// What a link has carried, and over what (docs/API.md). Rule: numbers, and the one reason that no number tells; whoever shows them finds the words.

import type { Http2Session } from 'node:http2';
import type { AddressClass, CarrierKind } from '../carriers/carrier.ts';
import { lanesOf } from './lanes.ts';
import type { PipeStream } from './pipe-stream.ts';

export interface LinkStats {
  /** `none` while the pipe has no carrier. */
  readonly kind: CarrierKind | 'none';
  /** Absent with `none`. */
  readonly addressClass?: AddressClass;
  /** Round trip in milliseconds; 0 while nothing was measured. */
  readonly srttMs: number;
  /** Bytes a second over the last few seconds; those of its bulk lanes count here as everywhere below. */
  readonly up: number;
  readonly down: number;
  /** Bytes since the link began, those on their way included. */
  readonly sent: number;
  readonly received: number;
  /** Bytes that went out once more, beside `sent`, because a carrier was left before the other device had them. */
  readonly again: number;
  /** How often the pipe went on over another carrier. */
  readonly changes: number;
  /** Bulk lanes that are open now, and what all of them have carried of the bytes above. */
  readonly lanes: number;
  readonly inLanes: number;
  /** Why the last try for a better carrier came to nothing, in words; absent while it runs on one, or before a try. */
  readonly noBetter?: string;
}

/** The pipe's counts, those of the carrier it runs on, and of the lanes of its session. */
export function statsOf(pipe: PipeStream, session: Http2Session | undefined): LinkStats {
  const { carrier, stats, rates } = pipe;
  const meter = lanesOf(session)?.meter;
  const more = meter?.rates() ?? { up: 0, down: 0 };
  const counts = {
    up: rates.up + more.up,
    down: rates.down + more.down,
    sent: stats.sent + (meter?.sent ?? 0),
    received: stats.received + (meter?.received ?? 0),
    again: stats.again,
    changes: stats.epoch,
    lanes: meter?.open ?? 0,
    inLanes: (meter?.sent ?? 0) + (meter?.received ?? 0),
  };
  if (carrier === undefined) return { kind: 'none', srttMs: 0, ...counts };
  // A carrier that waits for an answer to each block knows its delay; of any other the pipe's PING tells.
  const srttMs = Math.round(carrier.stats.srttMs || (stats.rttMs ?? 0));
  return { kind: carrier.kind, addressClass: carrier.addressClass, srttMs, ...counts };
}
