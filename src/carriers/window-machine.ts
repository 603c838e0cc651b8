// How much may be under way at once: a window that grows by the delay it causes (after LEDBAT, RFC 6817 §2.4.2).
// Rule: servers limit a client by reading it later and say nothing, so the round trip is the only sign of congestion there is.

import { isUnthrottled } from './block-size-machine.ts';
import type { Shown } from './block-size-machine.ts';

/** Queue the window aims for, in milliseconds: what bulk may add to the wait of a small request. */
const TARGET_MS = 600;
/** So few blocks are always allowed: with one, every block costs a round trip. */
const MIN_BLOCKS = 2;
/** Far below the 500 stanzas that Prosody keeps for a lost connection. */
const MAX_BLOCKS = 64;
const MAX_WINDOW = 256 * 1024;
/** What the stanza around a block weighs beside its bytes; without it many tiny blocks would look like nothing. */
const BLOCK_OVERHEAD = 256;
/** Below this rate, in bytes a second, blocks are cut small so that what is urgent waits less. */
const SLOW_RATE = 3500;
const SLOW_BLOCK_SIZE = 2048;
/** An answer may be late by a full server queue, but not by more. */
const MIN_TIMEOUT_MS = 60_000;
const BASE_AGE_MINUTES = 10;
const MINUTE_MS = 60_000;

/** A block under way. */
export interface SentBlock {
  readonly size: number;
  readonly sentAt: number;
  /** Bytes that had been acknowledged when it was sent. */
  readonly ackedBefore: number;
  /** Whether it filled the window, so that its round trip shows the path's rate and not the source's. */
  readonly isFilling: boolean;
}

/** Decides how large the next block may be, from the round trips of those before. */
export class SendWindow {
  readonly #blockSize: number;
  readonly #largest: number;
  #isFast = false;
  #size: number;
  #blocks = 0;
  #weight = 0;
  #acked = 0;
  #srtt: number | undefined;
  #rate: number | undefined;
  #minima: { readonly minute: number; rtt: number }[] = [];
  #cutAt = Number.NEGATIVE_INFINITY;

  /**
   * @param blockSize bytes before base64 that a block may hold at most
   * @param largest the same where the path shows that nothing throttles it
   */
  constructor(blockSize: number, largest = blockSize) {
    this.#blockSize = blockSize;
    this.#largest = largest;
    this.#size = MIN_BLOCKS * (blockSize + BLOCK_OVERHEAD);
  }

  /** Bytes that the next block may hold; 0 while the window is full. */
  room(): number {
    const block = this.#nextBlockSize();
    if (this.#blocks < MIN_BLOCKS) return block;
    return this.#blocks < MAX_BLOCKS && this.#weight + block + BLOCK_OVERHEAD <= this.#size ? block : 0;
  }

  /** Full blocks that may be under way at once. */
  get blocks(): number {
    return Math.floor(this.#size / (this.#nextBlockSize() + BLOCK_OVERHEAD));
  }

  /** Smoothed round trip in milliseconds; 0 before the first. */
  get srttMs(): number {
    return this.#srtt ?? 0;
  }

  /** What the path has shown so far. */
  get shown(): Shown {
    return { rateBytesPerS: this.#rate, srttMs: this.srttMs, ackedBytes: this.#acked };
  }

  /** How long an answer may take, in milliseconds. */
  get timeoutMs(): number {
    return Math.max(MIN_TIMEOUT_MS, Math.round(8 * this.srttMs));
  }

  send(size: number, now: number): SentBlock {
    this.#blocks += 1;
    this.#weight += size + BLOCK_OVERHEAD;
    return { size, sentAt: now, ackedBefore: this.#acked, isFilling: this.room() === 0 };
  }

  acknowledge(block: SentBlock, now: number): void {
    const rtt = Math.max(0, now - block.sentAt);
    const wasUsed = this.#weight * 2 >= this.#size;
    const weight = block.size + BLOCK_OVERHEAD;
    this.#blocks -= 1;
    this.#weight -= weight;
    this.#acked += block.size;
    this.#srtt = this.#srtt === undefined ? rtt : this.#srtt + (rtt - this.#srtt) / 8;
    if (block.isFilling) this.#measureRate((this.#acked - block.ackedBefore) / Math.max(rtt, 1));
    if (this.#largest > this.#blockSize) this.#isFast = isUnthrottled(this.shown, this.#isFast);
    const queueMs = rtt - this.#measureBase(rtt, now);
    if (queueMs > 2 * TARGET_MS) this.#cut(now);
    else if (wasUsed || queueMs > TARGET_MS) this.#resize(this.#size + this.#step(queueMs, weight));
  }

  /** One block more per round trip at an empty queue, none at the target, one less at twice the target. */
  #step(queueMs: number, weight: number): number {
    return ((TARGET_MS - queueMs) / TARGET_MS) * (this.#wholeBlock + BLOCK_OVERHEAD) * (weight / this.#size);
  }

  #cut(now: number): void {
    if (now - this.#cutAt < this.srttMs) return;
    this.#cutAt = now;
    this.#resize(this.#size * 0.7);
  }

  #resize(size: number): void {
    const least = MIN_BLOCKS * (this.#nextBlockSize() + BLOCK_OVERHEAD);
    const most = Math.min(MAX_BLOCKS * (this.#wholeBlock + BLOCK_OVERHEAD), MAX_WINDOW);
    this.#size = Math.min(Math.max(size, least), most);
  }

  get #wholeBlock(): number {
    return this.#isFast ? this.#largest : this.#blockSize;
  }

  #nextBlockSize(): number {
    return this.#rate !== undefined && this.#rate < SLOW_RATE ? Math.min(SLOW_BLOCK_SIZE, this.#blockSize) : this.#wholeBlock;
  }

  #measureRate(bytesPerMs: number): void {
    const rate = bytesPerMs * 1000;
    this.#rate = this.#rate === undefined ? rate : this.#rate + (rate - this.#rate) / 4;
  }

  /** The least round trip of the last ten minutes: the path with nothing queued. */
  #measureBase(rtt: number, now: number): number {
    const minute = Math.floor(now / MINUTE_MS);
    const last = this.#minima.at(-1);
    if (last?.minute === minute) last.rtt = Math.min(last.rtt, rtt);
    else this.#minima = [...this.#minima.filter((kept) => kept.minute > minute - BASE_AGE_MINUTES), { minute, rtt }];
    return Math.min(...this.#minima.map((kept) => kept.rtt));
  }
}
