// Two devices, one of which dials the other: real pipes, TLS and HTTP/2 over carriers in memory. Rule: everything between the two
// `Carrier` objects is the agent's own code; what a spec cuts is the network alone.

import { randomBytes } from 'node:crypto';
import type { ClientHttp2Session } from 'node:http2';
import { afterEach } from 'vitest';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { realClock } from '../../src/lib/clock.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { bareOf } from '../../src/lib/jid.ts';
import type { BareJid, FullJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { Log } from '../../src/lib/log.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import { Fault } from '../../src/lib/errors.ts';
import type { CarrierChange } from '../../src/link/carrier-change.ts';
import { Acceptor } from '../../src/link/accept.ts';
import { dialLink } from '../../src/link/dial.ts';
import type { DialOptions } from '../../src/link/dial.ts';
import type { DialledLink } from '../../src/link/dialled-link.ts';
import type { LinkHandlers } from '../../src/link/serve.ts';
import { parseLinkId } from '../../src/pipe/frame-format.ts';
import type { LinkId } from '../../src/pipe/frame-format.ts';
import { FAR_ADDRESS, makeCarrierPair, MemoryCarrier, NEAR_ADDRESS } from './carrier-pair.ts';
import type { CarrierPair, CarrierPairOptions } from './carrier-pair.ts';
import { makeLinkDevice } from './credentials.ts';
import type { LinkDevice } from './credentials.ts';

const worlds: LinkWorld[] = [];

afterEach(() => {
  for (const world of worlds.splice(0)) world.stop();
});

export interface LinkWorldOptions {
  readonly handlers?: Partial<LinkHandlers<DeviceId>>;
  readonly clock?: Clock;
  readonly carrier?: CarrierPairOptions;
  /** The far end's. */
  readonly log?: Log;
}

export function newLinkId(): LinkId {
  return parseLinkId(randomBytes(16).toString('hex'));
}

const unasked = (): Promise<never> => Promise.reject(new Error('this spec asks no such thing'));

export class LinkWorld {
  readonly near: LinkDevice = makeLinkDevice();
  readonly far: LinkDevice = makeLinkDevice();
  /** Devices that are paired at the far end, by account. */
  readonly paired = new Map<string, BareJid>();
  readonly pairs: CarrierPair[] = [];
  readonly strangers: Carrier[] = [];
  readonly resumed: { readonly sent: number; readonly received: number }[] = [];
  readonly nearChanges: CarrierChange[] = [];
  readonly farChanges: CarrierChange[] = [];
  /** Whose carrier fell silent, in order. */
  readonly suspected: ('near' | 'far')[] = [];
  readonly acceptor: Acceptor;
  readonly clock: Clock;
  readonly #links: DialledLink[] = [];
  readonly #carrier: CarrierPairOptions;
  /** Called for each carrier that is opened; what it throws is why there is none. */
  onOpen: (address: FullJid) => void | Promise<void> = () => undefined;

  constructor({ handlers = {}, clock = realClock, carrier = {}, log = silentLog }: LinkWorldOptions = {}) {
    this.clock = clock;
    this.#carrier = carrier;
    this.paired.set(this.near.spki, bareOf(NEAR_ADDRESS));
    this.acceptor = new Acceptor({
      own: this.far,
      findPeer: (spki, account) => (this.paired.get(spki) === account ? this.near.device : undefined),
      handlers: { digest: unasked, repos: unasked, carriers: unasked, devices: unasked, map: unasked, offer: unasked, partial: unasked, packState: unasked, pack: unasked, service: unasked, ...handlers },
      clock,
      log,
      giveUpMs: () => 3_600_000,
      onSuspect: () => this.suspected.push('far'),
      onStranger: (from) => this.strangers.push(from),
      onCarrier: (_who, change) => this.farChanges.push(change),
    });
    worlds.push(this);
  }

  /** A carrier to the far end, which has been accepted there. */
  open(options: CarrierPairOptions = {}): CarrierPair {
    const pair = makeCarrierPair({ ...this.#carrier, ...options });
    this.pairs.push(pair);
    this.acceptor.accept(pair.far);
    return pair;
  }

  async dial(options: Partial<DialOptions> = {}): Promise<DialledLink> {
    const link = await dialLink({
      own: this.near,
      pin: this.far.spki,
      linkId: newLinkId(),
      address: FAR_ADDRESS,
      currentAddress: () => FAR_ADDRESS,
      openCarrier: async (address) => {
        await this.onOpen(address);
        return this.open().near;
      },
      onWayFree: () => () => undefined,
      clock: this.clock,
      random: () => 0,
      log: silentLog,
      mayGrow: (carrier) => carrier instanceof MemoryCarrier && carrier.mayGrow,
      openOwn: () => Promise.reject(new Fault('timeout', 'there is no other way')),
      onCarrier: (change) => {
        this.nearChanges.push(change);
        if (change.lost !== undefined) this.resumed.push(change);
      },
      onUnreachable: () => undefined,
      giveUpMs: () => 3_600_000,
      onSuspect: () => this.suspected.push('near'),
      ...options,
    });
    this.#links.push(link);
    return link;
  }

  async session(): Promise<ClientHttp2Session> {
    return (await this.dial()).session;
  }

  /** Cuts the carrier that runs. */
  cut(): void {
    this.pairs.at(-1)?.cut();
  }

  stop(): void {
    for (const { session } of this.#links) session.destroy();
    this.acceptor.stop();
    for (const pair of this.pairs) pair.cut();
  }
}
