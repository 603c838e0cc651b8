// Where bulk lanes come in (docs/PROTOCOL.md, "Bulk lanes"). Rule: a connection is taken for a lane only where just that one was told of inside a
// link, and it becomes one only when the key of that link's device is shown on it and its first bytes name the same stream.

import type { TLSSocket } from 'node:tls';
import { withDeadline } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault, InputFault } from '../lib/errors.ts';
import { bareOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { LinkId } from '../pipe/frame-format.ts';
import { HELLO_BYTES, LANE_PROTOCOL, parseHello } from './lane-format.ts';
import type { LaneName } from './lane-format.ts';
import type { ReadyLane } from './lane-writer.ts';
import { isLimited, LANE_HANDSHAKE_MS, socketOf } from './lanes.ts';
import type { Offences } from './offences.ts';
import { secureAsListener } from './secure.ts';
import type { Credentials } from './secure.ts';

export interface LaneDoorOptions {
  readonly own: Credentials;
  readonly clock: Clock;
  readonly offences: Pick<Offences, 'note'>;
}

/** A lane that was told of. */
export interface ExpectedLane {
  readonly linkId: LinkId;
  readonly name: LaneName;
  /** The account and the public key of the link's device. */
  readonly account: BareJid;
  readonly spki: string;
  readonly use: (lane: ReadyLane) => void;
  /** It came to nothing, or was handed to `use`. */
  readonly over: () => void;
}

/** Lanes of all links that are waited for, and how long. */
const MAX_EXPECTED = 32;
const EXPECT_MS = 45_000;

/** All lanes of all links that were dialled to here. */
export class LaneDoor {
  readonly #options: LaneDoorOptions;
  readonly #expected = new Map<string, { readonly lane: ExpectedLane; readonly timer: Timer }>();

  constructor(options: LaneDoorOptions) {
    this.#options = options;
  }

  /** Expects a connection with that `sid`, once. @returns expects it no more. @throws Fault `throttled` when too many are expected, `exists` when this one is */
  expect(sid: string, lane: ExpectedLane): () => void {
    if (this.#expected.has(sid)) throw new Fault('exists', 'that bulk lane is expected already');
    if (this.#expected.size >= MAX_EXPECTED) throw new Fault('throttled', 'too many bulk lanes are being opened');
    const forget = (): void => {
      timer.cancel();
      if (this.#expected.get(sid)?.lane !== lane) return;
      this.#expected.delete(sid);
      lane.over();
    };
    const timer = this.#options.clock.setTimer(EXPECT_MS, forget);
    this.#expected.set(sid, { lane, timer });
    return forget;
  }

  /** Whether `carrier` was to become a lane; it is seen to then. */
  take(carrier: Carrier): boolean {
    const found = this.#expected.get(carrier.sid);
    if (found === undefined) return false;
    const { lane, timer } = found;
    timer.cancel();
    this.#expected.delete(carrier.sid);
    this.#secure(carrier, lane)
      .catch((error: unknown) => {
        const why = asFault(error, 'a bulk lane').message;
        this.#options.offences.note(lane.linkId, 'refused a bulk lane', { why, from: carrier.peer });
      })
      .finally(lane.over);
    return true;
  }

  async #secure(carrier: Carrier, lane: ExpectedLane): Promise<void> {
    const { own, clock } = this.#options;
    const socket = bareOf(carrier.peer) === lane.account ? socketOf(carrier) : undefined;
    if (socket === undefined) {
      void carrier.close();
      throw new InputFault('bulk lane', 'came another way than was told');
    }
    const late = (): Fault => new Fault('timeout', 'it was not secured in time');
    const secured = secureAsListener(socket, own, (spki) => spki === lane.spki, LANE_PROTOCOL).then(async ({ stream }) => {
      const hello = parseHello(await readExactly(stream, HELLO_BYTES));
      if (hello.linkId !== lane.linkId || hello.stream !== lane.name.stream || hello.way !== lane.name.way) throw new InputFault('bulk lane', 'is for another stream');
      return stream;
    });
    try {
      const stream = await withDeadline(secured, LANE_HANDSHAKE_MS, clock, late);
      if (stream.destroyed) throw new Fault('tcp', 'the connection of a bulk lane broke');
      lane.use({ stream, clock, isProxied: carrier.kind === 'socks5', isLimited: () => isLimited(carrier) });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

/** The next `length` bytes; what follows them is left where it is. */
function readExactly(stream: TLSSocket, length: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const bytes: unknown = stream.read(length);
      if (!(bytes instanceof Uint8Array)) return;
      stream.off('readable', look);
      if (bytes.length === length) resolve(bytes);
      else reject(new InputFault('bulk lane', 'ended before it began'));
    };
    stream.on('readable', look);
    stream.once('close', () => reject(new Fault('tcp', 'the connection of a bulk lane broke')));
    look();
  });
}
