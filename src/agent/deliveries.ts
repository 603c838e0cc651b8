// The maps of one repository on their way to peers, and what peers are known to hold of them (docs/PROTOCOL.md, "Maps").
// Rule: what a peer tells of its own map in an answer is checked as strictly as an offer, and what it cannot prove it has not said.

import type { Clock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import { isGranted } from '../lib/names.ts';
import type { DeviceId, Oid } from '../lib/names.ts';
import { grantOf } from '../home/repos.ts';
import type { Peers } from '../home/peers.ts';
import { formatToldMap } from '../link/http-format.ts';
import type { ToldMap } from '../link/http-format.ts';
import type { Links } from '../link/links.ts';
import { untilAborted } from '../link/services.ts';
import type { Engine, Fact } from '../sync/engine.ts';
import { applyChanges, diffMaps } from '../sync/map-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { LEFT_REF } from '../sync/record-format.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import { deliverOffer } from './offer.ts';
import type { Offer, PeerCopy } from './offer-types.ts';
import type { Offering } from './offering.ts';
import type { Exchanges } from './exchanges.ts';
import { isRelaying } from './shown-branches.ts';

export interface DeliveryParts {
  readonly context: RepoContext;
  readonly me: DeviceId;
  readonly engine: Engine;
  readonly peers: Peers;
  readonly links: Links;
  readonly events: Pick<Events, 'emit'>;
  readonly exchanges: Pick<Exchanges, 'begin'>;
  readonly offering: Offering;
  readonly clock: Clock;
  /** Hands a fact to the engine, in its turn. */
  readonly tell: (fact: Fact) => Promise<void>;
  /** What is known of a peer has to be found out anew. */
  readonly onLost: (peer: DeviceId) => void;
}

/** What may be otherwise in a moment: the peer is compared with again. */
function isPassing(error: unknown): boolean {
  return error instanceof Fault && ['timeout', 'peer-offline', 'throttled', 'not-open'].includes(error.code);
}

/** Delivers maps, each to one peer. */
export class Deliveries {
  readonly #parts: DeliveryParts;
  readonly #copies = new Map<string, { readonly counter: number; readonly refs: RefsOfMap }>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** Offers the newest map of `device` to `peer`, and tells the engine how that went. */
  async offer(peer: DeviceId, device: DeviceId): Promise<void> {
    const giveBack = await this.#parts.offering.turn(peer);
    await this.#offer(peer, device).finally(giveBack);
  }

  async #offer(peer: DeviceId, device: DeviceId): Promise<void> {
    const { context, links, clock, tell, offering } = this.#parts;
    if (device !== context.me && offering.isUnwanted(peer, device)) return tell({ type: 'undelivered', peer, device, mayRetry: true, isUnwanted: true });
    const signed = context.maps.signed(device);
    if (signed === undefined) return;
    const offer = { device, signed, refs: context.maps.refsOf(device) };
    const { id: repo, name: repoName } = context.shared();
    const transfer = context.transfers.begin({ repo, repoName, device: peer, petname: this.#nameOf(peer), kind: 'offer', direction: 'up' });
    const exchange = this.#parts.exchanges.begin(context.shared(), this.#nameOf(peer));
    try {
      const session = untilAborted(await links.session(peer), exchange.signal);
      const told = await deliverOffer(context, { session, clock, transfer }, { offer, copy: this.#copyAt(peer, device) });
      transfer.end(true);
      this.#note(peer, offer);
      exchange.done(true);
      await tell({ type: 'delivered', peer, device, counter: signed.counter });
      if (told !== undefined) await this.#takeTold(peer, offer, told);
    } catch (error) {
      transfer.end(false);
      this.#copies.delete(`${peer} ${device}`);
      const doing = `offering to ${this.#nameOf(peer)}`;
      const fault = asFault(error, doing);
      // Paused: the loop has ended, and the next one begins with a comparison.
      if (exchange.signal.aborted) return;
      // A relayed map of a device that is not paired there: no failure, and not to be tried with each commit of it.
      const isUnwanted = device !== context.me && fault.code === 'no-such-peer';
      if (isUnwanted) offering.refused(peer, device);
      exchange.done(isUnwanted);
      if (!isUnwanted) this.#tellFailed(this.#nameOf(peer), `${doing}: ${fault.message}`, fault);
      await tell({ type: 'undelivered', peer, device, mayRetry: links.isUp(peer), isUnwanted });
      if (isPassing(error)) this.#parts.onLost(peer);
    }
  }

  /**
   * Our own map, for the answer to `peer`'s offer of `device`'s map; undefined when the peer holds it, or when it cannot be told so briefly.
   * Once it is told, `answered` must be called.
   */
  answerTo(peer: DeviceId, device: DeviceId): ToldMap | undefined {
    const { context, me, engine } = this.#parts;
    const signed = context.maps.signed(me);
    const copy = this.#copyAt(peer, me);
    if (signed === undefined || copy.counter === 0 || signed.counter <= copy.counter) return undefined;
    const theirs = context.maps.refsOf(device);
    const changes = diffMaps(copy.refs, context.maps.refsOf(me));
    const isSame = [...changes].every(([ref, oid]) => theirs.get(ref) === oid);
    if (!isSame || changes.size === 0 || !engine.isReachable(peer)) return undefined;
    const told = { ...signed, base: copy.counter, same: [...changes.keys()] };
    return formatToldMap(told) === undefined ? undefined : told;
  }

  /** Our own map was told in an answer. */
  async answered(peer: DeviceId, { counter }: ToldMap): Promise<void> {
    const { context, me, tell } = this.#parts;
    const signed = context.maps.signed(me);
    if (signed?.counter === counter) this.#note(peer, { device: me, signed, refs: context.maps.refsOf(me) });
    await tell({ type: 'delivered', peer, device: me, counter });
  }

  /** Takes in what a peer told of its own map: the refs that it names are as in `offer`. */
  async #takeTold(peer: DeviceId, offer: Offer, told: ToldMap): Promise<void> {
    const { context, peers, tell, onLost } = this.#parts;
    const from = peers.byDevice(peer);
    if (from === undefined || !isGranted(grantOf(context.shared(), from), 'offer')) return;
    const { maps } = context;
    const base = maps.signed(peer)?.counter === told.base ? maps.refsOf(peer) : undefined;
    // Every object it can name so is here: the offered map, which is held here, leads to it.
    const refs = base === undefined ? undefined : applyChanges(base, new Map(told.same.map((ref) => [ref, offer.refs.get(ref)] as const)));
    const isTaken = refs !== undefined && (await maps.acceptRecorded(peer, told, { refs, spki: from.spki }));
    if (isTaken) await tell({ type: 'accepted', device: peer, counter: told.counter, via: peer });
    // It takes its map for delivered; the next digest shows that it is not.
    else onLost(peer);
  }

  #note(peer: DeviceId, { device, signed, refs }: Offer): void {
    this.#copies.set(`${peer} ${device}`, { counter: signed.counter, refs });
    this.#parts.events.emit({ type: 'offered', words: 'offered', peer: this.#nameOf(peer), repo: this.#parts.context.shared().name });
  }

  #tellFailed(peer: string, words: string, { code, remedy }: Fault): void {
    this.#parts.events.emit({ type: 'offer-failed', words, peer, repo: this.#parts.context.shared().name, code, remedy });
  }

  #nameOf(peer: DeviceId): string {
    return this.#parts.peers.byDevice(peer)?.petname ?? 'a peer';
  }

  #copyAt(peer: DeviceId, device: DeviceId): PeerCopy {
    const { context, engine } = this.#parts;
    const held = engine.held(peer);
    const known = new Set<Oid>();
    // Its own first: of many tips only some are named as bases, and what came from it would else be sent back to it.
    for (const each of [peer, ...held.keys()]) {
      // What it claims to hold is not checked: where other devices' maps are not passed on, it is told nothing of them.
      if (each !== peer && each !== context.me && !isRelaying(context.shared())) continue;
      // A map that went further there names what it held before: it is looked for there, and built on only where it is found.
      if ((context.maps.signed(each)?.counter ?? Infinity) > (held.get(each) ?? 0)) continue;
      // A book of left commits is no base for a push, and a peer that is told of one by name does not look for it in other corners.
      for (const [ref, oid] of context.maps.refsOf(each)) if (ref !== LEFT_REF) known.add(oid);
    }
    const counter = held.get(device) ?? 0;
    const copy = this.#copies.get(`${peer} ${device}`);
    const refs = copy?.counter === counter ? copy.refs : context.maps.version(device, counter);
    return refs === undefined ? { counter: 0, refs: new Map(), known } : { counter, refs, known };
  }
}
