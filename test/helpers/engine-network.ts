// Engines joined by a network that delays, cuts and refuses. Rule: everything that happens is drawn from one seed, and what an engine
// is told is what an agent would tell it: each offer ends once, with a result that may come late.

import { parseDeviceId } from '../../src/lib/names.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import { Engine } from '../../src/sync/engine.ts';
import type { Fact, Intention } from '../../src/sync/engine.ts';

export interface EngineNode {
  readonly device: DeviceId;
  readonly engine: Engine;
  /** Counter of its own map. */
  counter: number;
  /** Offers under way by peer. */
  readonly offering: Set<DeviceId>;
  /** `peer device counter` that were delivered, and that the peer has not said since to lack. */
  readonly told: Set<string>;
}

interface Edge {
  readonly ends: readonly [EngineNode, EngineNode];
  isUp: boolean;
  /** Rises with each cut. */
  cuts: number;
}

const LONGEST_DELAY = 100;
/** Engines that go on for longer never become quiet. */
const MAX_EVENTS = 1_000_000;

/** Any number of engines; `edges` join them by index. */
export class EngineNetwork {
  readonly nodes: readonly EngineNode[];
  readonly edges: readonly Edge[];
  /** Offers that were made. */
  offers = 0;
  /** What an engine did that it should not have. */
  readonly complaints: string[] = [];
  /** Whether offers are refused now and then. */
  isRefusing = false;
  #queue: { readonly at: number; readonly run: () => void }[] = [];
  #now = 0;
  #seed: number;

  constructor(count: number, edges: readonly (readonly [number, number])[], seed: number) {
    this.#seed = seed >>> 0;
    this.nodes = Array.from({ length: count }, (_none, index) => makeNode(index));
    this.edges = edges.flatMap(([a, b]) => {
      const [one, other] = [this.nodes[a], this.nodes[b]];
      return one === undefined || other === undefined ? [] : [{ ends: [one, other] as const, isUp: false, cuts: 0 }];
    });
    for (const { ends } of this.edges) {
      for (const [node, peer] of [ends, [ends[1], ends[0]] as const]) this.#tell(node, { type: 'granted', peer: peer.device, isGranted: true });
    }
  }

  /** Branches moved at a node. */
  move(index: number): void {
    const node = this.nodes[index % this.nodes.length];
    if (node !== undefined) this.#tell(node, { type: 'moved' });
  }

  cut(index: number): void {
    const edge = this.edges[index % this.edges.length];
    if (edge === undefined || !edge.isUp) return;
    edge.isUp = false;
    edge.cuts += 1;
    // Either side may notice at once, or only when an offer fails.
    for (const [node, peer] of [edge.ends, [edge.ends[1], edge.ends[0]] as const]) {
      if (this.#draw(2) === 0) this.#tell(node, { type: 'lost', peer: peer.device });
    }
  }

  /** The edge is whole, and the two compare what they hold. */
  connect(index: number): void {
    const edge = this.edges[index % this.edges.length];
    if (edge === undefined) return;
    edge.isUp = true;
    const [asker, answerer] = this.#draw(2) === 0 ? edge.ends : [edge.ends[1], edge.ends[0]];
    this.#carry(edge, { from: asker, to: answerer, then: () => this.#carry(edge, { from: answerer, to: asker, then: () => undefined }) });
  }

  /** Lets at most `count` things happen. */
  run(count = MAX_EVENTS): void {
    for (let done = 0; done < count; done += 1) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#now = next.at;
      next.run();
    }
    if (count === MAX_EVENTS) throw new Error('the engines do not become quiet');
  }

  /** One side's digest on its way. */
  #carry(edge: Edge, { from, to, then }: { readonly from: EngineNode; readonly to: EngineNode; readonly then: () => void }): void {
    const { cuts } = edge;
    const maps = new Map(from.engine.maps);
    this.#later(() => {
      if (!edge.isUp || edge.cuts !== cuts) return;
      for (const key of to.told) {
        const [peer, device, counter] = key.split(' ');
        if (peer === from.device && Number(counter) > (maps.get(parseDeviceId(device ?? '')) ?? 0)) to.told.delete(key);
      }
      this.#tell(to, { type: 'contact', peer: from.device, maps });
      then();
    });
  }

  #tell(node: EngineNode, fact: Fact): void {
    for (const intention of node.engine.receive(fact)) this.#do(node, intention);
  }

  #do(node: EngineNode, intention: Intention): void {
    if (intention.type === 'publish') {
      node.counter += 1;
      this.#tell(node, { type: 'published', counter: node.counter });
    } else if (intention.type === 'offer') this.#offer(node, intention);
  }

  #offer(node: EngineNode, { peer, device, counter }: Extract<Intention, { type: 'offer' }>): void {
    this.offers += 1;
    const edge = this.edges.find(({ ends }) => ends.includes(node) && ends.some((end) => end.device === peer));
    const to = edge?.ends.find((end) => end.device === peer);
    if (edge === undefined || to === undefined) return void this.complaints.push('an offer to a stranger');
    if (peer === device) this.complaints.push('a peer was offered its own map');
    if (node.offering.has(peer)) this.complaints.push('two offers to one peer at a time');
    if (node.told.has(`${peer} ${device} ${counter}`)) this.complaints.push('an offer was made twice in vain');
    node.offering.add(peer);
    const { cuts } = edge;
    const isLost = (): boolean => !edge.isUp || edge.cuts !== cuts;
    this.#later(() => {
      const isRefused = this.isRefusing && this.#draw(4) === 0;
      // One that found no way stays lost, also where there is a way again by the time it ends.
      const hasArrived = !isLost();
      if (hasArrived && !isRefused) this.#take(to, { device, counter, via: node.device });
      this.#later(() => {
        node.offering.delete(peer);
        if (isRefused || !hasArrived || isLost()) this.#tell(node, { type: 'undelivered', peer, device, mayRetry: isRefused || this.#draw(2) === 0 });
        else {
          node.told.add(`${peer} ${device} ${counter}`);
          this.#tell(node, { type: 'delivered', peer, device, counter });
        }
      });
    });
  }

  #take(node: EngineNode, map: { readonly device: DeviceId; readonly counter: number; readonly via: DeviceId }): void {
    if (map.counter > (node.engine.maps.get(map.device) ?? 0)) this.#tell(node, { type: 'accepted', ...map });
  }

  #later(run: () => void): void {
    const at = this.#now + 1 + this.#draw(LONGEST_DELAY);
    const before = this.#queue.findIndex((each) => each.at > at);
    this.#queue.splice(before < 0 ? this.#queue.length : before, 0, { at, run });
  }

  #draw(below: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * below);
  }
}

function makeNode(index: number): EngineNode {
  const device = parseDeviceId((index + 1).toString(16).padStart(32, '0'));
  return { device, engine: new Engine(device, new Map()), counter: 0, offering: new Set(), told: new Set() };
}
