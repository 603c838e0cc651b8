// The judge of one repository: facts in, intentions out (sync-rules; design §4). Rule: no IO, and the same facts in any order
// that could really happen lead to every reachable peer holding every map; an exchange is silent once all hold the same.

import type { DeviceId } from '../lib/names.ts';

/** What happened. `counter`s are those of signed maps. */
export type Fact =
  /** Branches or tags moved here, or were found to differ from the published map. */
  | { readonly type: 'moved' }
  /** Our own map was signed and written to our corner. */
  | { readonly type: 'published'; readonly counter: number }
  /** A device's map was taken in, from `via`. */
  | { readonly type: 'accepted'; readonly device: DeviceId; readonly counter: number; readonly via: DeviceId }
  /** A peer told which maps it holds; it can be reached. */
  | { readonly type: 'contact'; readonly peer: DeviceId; readonly maps: ReadonlyMap<DeviceId, number> }
  | { readonly type: 'lost'; readonly peer: DeviceId }
  | { readonly type: 'delivered'; readonly peer: DeviceId; readonly device: DeviceId; readonly counter: number }
  /** `mayRetry`: the peer can be reached and lacked something; otherwise it is asked again on the next contact. */
  | { readonly type: 'undelivered'; readonly peer: DeviceId; readonly device: DeviceId; readonly mayRetry: boolean }
  /** A peer was granted or refused this repository. */
  | { readonly type: 'granted'; readonly peer: DeviceId; readonly isGranted: boolean };

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
  /** Counters the peer is known to hold; undefined until it told. */
  holds: Map<DeviceId, number> | undefined;
  /** The one offer under way; a second waits so that nothing is sent twice. */
  offering: DeviceId | undefined;
  /** Devices whose map the peer refused since its last contact. */
  readonly refused: Set<DeviceId>;
}

/** Sync state of one repository on this device. */
export class Engine {
  readonly #me: DeviceId;
  readonly #maps = new Map<DeviceId, number>();
  readonly #peers = new Map<DeviceId, PeerState>();

  /** @param maps counters of the maps held here, as they were stored */
  constructor(me: DeviceId, maps: ReadonlyMap<DeviceId, number>) {
    this.#me = me;
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
        this.#learn(this.#me, fact.counter);
        return [...this.#offerAll(), ...this.#announce()];
      case 'accepted':
        return this.#accepted(fact.device, fact.counter, fact.via);
      case 'contact':
        return this.#contact(fact.peer, fact.maps);
      case 'lost':
        return this.#lost(fact.peer);
      case 'delivered':
        return this.#settled(fact.peer, fact.device, fact.counter);
      case 'undelivered':
        return this.#undelivered(fact.peer, fact.device, fact.mayRetry);
      case 'granted':
        return this.#granted(fact.peer, fact.isGranted);
    }
  }

  /** What a peer is still owed: devices whose map it lacks, or undefined when it has not told yet. */
  owed(peer: DeviceId): readonly DeviceId[] | undefined {
    const state = this.#peers.get(peer);
    return state?.holds === undefined ? undefined : this.#missing(peer, state);
  }

  /** Counters a peer is known to hold. */
  held(peer: DeviceId): ReadonlyMap<DeviceId, number> {
    return this.#peers.get(peer)?.holds ?? new Map();
  }

  isReachable(peer: DeviceId): boolean {
    return this.#peers.get(peer)?.isReachable ?? false;
  }

  #accepted(device: DeviceId, counter: number, via: DeviceId): Intention[] {
    this.#peers.get(via)?.holds?.set(device, counter);
    if (counter <= (this.#maps.get(device) ?? 0)) return [];
    this.#learn(device, counter);
    return [{ type: 'consider', device }, ...this.#offerAll()];
  }

  /** A newer map may succeed where an older one was refused. */
  #learn(device: DeviceId, counter: number): void {
    this.#maps.set(device, counter);
    for (const state of this.#peers.values()) state.refused.delete(device);
  }

  #contact(peer: DeviceId, maps: ReadonlyMap<DeviceId, number>): Intention[] {
    const state = this.#peers.get(peer);
    if (state === undefined) return [];
    state.isReachable = true;
    state.holds = new Map(maps);
    state.refused.clear();
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
    state.offering = undefined;
    state.holds ??= new Map();
    state.holds.set(device, Math.max(counter, state.holds.get(device) ?? 0));
    return this.#offerTo(peer, state);
  }

  #undelivered(peer: DeviceId, device: DeviceId, mayRetry: boolean): Intention[] {
    const state = this.#peers.get(peer);
    if (state === undefined) return [];
    state.offering = undefined;
    if (!mayRetry) state.isReachable = false;
    else state.refused.add(device);
    return this.#offerTo(peer, state);
  }

  #granted(peer: DeviceId, isGranted: boolean): Intention[] {
    if (!isGranted) this.#peers.delete(peer);
    else if (!this.#peers.has(peer)) {
      this.#peers.set(peer, { isReachable: false, holds: undefined, offering: undefined, refused: new Set() });
    }
    return [];
  }

  #offerAll(): Intention[] {
    return [...this.#peers].flatMap(([peer, state]) => this.#offerTo(peer, state));
  }

  #offerTo(peer: DeviceId, state: PeerState): Intention[] {
    if (!state.isReachable || state.offering !== undefined) return [];
    const [device] = this.#missing(peer, state).filter((each) => !state.refused.has(each));
    const counter = device === undefined ? undefined : this.#maps.get(device);
    if (device === undefined || counter === undefined) return [];
    state.offering = device;
    return [{ type: 'offer', peer, device, counter }];
  }

  /** Our own map goes first; a peer is never offered its own. */
  #missing(peer: DeviceId, state: PeerState): DeviceId[] {
    return [...this.#maps]
      .filter(([device, counter]) => device !== peer && counter > (state.holds?.get(device) ?? 0))
      .map(([device]) => device)
      .sort((a, b) => Number(b === this.#me) - Number(a === this.#me));
  }

  #announce(): Intention[] {
    const peers = [...this.#peers].filter(([, state]) => !state.isReachable).map(([peer]) => peer);
    return peers.length === 0 ? [] : [{ type: 'announce', peers }];
  }
}
