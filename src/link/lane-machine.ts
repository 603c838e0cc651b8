// A body that goes over its link, over a lane, and over its link again where the lane is lost (docs/PROTOCOL.md, "Bulk lanes"). Sans IO, both
// halves. Rule: each byte has one offset; what went into a lane is kept until it is acknowledged, and who receives says from where it lacks it.

import { InputFault } from '../lib/errors.ts';
import { REPLAY_BYTES, REPLAY_FLOOR } from '../pipe/replay.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';

/** The half that sends. */
export class LaneSender {
  readonly #maxBytes: number;
  readonly #budget: ReplayBudget | undefined;
  /** What was given to the lane and is not acknowledged, as it came. */
  #kept: Uint8Array[] = [];
  /** Offset of the first byte of `kept`: it may lie before `acked`. */
  #from = 0;
  #acked = 0;
  #end = 0;
  #isOnLane = false;

  constructor({ maxBytes = REPLAY_BYTES, budget }: { readonly maxBytes?: number; readonly budget?: ReplayBudget | undefined } = {}) {
    this.#maxBytes = maxBytes;
    this.#budget = budget;
  }

  /** Bytes of the body so far. */
  get end(): number {
    return this.#end;
  }

  /** Bytes of the lane that are not acknowledged. */
  get owed(): number {
    return this.#isOnLane ? this.#end - this.#acked : 0;
  }

  /** Whether one more part may be kept. Like a pipe, each body may keep a little whatever the budget says. */
  get hasRoom(): boolean {
    const held = this.#end - this.#from;
    return held < Math.min(REPLAY_FLOOR, this.#maxBytes) || (held < this.#maxBytes && (this.#budget?.freeBytes ?? Infinity) > 0);
  }

  /** So many bytes went over the link, in order. */
  passed(bytes: number): void {
    this.#end += bytes;
    [this.#from, this.#acked] = [this.#end, this.#end];
  }

  /** What follows goes over a lane. @returns the offset that it begins with */
  begin(): number {
    this.#isOnLane = true;
    return this.#end;
  }

  /** `part` goes over the lane; its bytes must not change until they are acknowledged. */
  keep(part: Uint8Array): void {
    this.#kept.push(part);
    this.#end += part.length;
    this.#budget?.reserve(part.length);
  }

  /** @throws InputFault on an offset that was never sent, or below one acknowledged before */
  acknowledge(offset: number): void {
    if (offset > this.#end) throw new InputFault('acknowledgement', 'is beyond what was sent');
    if (offset < this.#acked) throw new InputFault('acknowledgement', 'goes back behind an earlier one');
    this.#acked = offset;
    let count = 0;
    for (let part = this.#kept[count]; part !== undefined && this.#from + part.length <= offset; part = this.#kept[count]) {
      this.#from += part.length;
      this.#budget?.release(part.length);
      count += 1;
    }
    if (count > 0) this.#kept.splice(0, count);
  }

  /**
   * The lane is lost: the body goes on over the link.
   * @param received up to where it has come; undefined where who receives never heard of the lane's beginning
   * @returns what has to go over the link now, in order; each part is the caller's to tell as `written`
   * @throws InputFault on an offset that was never sent, or that is acknowledged already
   */
  resume(received: number | undefined): readonly Uint8Array[] {
    this.acknowledge(received ?? this.#acked);
    const [first, ...others] = this.#kept;
    const parts = first === undefined ? [] : [first.subarray(this.#acked - this.#from), ...others];
    // Of the first part what was acknowledged goes at once.
    this.#budget?.release(this.#acked - this.#from);
    this.#kept = [];
    this.clear();
    return parts;
  }

  /** So many bytes of what `resume` returned went over the link. */
  written(bytes: number): void {
    this.#budget?.release(bytes);
  }

  /** Forgets what it kept. */
  clear(): void {
    for (const part of this.#kept) this.#budget?.release(part.length);
    this.#kept = [];
    this.#isOnLane = false;
    [this.#from, this.#acked] = [this.#end, this.#end];
  }
}

/** The half that receives. */
export class LaneReceiver {
  /** Offset of the next byte that the link brings. */
  #linkAt = 0;
  /** The same of the lane, once it has begun; the link brings what comes before its beginning. */
  #lane: { readonly from: number; at: number } | undefined;

  /** Up to where the body has come, as far as can be said of the lane. */
  get received(): number {
    return Math.max(this.#linkAt, this.#lane?.at ?? 0);
  }

  /** Whether it is the lane's turn: all that the link still brings has come. */
  get isLanesTurn(): boolean {
    return this.#lane !== undefined && this.#linkAt === this.#lane.from;
  }

  /** So many bytes came over the link, which are next. @throws InputFault where the lane has begun before their end */
  fromLink(bytes: number): void {
    if (this.#lane !== undefined && this.#linkAt + bytes > this.#lane.from) throw new InputFault('body', 'comes over the link where its lane goes on');
    this.#linkAt += bytes;
  }

  /** The lane says where it begins. @throws InputFault on an offset that has come already */
  begins(offset: number): void {
    if (this.#lane !== undefined) throw new InputFault('lane', 'begins twice');
    if (offset < this.#linkAt) throw new InputFault('lane', 'begins with bytes that have come already');
    this.#lane = { from: offset, at: offset };
  }

  /** So many bytes came over the lane, in its turn, which are next. */
  fromLane(bytes: number): void {
    if (this.#lane === undefined || !this.isLanesTurn) throw new InputFault('lane', 'is not at its turn');
    this.#lane.at += bytes;
  }

  /** The lane is lost; the link goes on, from what is returned. @returns undefined where the lane never told where it began */
  lost(): number | undefined {
    const lane = this.#lane;
    this.#lane = undefined;
    // What the link still brings of before the lane goes on to its end, and what follows joins it there.
    if (lane !== undefined && this.#linkAt === lane.from) this.#linkAt = lane.at;
    return lane?.at;
  }
}
