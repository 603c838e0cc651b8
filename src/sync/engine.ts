// The judge of one repository: facts in, intentions out (docs/ARCHITECTURE.md). Rule: no IO, and the same facts in any order
// that could really happen lead to every reachable peer holding every map; an exchange is silent once all hold the same.

import type { DeviceId } from '../lib/names.ts';

/** What happened. `counter`s are those of signed maps. */
export type Fact =
  /** Branches or tags moved here, or were found to differ from the published map. */
  | { readonly type: 'moved' }
  /** Our own map was signed and written to our corner. */
  | { readonly type: 'published'; readonly counter: number }
  /** A device's map was taken in, from `via`; with `isOpen` that one still waits for an answer, in which our own map can be told. */
  | { readonly type: 'accepted'; readonly device: DeviceId; readonly counter: number; readonly via: DeviceId; readonly isOpen?: boolean }
  /** A map that was `accepted` could not be stored; held is the one at `counter`, 0 for none. */
  | { readonly type: 'unstored'; readonly device: DeviceId; readonly counter: number }
  /** A peer got that answer; what it told of our map, if anything, was `delivered` before. */
  | { readonly type: 'answered'; readonly peer: DeviceId }
  /** A peer told which maps it holds; it can be reached. */
  | { readonly type: 'contact'; readonly peer: DeviceId; readonly maps: ReadonlyMap<DeviceId, number> }
  | { readonly type: 'lost'; readonly peer: DeviceId }
  | { readonly type: 'delivered'; readonly peer: DeviceId; readonly device: DeviceId; readonly counter: number }
  /**
   * `mayRetry`: the peer can be reached and lacked something; otherwise it is asked again on the next contact. `isUnwanted`: it has no use
   * for maps of that device, which it is not paired with: none is offered to it again before it names one of them itself.
   */
  | { readonly type: 'undelivered'; readonly peer: DeviceId; readonly device: DeviceId; readonly mayRetry: boolean; readonly isUnwanted?: boolean }
  /** A peer was granted or refused this repository. */
  | { readonly type: 'granted'; readonly peer: DeviceId; readonly isGranted: boolean }
  /** A device is not paired any more: its map is held no longer, nor passed on. */
  | { readonly type: 'forgotten'; readonly device: DeviceId };

/** What is to be done; plain data, in order. */
export type Intention =
  /** Sign what the branches are now, and write our corner. */
  | { readonly type: 'publish' }
  /** Compare the branches here with a device's map, and move what may be moved. */
  | { readonly type: 'consider'; readonly device: DeviceId }
  | { readonly type: 'offer'; readonly peer: DeviceId; readonly device: DeviceId; readonly counter: number }
  /** Tell peers that cannot be reached by a link that our map moved. */
  | { readonly type: 'announce'; readonly peers: readonly DeviceId[] };

interface PeerState {
  isReachable: boolean;
  /** How often it told which maps it holds. */
  contacts: number;
  /** Counters the peer is known to hold; undefined until it told. */
  holds: Map<DeviceId, number> | undefined;
  /** The one offer under way, until its end is told, though the peer be lost meanwhile; a second waits, so nothing is sent twice. */
  offering: Offering | undefined;
  /** Offers of the peer that are not answered yet: until then nothing is offered to it. */
  unanswered: number;
  /** Counter of each device's map that the peer refused since its last contact. */
  readonly refused: Map<DeviceId, number>;
  /** Devices whose maps it has no use for: else a star of n devices would refuse n² offers for each commit. */
  readonly unwanted: Set<DeviceId>;
}

interface Offering {
  readonly device: DeviceId;
  readonly counter: number;
  /** The contact it was made after. */
  readonly contact: number;
}

/** Sync state of one repository on this device. */
export class Engine {
  readonly #me: DeviceId;
  readonly #isRelaying: () => boolean;
  readonly #maps = new Map<DeviceId, number>();
  readonly #peers = new Map<DeviceId, PeerState>();
  /** Devices that were unpaired: word of a map of theirs may still be on its way. */
  readonly #forgotten = new Set<DeviceId>();

  /**
   * @param maps counters of the maps held here, as they were stored
   * @param isRelaying whether other devices' maps are offered on; not where the sharing shows only some branches
   */
  constructor(me: DeviceId, maps: ReadonlyMap<DeviceId, number>, isRelaying: () => boolean = () => true) {
    this.#me = me;
    this.#isRelaying = isRelaying;
    for (const [device, counter] of maps) this.#maps.set(device, counter);
  }

  /** Counters of all maps held here. */
  get maps(): ReadonlyMap<DeviceId, number> {
    return this.#maps;
  }

  receive(fact: Fact): Intention[] {
    switch (fact.type) {
      case 'moved':
        return [{ type: 'publish' }];
      case 'published':
        this.#maps.set(this.#me, fact.counter);
        return [...this.#offerAll(), ...this.#announce()];
      case 'accepted':
        return this.#accepted(fact);
      case 'unstored':
        if (fact.counter === 0) this.#maps.delete(fact.device);
        else this.#maps.set(fact.device, fact.counter);
        return [];
      case 'answered':
        return this.#answered(fact.peer);
      case 'contact':
        return this.#contact(fact.peer, fact.maps);
      case 'lost':
        return this.#lost(fact.peer);
      case 'delivered':
        return this.#settled(fact.peer, fact.device, fact.counter);
      case 'undelivered':
        return this.#undelivered(fact);
      case 'granted':
        return this.#granted(fact.peer, fact.isGranted);
      case 'forgotten':
        this.#maps.delete(fact.device);
        this.#forgotten.add(fact.device);
        return this.#granted(fact.device, false);
    }
  }

  /** What a peer is still owed: devices whose map it lacks, or undefined when it has not told yet. */
  owed(peer: DeviceId): readonly DeviceId[] | undefined {
    const state = this.#peers.get(peer);
    if (state?.holds === undefined) return undefined;
    return [...this.#maps.keys()].filter((device) => this.#isMissing(peer, state, device));
  }

  /** Counters a peer is known to hold. */
  held(peer: DeviceId): ReadonlyMap<DeviceId, number> {
    return this.#peers.get(peer)?.holds ?? new Map();
  }

  /** Whether an offer to a peer is under way, or waits until one of its own is answered: what else it lacks follows, or was refused. */
  isOffering(peer: DeviceId): boolean {
    const state = this.#peers.get(peer);
    return state !== undefined && (state.offering !== undefined || state.unanswered > 0);
  }

  isReachable(peer: DeviceId): boolean {
    return this.#peers.get(peer)?.isReachable ?? false;
  }

  #accepted({ device, counter, via, isOpen }: Extract<Fact, { readonly type: 'accepted' }>): Intention[] {
    const state = this.#peers.get(via);
    raise(state, device, counter);
    if (state !== undefined && isOpen === true) state.unanswered += 1;
    if (counter <= (this.#maps.get(device) ?? 0) || this.#forgotten.has(device)) return [];
    this.#maps.set(device, counter);
    return [{ type: 'consider', device }, ...this.#offerAll()];
  }

  #answered(peer: DeviceId): Intention[] {
    const state = this.#peers.get(peer);
    if (state === undefined) return [];
    state.unanswered = Math.max(0, state.unanswered - 1);
    return this.#offerTo(peer, state);
  }

  #contact(peer: DeviceId, maps: ReadonlyMap<DeviceId, number>): Intention[] {
    const state = this.#peers.get(peer);
    if (state === undefined) return [];
    state.isReachable = true;
    state.contacts += 1;
    state.holds = new Map(maps);
    state.refused.clear();
    for (const device of maps.keys()) state.unwanted.delete(device);
    return this.#offerTo(peer, state);
  }

  #lost(peer: DeviceId): Intention[] {
    const state = this.#peers.get(peer);
    // An offer under way ends by itself: its link may yet come back, and a second one would send everything twice.
    if (state !== undefined) state.isReachable = false;
    return [];
  }

  #settled(peer: DeviceId, device: DeviceId, counter: number): Intention[] {
    const state = this.#peers.get(peer);
    if (state === undefined) return [];
    raise(state, device, counter);
    if (state.offering?.device === device) state.offering = undefined;
    return this.#offerTo(peer, state);
  }

  #undelivered({ peer, device, mayRetry, isUnwanted }: Extract<Fact, { readonly type: 'undelivered' }>): Intention[] {
    const state = this.#peers.get(peer);
    if (state?.offering?.device !== device) return [];
    const { counter, contact } = state.offering;
    state.offering = undefined;
    // A contact since then says more of the peer than the end of an offer from before.
    const isNews = contact === state.contacts;
    if (isUnwanted === true) state.unwanted.add(device);
    else if (isNews && mayRetry) state.refused.set(device, counter);
    else if (isNews) state.isReachable = false;
    return this.#offerTo(peer, state);
  }

  #granted(peer: DeviceId, isGranted: boolean): Intention[] {
    if (isGranted) this.#forgotten.delete(peer);
    if (!isGranted) this.#peers.delete(peer);
    else if (!this.#peers.has(peer)) {
      const known = { isReachable: false, contacts: 0, holds: undefined, offering: undefined, unanswered: 0 };
      this.#peers.set(peer, { ...known, refused: new Map(), unwanted: new Set() });
    }
    return [];
  }

  #offerAll(): Intention[] {
    const offers: Intention[] = [];
    for (const [peer, state] of this.#peers) offers.push(...this.#offerTo(peer, state));
    return offers;
  }

  #offerTo(peer: DeviceId, state: PeerState): Intention[] {
    if (!state.isReachable || state.offering !== undefined || state.unanswered > 0) return [];
    const device = this.#nextFor(peer, state);
    if (device === undefined) return [];
    const map = { device, counter: this.#maps.get(device) ?? 0 };
    state.offering = { ...map, contact: state.contacts };
    return [{ type: 'offer', peer, ...map }];
  }

  /** Whose map is offered next: our own goes first. A newer map may succeed where an older one was refused. */
  #nextFor(peer: DeviceId, state: PeerState): DeviceId | undefined {
    if (this.#isMissing(peer, state, this.#me) && !this.#isRefused(state, this.#me)) return this.#me;
    for (const device of this.#maps.keys()) if (this.#isMissing(peer, state, device) && !this.#isRefused(state, device)) return device;
    return undefined;
  }

  #isRefused(state: PeerState, device: DeviceId): boolean {
    return (this.#maps.get(device) ?? 0) <= (state.refused.get(device) ?? 0);
  }

  /** Whether a peer lacks the map that is held of a device; it is never offered its own. */
  #isMissing(peer: DeviceId, state: PeerState, device: DeviceId): boolean {
    const counter = this.#maps.get(device) ?? 0;
    if (counter <= (state.holds?.get(device) ?? 0)) return false;
    return device === this.#me || (device !== peer && this.#isRelaying() && !state.unwanted.has(device));
  }

  #announce(): Intention[] {
    const peers = [...this.#peers].filter(([, state]) => !state.isReachable).map(([peer]) => peer);
    return peers.length === 0 ? [] : [{ type: 'announce', peers }];
  }
}

/** The peer is known to hold at least that; what it told may be older than what was delivered since. */
function raise(state: PeerState | undefined, device: DeviceId, counter: number): void {
  state?.holds?.set(device, Math.max(counter, state.holds.get(device) ?? 0));
}
