// Devices and hubs in virtual time: real hub machines, real joins, hubs that take one push after another, links with delay.
// Rule: everything is drawn from one seed, so a failure can be played again.

import { createHash } from 'node:crypto';
import { parseOid, parseRefName } from '../../src/lib/names.ts';
import type { Oid, RefName } from '../../src/lib/names.ts';
import { HubMachine } from '../../src/sync/hub-machine.ts';
import type { HubFact, HubIntention, HubUpdate, PushResult } from '../../src/sync/hub-machine.ts';
import { decideJoin, joinCandidates } from '../../src/sync/join.ts';

export const MAIN = parseRefName('refs/heads/main');

/** A commit id that stands for `text`. */
export function oidOf(text: string): Oid {
  return parseOid(createHash('sha1').update(text).digest('hex'));
}

/** A stream of numbers from 0 up to 1 (mulberry32). */
export function drawsOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Commit {
  /** The commit itself is among them. */
  readonly ancestors: ReadonlySet<Oid>;
  readonly solids: readonly Oid[];
}

interface Site {
  readonly device: Device;
  readonly hub: Hub;
  readonly machine: HubMachine;
  wake: number | undefined;
}

interface Device {
  readonly name: string;
  tip: Oid;
  readonly sites: Site[];
}

interface Hub {
  refs: Map<RefName, Oid>;
  readonly sites: Site[];
}

/** A graph of devices and hubs; `edges` are pairs of a device's and a hub's number. */
export class HubNetwork {
  readonly devices: Device[] = [];
  readonly hubs: Hub[] = [];
  now = 0;
  pushes = 0;
  refused = 0;
  merges = 0;
  /** Share of fetches and pushes that fail. */
  failing = 0;
  readonly #random: () => number;
  readonly #commits = new Map<Oid, Commit>();
  #queue: { readonly at: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;

  constructor(graph: { readonly devices: number; readonly hubs: number; readonly edges: readonly (readonly [number, number])[] }, seed: number) {
    this.#random = drawsOf(seed);
    const root = this.#add('root', []);
    for (let index = 0; index < graph.hubs; index += 1) this.hubs.push({ refs: new Map([[MAIN, root]]), sites: [] });
    for (let index = 0; index < graph.devices; index += 1) this.devices.push({ name: `d${index}`, tip: root, sites: [] });
    for (const [deviceIndex, hubIndex] of graph.edges) this.#join(this.devices[deviceIndex], this.hubs[hubIndex]);
  }

  /** A device commits on top of its tip, `ms` from now. */
  commit(index: number, ms: number): void {
    this.#after(ms, () => {
      const device = this.devices[index];
      if (device !== undefined) this.#move(device, this.#add(`${device.name} ${this.now} ${this.#order}`, [device.tip]));
    });
  }

  /** Every device hears from all its hubs. */
  contactAll(): void {
    for (const { sites } of this.devices) for (const site of sites) this.#tell(site, { type: 'contact' });
  }

  /** Until nothing is left to do. @returns false when that is not within `limit` steps */
  run(limit = 400_000): boolean {
    for (let steps = 0; steps < limit; steps += 1) {
      const next = this.#next();
      if (next === undefined) return true;
      this.now = Math.max(this.now, next.at);
      next.run();
    }
    return false;
  }

  /** The tips of all devices and hubs, each once. */
  tips(): ReadonlySet<Oid | undefined> {
    return new Set([...this.devices.map(({ tip }) => tip), ...this.hubs.map(({ refs }) => refs.get(MAIN))]);
  }

  contains(newer: Oid, older: Oid): boolean {
    return this.#commits.get(newer)?.ancestors.has(older) ?? false;
  }

  #join(device: Device | undefined, hub: Hub | undefined): void {
    if (device === undefined || hub === undefined) throw new Error('no such device or hub');
    const machine = new HubMachine({ mode: 'both', prefix: `refs/heads/synced/${device.name}/` });
    const site: Site = { device, hub, machine, wake: undefined };
    device.sites.push(site);
    hub.sites.push(site);
    this.#tell(site, { type: 'ours', ...this.#ours(site) });
  }

  #add(text: string, parents: readonly Oid[], isAutomatic = false): Oid {
    const oid = oidOf(text);
    const ancestors = new Set([oid, ...parents.flatMap((parent) => [...(this.#commits.get(parent)?.ancestors ?? [])])]);
    this.#commits.set(oid, { ancestors, solids: isAutomatic ? parents : [oid] });
    return oid;
  }

  #ours({ device, machine }: Site): { readonly tips: Map<RefName, Oid>; readonly contained: Map<RefName, Oid> } {
    const there = machine.hub.get(MAIN);
    const isContained = there !== undefined && this.contains(device.tip, there);
    return { tips: new Map([[MAIN, device.tip]]), contained: new Map(isContained ? [[MAIN, there]] : []) };
  }

  #move(device: Device, tip: Oid): void {
    if (device.tip === tip) return;
    device.tip = tip;
    for (const site of device.sites) this.#tell(site, { type: 'ours', ...this.#ours(site) });
  }

  #tell(site: Site, fact: HubFact): void {
    for (const intention of site.machine.receive(fact, this.now, this.#random)) this.#carryOut(site, intention);
    site.wake = site.machine.wakeAt;
  }

  #carryOut(site: Site, intention: HubIntention): void {
    if (intention.type === 'consider') return this.#consider(site, intention.refs);
    if (intention.type === 'announce') {
      for (const other of site.hub.sites) if (other !== site) this.#after(this.#delay(), () => this.#tell(other, { type: 'told' }));
      return;
    }
    this.#after(this.#delay(), () => {
      const fact: HubFact = intention.type === 'push' ? { type: 'pushed', results: this.#push(site.hub, intention.updates) } : { type: 'fetched', refs: new Map(site.hub.refs) };
      const isLost = this.#random() < this.failing;
      this.#after(this.#delay(), () => this.#tell(site, isLost ? { type: 'failed', trouble: { kind: 'passing', words: 'lost' } } : fact));
    });
  }

  #push(hub: Hub, updates: readonly HubUpdate[]): Map<RefName, PushResult> {
    this.pushes += 1;
    const results = new Map<RefName, PushResult>();
    for (const { ref, from, to, isOwn } of updates) {
      const there = hub.refs.get(ref);
      const isForward = there === undefined || (to !== undefined && this.contains(to, there));
      const isTaken = isOwn ? there === from : isForward;
      results.set(ref, isTaken ? 'done' : 'stale');
      if (!isTaken) this.refused += 1;
      else if (to === undefined) hub.refs.delete(ref);
      else hub.refs.set(ref, to);
    }
    return results;
  }

  /** A fetch brings the objects, so what the refs were then is joined, one after another. */
  #consider(site: Site, refs: ReadonlyMap<RefName, Oid>): void {
    let { tip } = site.device;
    for (const [ref, oid] of refs) {
      const solids = ref === MAIN ? [oid] : (this.#commits.get(oid)?.solids ?? []);
      tip = this.#joined(tip, { oid, solids });
    }
    this.#move(site.device, tip);
    this.#after(1, () => this.#tell(site, { type: 'considered', ...this.#ours(site) }));
  }

  #joined(oid: Oid, theirs: { readonly oid: Oid; readonly solids: readonly Oid[] }): Oid {
    const ours = { oid, solids: this.#commits.get(oid)?.solids ?? [] };
    const candidates = joinCandidates(ours, theirs, () => false);
    const maximal = candidates.filter((one) => !candidates.some((other) => other !== one && this.contains(other, one)));
    const joined = decideJoin(ours, theirs, maximal);
    if (joined.do === 'keep') return oid;
    if (joined.do === 'move') return joined.to;
    this.merges += 1;
    return this.#add(`merge ${joined.parents.join(' ')}`, joined.parents, true);
  }

  #delay(): number {
    return Math.round(20 + this.#random() * 400);
  }

  #after(ms: number, run: () => void): void {
    this.#order += 1;
    this.#queue.push({ at: this.now + ms, order: this.#order, run });
  }

  #next(): { readonly at: number; readonly run: () => void } | undefined {
    const [first] = this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
    const waking = this.devices.flatMap(({ sites }) => sites).filter(({ wake }) => wake !== undefined);
    const site = waking.sort((a, b) => (a.wake ?? 0) - (b.wake ?? 0))[0];
    if (site?.wake !== undefined && (first === undefined || site.wake <= first.at)) return { at: site.wake, run: () => this.#tell(site, { type: 'time' }) };
    if (first !== undefined) this.#queue.shift();
    return first;
  }
}
