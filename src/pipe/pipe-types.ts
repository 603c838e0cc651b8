// What a pipe tells the layer that binds it to carriers and to TLS.
// Rule: events are facts in order; acting on them is the binder's.

import type { LinkId, PipeRole, ToldReason } from './frame-format.ts';
import type { ReplayBudget } from './replay-budget.ts';

export interface PipeOptions {
  readonly role: PipeRole;
  readonly linkId: LinkId;
  /** Most bytes kept for replay; default 4 MiB. */
  readonly replayBytes?: number;
  /** What all pipes of the agent may keep together. */
  readonly budget?: ReplayBudget | undefined;
  /** How long the pipe waits for a carrier, in milliseconds; default one hour. */
  readonly giveUpMs?: number;
  /** Offset of the first byte in both directions, the same at both ends; default 0, and so it is on the wire. */
  readonly firstOffset?: number;
}

/** What the other end said, or `lost` (the carrier, before there was a resume key), or `given-up` (no carrier for too long). */
export type CloseReason = ToldReason | 'lost' | 'given-up';

export type PipeEvent =
  /** The next bytes of the stream. */
  | { readonly type: 'data'; readonly bytes: Uint8Array }
  /** The other end has every byte before `offset`, which it did not have before: there is room for more. */
  | { readonly type: 'acknowledged'; readonly offset: number }
  /** The pipe goes on over this attachment, own bytes from `resumedAt`; any other carrier of the pipe may be closed. */
  | { readonly type: 'attached'; readonly attachment: number; readonly epoch: number; readonly resumedAt: number }
  /** This attachment is over, though its carrier may not know: close it. */
  | { readonly type: 'carrier-dead'; readonly attachment: number; readonly why: string }
  /** A RESUME that counts for nothing; the running carrier is unharmed. */
  | { readonly type: 'refused'; readonly why: string }
  /** The other end broke the protocol; `closed` follows. */
  | { readonly type: 'fault'; readonly why: string }
  /** Nothing more comes; said once, and not after one's own `close`. */
  | { readonly type: 'closed'; readonly reason: CloseReason };

/** What became of a RESUME: an attachment number when it was accepted. */
export interface ResumeOutcome {
  readonly attachment: number | undefined;
  readonly events: PipeEvent[];
}

/** Offsets in bytes from the beginning of the stream: acknowledged <= sent <= written. */
export interface PipeStats {
  readonly written: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly received: number;
  /** Bytes sent once more, each time counted, because a carrier was left before the other end had them. */
  readonly again: number;
  readonly epoch: number;
  /** Round trip of the last PING on the carrier that runs, in milliseconds. */
  readonly rttMs: number | undefined;
}
