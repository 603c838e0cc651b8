// Hubs: bare repositories that run nothing, and each device's side of them. Rule: a hub goes forward only, but for the refs that are one
// device's alone; when to do what is judged by src/sync/hub-machine.ts.

import { parseRefName } from '../../src/lib/names.ts';
import type { DeviceId, Oid, RefName } from '../../src/lib/names.ts';
import type { HubFact, HubIntention, HubMachine, HubRefs, HubUpdate, PushResult } from '../../src/sync/hub-machine.ts';
import type { Source } from './branches.ts';
import type { SimDevice } from './device.ts';
import type { World } from './world.ts';

const NETWORK = { kind: 'passing', words: 'no network' } as const;

/** An ordinary remote. */
export class Hub {
  readonly name: string;
  readonly refs = new Map<RefName, Oid>();
  /** The devices that have it as a remote. */
  readonly sides: HubSide[] = [];
  isUp = true;
  readonly #world: World;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  /** Milliseconds that a fetch or a push takes. */
  get time(): number {
    return this.#world.draw.between(100, 2_000);
  }

  /** `git push`: each update by itself, as `receive.denyNonFastForwards` and a lease have it. */
  push(updates: readonly HubUpdate[]): Map<RefName, PushResult> {
    return new Map(updates.map((update) => [update.ref, this.#update(update)]));
  }

  #update({ ref, from, to, isOwn }: HubUpdate): PushResult {
    const held = this.refs.get(ref);
    const isForward = held === undefined || (to !== undefined && this.#world.commits.isWithin(held, to));
    if (isOwn ? held !== from : !isForward) return 'stale';
    if (to === undefined) this.refs.delete(ref);
    else this.refs.set(ref, to);
    return 'done';
  }
}

/** One device's side of one hub, for one life of its agent after another. */
export class HubSide {
  readonly #device: SimDevice;
  readonly hub: Hub;
  readonly #prefix: string;
  #machine: HubMachine | undefined;
  #wake = 0;

  constructor(device: SimDevice, hub: Hub) {
    this.#device = device;
    this.hub = hub;
    this.#prefix = `refs/heads/synced/${nameOf(device.id)}/`;
    hub.sides.push(this);
  }

  get device(): SimDevice {
    return this.#device;
  }

  /** The agent starts: what it knew of the hub is gone. */
  start(): void {
    const { HubMachine: Machine } = this.#device.world.decisions;
    this.#machine = new Machine({ mode: 'both', prefix: this.#prefix });
    this.looked();
    this.tell({ type: 'contact' });
  }

  stop(): void {
    this.#machine = undefined;
  }

  /** Branches here were looked at. */
  looked(): void {
    this.tell({ type: 'ours', ...this.#ours() });
  }

  tell(fact: HubFact): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    const { world } = this.#device;
    const intentions = machine.receive(fact, world.now, world.draw.unit);
    for (const intention of intentions) this.#carryOut(intention);
    if (this.#machine === machine) this.#plan(machine.wakeAt);
  }

  #plan(at: number | undefined): void {
    const wake = (this.#wake += 1);
    const { world } = this.#device;
    if (at !== undefined) this.#device.after(Math.max(1, at - world.now), () => void (wake === this.#wake && this.tell({ type: 'time' })));
  }

  #carryOut(intention: HubIntention): void {
    switch (intention.type) {
      case 'fetch':
        return this.#ask(() => new Map(this.hub.refs), (refs) => this.tell({ type: 'fetched', refs }));
      case 'push':
        return this.#ask(() => this.hub.push(intention.updates), (results) => this.tell({ type: 'pushed', results }));
      case 'consider':
        return this.#consider(intention.refs);
      case 'announce':
        return this.#announce();
    }
  }

  /** A command of git, which may fail before or after it did something. */
  #ask<T>(run: () => T, done: (result: T) => void): void {
    const { world } = this.#device;
    world.counts.hub += 1;
    const mayFail = (): boolean => !this.hub.isUp || world.draw.hasLuck(world.trouble / 2);
    this.#device.after(this.hub.time / 2, () => {
      if (mayFail()) return this.tell({ type: 'failed', trouble: NETWORK });
      const result = run();
      this.#device.after(this.hub.time / 2, () => (mayFail() ? this.tell({ type: 'failed', trouble: NETWORK }) : done(result)));
    });
  }

  /** In its turn: between what was fetched and what is moved, something else may happen. */
  #consider(refs: HubRefs): void {
    this.#device.after(1, () => {
      for (const source of this.#sources(refs)) if (this.#machine !== undefined) this.#device.consider(source);
      this.tell({ type: 'considered', ...this.#ours() });
    });
  }

  /** The hub's branches, and what each other device has there. */
  #sources(refs: HubRefs): Source[] {
    const branches = new Map<RefName, Oid>();
    const others = new Map<string, Map<RefName, Oid>>();
    for (const [ref, oid] of refs) {
      const [, name, branch] = /^refs\/heads\/synced\/([^/]+)\/(.+)$/.exec(ref) ?? [];
      if (name === undefined || branch === undefined) branches.set(ref, oid);
      else if (!ref.startsWith(this.#prefix)) others.set(name, (others.get(name) ?? new Map<RefName, Oid>()).set(parseRefName(`refs/heads/${branch}`), oid));
    }
    const id = `hub:${this.hub.name}` as const;
    const synced = [...others].map(([name, tips]) => ({ id: `synced:${this.hub.name}/${name}` as const, refs: tips, isOwn: true, isHub: false }));
    return [{ id, refs: branches, isOwn: true, isHub: true }, ...synced];
  }

  /** Those who have the hub too, and are paired, fetch it. */
  #announce(): void {
    const { lines, world } = this.#device;
    for (const { line, to } of lines.values()) {
      world.counts.announcements += 1;
      const side = this.hub.sides.find(({ device }) => device === to);
      if (side !== undefined) line.say(to, () => side.tell({ type: 'told' }));
    }
  }

  #ours(): { readonly tips: HubRefs; readonly contained: HubRefs; readonly automatic: ReadonlySet<RefName>; readonly idle: ReadonlySet<RefName> } {
    const { disk, world } = this.#device;
    const tips = this.#device.ours ?? disk.branches;
    const held = [...(this.#machine?.hub ?? [])].filter(([ref, oid]) => {
      const tip = tips.get(ref);
      return tip !== undefined && world.commits.isWithin(oid, tip);
    });
    const automatic = new Set([...tips].filter(([, oid]) => world.commits.isAutomatic(oid)).map(([ref]) => ref));
    const idle = new Set([...automatic].filter((ref) => {
      const [ours, theirs] = [tips.get(ref), this.#machine?.hub.get(ref)];
      return ours !== undefined && theirs !== undefined && !world.commits.hasNews(ours, theirs);
    }));
    return { tips, contained: new Map(held), automatic, idle };
  }
}

function nameOf(device: DeviceId): string {
  return `device-${device.slice(0, 12)}`;
}
