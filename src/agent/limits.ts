// The person's own limits on what goes out: in all, to one peer, over one kind of carrier (docs/git-xmpp.1, "CONFIGURATION"). Rule: one bucket for
// each limit, shared by all that it is the limit of, and a new one when its rate is another; looked up again while bytes move.

import type { Clock } from '../lib/clock.ts';
import { bareOf } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { Peers } from '../home/peers.ts';
import type { Settings } from '../home/settings.ts';
import type { Bucket } from '../link/limit-machine.ts';
import { makeBucket } from '../link/limit-source.ts';
import { LimitedCarrier } from '../link/limited-carrier.ts';

/** A limit that was changed holds after this, and the settings' own time, in milliseconds. */
const LOOK_MS = 1_000;

/** All limits of one agent. */
export class Limits {
  readonly #parts: { readonly settings: Settings; readonly peers: Peers; readonly clock: Clock };
  readonly #buckets = new Map<string, Bucket>();

  constructor(parts: { readonly settings: Settings; readonly peers: Peers; readonly clock: Clock }) {
    this.#parts = parts;
  }

  /** `carrier` under the limits that hold for it, now and as they change. */
  limit(carrier: Carrier): Carrier {
    const { clock } = this.#parts;
    let [buckets, lookedAt] = [this.#bucketsOf(carrier), clock.now()];
    const current = (): readonly Bucket[] => {
      // Asked for each block; what changes, a person has typed.
      if (Math.abs(clock.now() - lookedAt) >= LOOK_MS) [buckets, lookedAt] = [this.#bucketsOf(carrier), clock.now()];
      return buckets;
    };
    return new LimitedCarrier(carrier, current, clock);
  }

  #bucketsOf({ kind, peer }: Carrier): Bucket[] {
    void this.#parts.settings.refresh();
    const petname = this.#petnameOf(peer);
    const keys = ['xmpp.limit.up', `xmpp.limit.carrier.${kind}.up`, ...(petname === undefined ? [] : [`xmpp.limit.peer.${petname}.up`])];
    return keys.flatMap((key) => this.#bucket(key) ?? []);
  }

  #bucket(key: string): Bucket | undefined {
    const rate = this.#parts.settings.rate(key);
    const known = this.#buckets.get(key);
    if (known?.rate === rate) return known;
    this.#buckets.delete(key);
    if (rate === undefined) return undefined;
    const bucket = makeBucket(rate, this.#parts.clock);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** By its address; a device that has just moved is known by its account where that is its only device. */
  #petnameOf(address: FullJid): string | undefined {
    const peers = this.#parts.peers.list();
    const ofAccount = peers.filter(({ jid }) => jid === bareOf(address));
    return (ofAccount.find((peer) => peer.address === address) ?? (ofAccount.length === 1 ? ofAccount[0] : undefined))?.petname;
  }
}
