// What moves now between this device and its peers (docs/API.md, "status"): maps, slices, fetches and pushes, with what has moved and how fast.
// Rule: it is told how to read a transfer's count and reads it itself, so nothing is done for a byte that passes; a total is the sender's claim.

import type { Clock } from '../lib/clock.ts';
import { steadyNow } from '../lib/clock.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import type { Events } from './events.ts';

/** `offer`: a map with its objects, and the slices before a large one; `fetch` and `push`: a person's own git. */
export type TransferKind = 'offer' | 'fetch' | 'push';

/** One transfer as it is told; times in milliseconds, amounts in bytes. */
export interface TransferStatus {
  readonly kind: TransferKind;
  /** `up`: from here to the peer. */
  readonly direction: 'up' | 'down';
  /** Since 1970. */
  readonly since: number;
  readonly bytes: number;
  /** Absent while nobody knows; never less than `bytes`. */
  readonly total?: number;
  /** Bytes a second over the last few seconds. */
  readonly rate: number;
  /** At that rate; absent without a total, or while nothing moves. */
  readonly leftMs?: number;
}

/** Whose transfer it is, with the names that people know. */
export interface TransferOf {
  readonly repo: RepoId;
  readonly repoName: string;
  readonly device: DeviceId;
  readonly petname: string;
  readonly kind: TransferKind;
  readonly direction: 'up' | 'down';
  /** It lasts over several requests: while it does, others of its kind are parts of it. */
  readonly isLasting?: boolean;
}

/** A transfer that is under way, for whoever carries it. */
export interface Transfer {
  /**
   * A part of it begins.
   * @param read its bytes so far; what earlier parts moved is kept
   * @param progress what was there before this part, and all there will be, where that is known better
   */
  part(read: () => number, progress?: { readonly done: number; readonly total: number }): void;
  /** @param isDone false when it broke off */
  end(isDone: boolean): void;
}

const SAMPLE_MS = 500;
/** The rate is that of so many samples. */
const SAMPLES = 10;
/** A shorter one is no news. */
const NEWS_MS = 1_000;
/** One that has stood still for so long is not looked at until it goes on. */
const STILL_MS = 30_000;

interface Sample {
  readonly at: number;
  readonly bytes: number;
}

/** All transfers of an agent. */
export class Transfers {
  readonly #clock: Clock;
  readonly #now: () => number;
  readonly #events: Pick<Events, 'emit'>;
  readonly #running = new Set<RunningTransfer>();
  #isSampling = false;

  constructor({ clock, events }: { readonly clock: Clock; readonly events: Pick<Events, 'emit'> }) {
    this.#clock = clock;
    this.#now = steadyNow(clock);
    this.#events = events;
  }

  begin(of: TransferOf): Transfer {
    const lasting = [...this.#running].find((each) => each.of.isLasting === true && isSame(each.of, of));
    if (lasting !== undefined) return { ...this.#handle(lasting), end: () => undefined };
    const transfer = new RunningTransfer(of, this.#clock.now(), this.#now());
    this.#running.add(transfer);
    return this.#handle(transfer);
  }

  #handle(transfer: RunningTransfer): Transfer {
    return {
      part: (read, progress) => {
        transfer.part(read, progress);
        if (!this.#isSampling) this.#sampleLater();
      },
      end: (isDone) => {
        if (!this.#running.delete(transfer)) return;
        if (transfer.isTold) this.#tell('transfer-ended', transfer, transfer.ended(isDone, this.#now()));
      },
    };
  }

  /** What moves between this device and `device` of one repository; what has moved nothing yet is left out. */
  list(repo: RepoId, device: DeviceId): readonly TransferStatus[] {
    return [...this.#running].filter(({ of, bytes }) => of.repo === repo && of.device === device && bytes > 0).map((each) => each.status(this.#now()));
  }

  #sampleLater(): void {
    this.#isSampling = true;
    this.#clock.setTimer(SAMPLE_MS, () => {
      this.#isSampling = false;
      const now = this.#now();
      for (const transfer of this.#running) if (transfer.sample(now)) this.#tell('transfer', transfer, transfer.begun());
      if ([...this.#running].some((each) => each.isMoving)) this.#sampleLater();
    });
  }

  #tell(type: string, { of, bytes }: RunningTransfer, words: string): void {
    this.#events.emit({ type, words, peer: of.petname, repo: of.repoName, bytes });
  }
}

function isSame(a: TransferOf, b: TransferOf): boolean {
  return a.repo === b.repo && a.device === b.device && a.kind === b.kind && a.direction === b.direction;
}

class RunningTransfer {
  readonly of: TransferOf;
  readonly #since: number;
  readonly #begunAt: number;
  #base = 0;
  #total: number | undefined;
  #read: () => number = () => 0;
  #samples: readonly Sample[] = [];
  #stillSince: Sample;
  isTold = false;
  isMoving = true;

  /** @param since by the wall clock @param now by the steady one */
  constructor(of: TransferOf, since: number, now: number) {
    this.of = of;
    this.#since = since;
    this.#begunAt = now;
    this.#stillSince = { at: now, bytes: 0 };
  }

  get bytes(): number {
    return this.#base + this.#read();
  }

  part(read: () => number, progress: { readonly done: number; readonly total: number } | undefined): void {
    const before = this.bytes;
    this.#base = progress?.done ?? before;
    // What lay there before is not of now: it must not count for the rate.
    this.#samples = this.#samples.map(({ at, bytes }) => ({ at, bytes: bytes + this.#base - before }));
    if (progress !== undefined && progress.total > 0) this.#total = progress.total;
    this.#read = read;
    this.isMoving = true;
  }

  /** @returns whether it is news now */
  sample(now: number): boolean {
    const { bytes } = this;
    this.#samples = [...this.#samples.slice(1 - SAMPLES), { at: now, bytes }];
    if (bytes !== this.#stillSince.bytes) this.#stillSince = { at: now, bytes };
    this.isMoving = now - this.#stillSince.at < STILL_MS;
    if (this.isTold || bytes === 0 || now - this.#begunAt < NEWS_MS) return false;
    this.isTold = true;
    return true;
  }

  status(now: number): TransferStatus {
    const { kind, direction } = this.of;
    const { bytes } = this;
    const rate = this.#rate(now);
    const total = this.#total === undefined ? undefined : Math.max(this.#total, bytes);
    const told = { kind, direction, since: this.#since, bytes, rate };
    if (total === undefined) return told;
    return rate === 0 ? { ...told, total } : { ...told, total, leftMs: Math.round(((total - bytes) / rate) * 1000) };
  }

  begun(): string {
    const { direction, petname, repoName } = this.of;
    return direction === 'up' ? `sending ${repoName} to ${petname}` : `receiving ${repoName} from ${petname}`;
  }

  ended(isDone: boolean, now: number): string {
    const { direction, petname, repoName } = this.of;
    const took = Math.round((now - this.#begunAt) / 1000);
    const amount = `${formatMegabytes(this.bytes)} of ${repoName} ${direction === 'up' ? `to ${petname}` : `from ${petname}`}`;
    const done = direction === 'up' ? 'sent' : 'received';
    return isDone ? `${done} ${amount} in ${took} s` : `broken off after ${took} s: ${done} ${amount}`;
  }

  #rate(now: number): number {
    const [first] = this.#samples;
    const from = first ?? { at: this.#begunAt, bytes: this.#base };
    const ms = now - from.at;
    return ms <= 0 ? 0 : Math.max(0, Math.round(((this.bytes - from.bytes) / ms) * 1000));
  }
}

/** `12 MB`, `0.3 MB`. */
export function formatMegabytes(bytes: number): string {
  const megabytes = bytes / 1e6;
  return `${megabytes < 10 ? megabytes.toFixed(1) : Math.round(megabytes)} MB`;
}
