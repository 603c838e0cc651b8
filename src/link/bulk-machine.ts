// Which stream's bytes enter HTTP/2 next (docs/PROTOCOL.md, "Bulk"). Nothing below HTTP/2 can overtake, so bulk is held back above it.
// Rule: a stream is interactive until it has carried 64 KiB; what is interactive goes first, and bulk goes only into an empty pipe.

/** A stream is interactive until it has carried so many bytes. */
export const INTERACTIVE_BYTES = 64 * 1024;
/** So many bytes of a stream enter at once, whatever else waits; it takes turns for the rest. */
const URGENT_BYTES = 8 * 1024;
/** What enters at once at least. With the framing of HTTP/2, TLS and the pipe it fills one block of 4096 bytes and leaves no crumb for a second one. */
export const PIECE_BYTES = 4000;
/** The same for blocks of 2048, which in-band uses where a larger one would take a second. */
export const SLOW_PIECE_BYTES = 1952;
/** Bytes a second below which pieces are of the smaller kind. */
const SLOW_RATE = 3500;
/** So many may be in the pipe at most, whatever the rate. */
export const MAX_ALLOWANCE = 2 * 1024 * 1024;
/** What bulk may add to the wait of a small request where the path is fast enough to choose, in milliseconds. */
const TARGET_MS = 20;
/** Where bulk needs longer than this to leave the pipe it waits for interactive streams; where it does not, they would gain nothing. */
const HOLDING_MS = 50;
/** Bulk waits for interactive streams so long at most, and for each of them no longer than this from its beginning, in milliseconds. */
export const MAX_HOLD_MS = 5000;
/** An exchange is often several requests, one after the other: bulk does not slip in between. */
const LINGER_MS = 300;

/** Names a stream of one link; what it is, is the caller's. */
export type StreamKey = object;

/** Who may write, and how much. */
export interface Grant {
  readonly stream: StreamKey;
  readonly bytes: number;
}

/** What the pipe says of itself. */
export interface PipeState {
  /** Bytes that no carrier has taken yet. */
  readonly unsent: number;
  /** Bytes that carriers have taken so far. */
  readonly sent: number;
}

interface Stream {
  readonly key: StreamKey;
  readonly openedAt: number;
  carried: number;
  /** Bytes that wait to be written. */
  waiting: number;
}

/** The streams of all link ends that share what a server lets in: bulk of one waits for what is interactive on any. */
export class Foreground {
  readonly #streams = new Set<Stream>();
  #lingersUntil = Number.NEGATIVE_INFINITY;

  add(stream: Stream): void {
    this.#streams.add(stream);
  }

  remove(stream: Stream, now: number): void {
    if (mayHold(stream, now)) this.#lingersUntil = now + LINGER_MS;
    this.#streams.delete(stream);
  }

  /** Until when bulk waits; not later than `now` when it need not. */
  holdsUntil(now: number): number {
    let until = this.#lingersUntil;
    for (const stream of this.#streams) if (mayHold(stream, now)) until = Math.max(until, stream.openedAt + MAX_HOLD_MS);
    return until;
  }
}

/** The order of one link end. */
export class BulkMachine {
  readonly #foreground: Foreground;
  /** In the order of their last turn: who had one goes to the end. */
  readonly #streams = new Map<StreamKey, Stream>();
  #allowance = PIECE_BYTES;
  #least = PIECE_BYTES;
  /** How long allowances take to leave the pipe, with a memory of the slower ones. */
  #delayMs = 0;
  #probe: { readonly until: number; readonly at: number; readonly bytes: number } | undefined;
  #heldSince: number | undefined;

  constructor(foreground = new Foreground()) {
    this.#foreground = foreground;
  }

  /** What bulk may have in the pipe now, in bytes. */
  get allowance(): number {
    return this.#allowance;
  }

  /** A stream begins, for a request or an answer. */
  opened(key: StreamKey, now: number): void {
    const stream = { key, openedAt: now, carried: 0, waiting: 0 };
    this.#streams.set(key, stream);
    this.#foreground.add(stream);
  }

  /** It is over, whatever it still had to write. */
  closed(key: StreamKey, now: number): void {
    const stream = this.#streams.get(key);
    if (stream !== undefined) this.#foreground.remove(stream, now);
    this.#streams.delete(key);
  }

  /** `bytes` of a stream wait in all; 0 takes the wish back. */
  want(key: StreamKey, bytes: number): void {
    const stream = this.#streams.get(key);
    if (stream !== undefined) stream.waiting = bytes;
  }

  /** Carriers have taken `sent` bytes by now: the allowance follows the time that what was let in took to leave the pipe. */
  taken(sent: number, now: number): void {
    const probe = this.#probe;
    if (probe === undefined || sent < probe.until) return;
    this.#probe = undefined;
    // A window that stands open takes a few bytes at once, on any path.
    const isUsed = probe.bytes * 2 >= this.#allowance;
    const tookMs = Math.max(0, now - probe.at);
    if (!isUsed && tookMs <= 2 * TARGET_MS) return;
    const rate = (probe.bytes / Math.max(1, tookMs)) * 1000;
    this.#delayMs = Math.max(tookMs, this.#delayMs / 2);
    this.#least = rate < SLOW_RATE ? SLOW_PIECE_BYTES : PIECE_BYTES;
    const wanted = tookMs * 2 > TARGET_MS ? (rate * TARGET_MS) / 1000 : this.#allowance * 2;
    this.#allowance = Math.min(MAX_ALLOWANCE, Math.max(this.#least, Math.floor(wanted)));
  }

  /** Who writes next; undefined when all wait, for the pipe or until `nextWakeup`. What is granted counts as written. */
  next(pipe: PipeState, now: number): Grant | undefined {
    this.taken(pipe.sent, now);
    const first = this.#first();
    if (first === undefined) {
      this.#heldSince = undefined;
      return undefined;
    }
    if (first.carried < URGENT_BYTES) return this.#grant(first, URGENT_BYTES - first.carried, pipe, now);
    const room = this.#room(pipe.unsent);
    const mayEnter = room > 0 && (isInteractive(first) || !this.#isHeld(now));
    return mayEnter ? this.#grant(first, room, pipe, now) : undefined;
  }

  /** The pipe goes on over another carrier, of which nothing is known yet. */
  restart(): void {
    this.#allowance = PIECE_BYTES;
    this.#least = PIECE_BYTES;
    this.#delayMs = 0;
    this.#probe = undefined;
  }

  /** When held bulk may go on, in ms of the time that is handed in; undefined when it is not held. */
  nextWakeup(now: number): number | undefined {
    if (this.#heldSince === undefined) return undefined;
    const at = Math.min(this.#heldSince + MAX_HOLD_MS, this.#foreground.holdsUntil(now));
    return at > now ? at : undefined;
  }

  /** Of those that wait the most urgent kind, and of these the one that had its turn longest ago. */
  #first(): Stream | undefined {
    let first: Stream | undefined;
    for (const stream of this.#streams.values()) {
      if (stream.waiting > 0 && (first === undefined || rankOf(stream) < rankOf(first))) first = stream;
    }
    return first;
  }

  /** An empty pipe always has room; on a fast path more goes in before it runs dry. */
  #room(unsent: number): number {
    const isRoomy = unsent === 0 || (this.#allowance > this.#least && unsent * 2 <= this.#allowance);
    return isRoomy ? this.#allowance - unsent : 0;
  }

  /** Whether bulk waits for an interactive stream. After five seconds of it one allowance goes all the same. */
  #isHeld(now: number): boolean {
    const isWanted = this.#delayMs > HOLDING_MS && now < this.#foreground.holdsUntil(now);
    if (!isWanted) this.#heldSince = undefined;
    else this.#heldSince ??= now;
    if (this.#heldSince === undefined || now < this.#heldSince + MAX_HOLD_MS) return this.#heldSince !== undefined;
    this.#heldSince = now;
    return false;
  }

  #grant(stream: Stream, most: number, pipe: PipeState, now: number): Grant {
    const bytes = Math.min(stream.waiting, most);
    stream.carried += bytes;
    stream.waiting -= bytes;
    // To the end of the row.
    this.#streams.delete(stream.key);
    this.#streams.set(stream.key, stream);
    this.#probe ??= { until: pipe.sent + pipe.unsent + bytes, at: now, bytes: pipe.unsent + bytes };
    return { stream: stream.key, bytes };
  }
}

function rankOf({ carried }: Stream): number {
  if (carried < URGENT_BYTES) return 0;
  return carried < INTERACTIVE_BYTES ? 1 : 2;
}

function isInteractive(stream: Stream): boolean {
  return stream.carried < INTERACTIVE_BYTES;
}

/** Whether bulk waits for it: what goes on for long, or waits for a person, is no small request. */
function mayHold(stream: Stream, now: number): boolean {
  return isInteractive(stream) && now < stream.openedAt + MAX_HOLD_MS;
}
