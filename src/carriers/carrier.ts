// A byte pipe between two full JIDs, of whatever kind (docs/ARCHITECTURE.md). Rule: bytes arrive in order and once, or the carrier ends;
// nothing is ever sent again on the same carrier, for the pipe above replays what is missing on the next one.

import type { Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';

/** In-band (XEP-0047), through a SOCKS5 proxy (XEP-0065), or a direct TCP connection. */
export type CarrierKind = 'in-band' | 'socks5' | 'direct';

/** Where the bytes go: through the XMPP server, a SOCKS5 proxy, or straight to an address of this machine, a private network, the internet. */
export type AddressClass = 'server' | 'proxy' | 'loopback' | 'lan' | 'public';

/** Where a carrier's outgoing bytes come from. */
export interface CarrierSource {
  /**
   * At most `max` bytes that go out next, an empty array when there are none. Called when the carrier has room and never after
   * `close` or `closed`; what it handed out is the carrier's.
   */
  takeOutgoing(max: number): Uint8Array;
  /**
   * Called when nothing has gone out for a moment on a path that may hold back the end of what was sent: has something small to take that the
   * peer answers (a PING), and says whether it does; false once the peer has answered for all that was sent. Without it the end
   * may wait for the next bytes (docs/decisions/0016-proxies-hold-back-the-end.md).
   */
  probe?(): boolean;
}

/** Where a carrier's incoming bytes go. */
export interface CarrierSink {
  /** The next bytes; resolves when they are consumed, and until then the next call waits (backpressure). */
  receive(bytes: Uint8Array): Promise<void>;
  /** The carrier ended, by the peer, an error or the connection; called once, the last call, and not after one's own `close`. */
  closed(fault: Fault): void;
}

/** What a carrier has carried so far. */
export interface CarrierStats {
  /** Bytes handed to the sink or waiting for it. */
  readonly bytesIn: number;
  /** Bytes taken from the source. */
  readonly bytesOut: number;
  /** Smoothed round-trip time in milliseconds; 0 before the first answer. */
  readonly srttMs: number;
}

/** One open byte pipe to `peer`. */
export interface Carrier {
  readonly kind: CarrierKind;
  readonly addressClass: AddressClass;
  /** Names the carrier in both directions; unguessable. */
  readonly sid: string;
  readonly peer: FullJid;
  /** Begins to move bytes; called once. What came in before waits, within a bound. */
  start(source: CarrierSource, sink: CarrierSink): void;
  /** The source has bytes. They are taken in the next turn of the event loop, so that small writes share a block. */
  wake(): void;
  /**
   * Ends the carrier, taking nothing more from the source; what it took goes first, so a source may call this as it hands out its
   * last bytes. Resolves when the peer has agreed or had its time; never rejects.
   */
  close(): Promise<void>;
  readonly stats: CarrierStats;
}
