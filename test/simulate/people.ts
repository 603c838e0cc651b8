// What people do with their branches, on any device at any time. Rule: what a person moved away from is remembered as left on purpose, and
// nothing else is.

import { parseRefName } from '../../src/lib/names.ts';
import type { Oid, RefName } from '../../src/lib/names.ts';
import type { SimDevice } from './device.ts';
import type { World } from './world.ts';

const MAIN = parseRefName('refs/heads/main');
const NAMES = ['side', 'topic', 'fix'].map((name) => parseRefName(`refs/heads/${name}`));

type Act = 'commit' | 'amend' | 'rebase' | 'reset' | 'take' | 'merge' | 'branch';
type Shares = readonly (readonly [kind: Act, share: number])[];

/** How many acts of each kind are done, of a hundred. */
const USUAL: Shares = [['commit', 55], ['amend', 13], ['rebase', 9], ['reset', 8], ['take', 5], ['merge', 6], ['branch', 4]];
/** By people who never leave anything as it is. */
const RESTLESS: Shares = [['commit', 25], ['amend', 15], ['rebase', 10], ['reset', 30], ['take', 14], ['merge', 3], ['branch', 3]];

/** Everybody who works in a world. */
export class People {
  readonly #world: World;
  readonly #acts: Shares;
  /** `ref oid` of every commit that a person took back after it was left. */
  readonly taken = new Set<string>();
  /** `ref oid` of every commit that a person moved away from. */
  readonly left = new Set<string>();
  /** Where each person's commit was made. */
  readonly made: { readonly ref: RefName; readonly oid: Oid }[] = [];
  /** Moves other than forward. */
  rewrites = 0;
  acts = 0;

  constructor(world: World, isRestless = false) {
    this.#world = world;
    this.#acts = isRestless ? RESTLESS : USUAL;
  }

  /** The first commit of all, which everybody has cloned. */
  found(devices: readonly SimDevice[]): void {
    const root = this.#world.commits.make([]);
    for (const { disk } of devices) disk.branches.set(MAIN, root);
    this.made.push({ ref: MAIN, oid: root });
  }

  /** Somebody does something on this device. */
  act(device: SimDevice): void {
    const { draw } = this.#world;
    const refs = [...device.disk.branches.keys()];
    const ref = draw.hasLuck(0.8) ? MAIN : draw.pick(refs);
    const tip = device.disk.branches.get(ref);
    if (tip === undefined) return;
    this.acts += 1;
    const drawn = draw.below(100);
    let sum = 0;
    const [kind] = this.#acts.find(([, share]) => (sum += share) > drawn) ?? (['commit'] as const);
    this.#do(device, ref, { kind, tip });
  }

  /** Somebody commits on the main branch. */
  commit(device: SimDevice): void {
    const tip = device.disk.branches.get(MAIN);
    if (tip !== undefined) this.#do(device, MAIN, { kind: 'commit', tip });
  }

  #do(device: SimDevice, ref: RefName, { kind, tip }: { readonly kind: Act; readonly tip: Oid }): void {
    const { commits, draw } = this.#world;
    switch (kind) {
      case 'commit':
        return this.#move(device, ref, this.#make(ref, [tip]));
      case 'amend':
        return commits.parents(tip).length === 0 ? undefined : this.#move(device, ref, this.#make(ref, commits.parents(tip)));
      case 'rebase':
        return this.#rebase(device, ref, tip);
      case 'reset':
        return this.#move(device, ref, this.#back(tip, 1 + draw.below(3)));
      case 'take':
        return this.#move(device, ref, this.#other(device, ref) ?? tip);
      case 'merge': {
        const other = this.#other(device, ref);
        const isNeeded = other !== undefined && !commits.isWithin(other, tip);
        return isNeeded ? this.#move(device, ref, commits.isWithin(tip, other) ? other : this.#make(ref, [tip, other])) : undefined;
      }
      case 'branch': {
        const name = draw.pick(NAMES);
        if (device.disk.branches.has(name)) return;
        return this.#move(device, name, this.#make(name, [tip]));
      }
    }
  }

  /** The last commits once more, on another base. */
  #rebase(device: SimDevice, ref: RefName, tip: Oid): void {
    const { draw } = this.#world;
    const depth = 1 + draw.below(3);
    const base = draw.hasLuck(0.5) ? this.#other(device, ref) : undefined;
    let onto = base ?? this.#back(tip, depth + 1);
    for (let done = 0; done < depth; done += 1) onto = this.#make(ref, [onto]);
    this.#move(device, ref, onto);
  }

  /** A tip of that branch from elsewhere, or one that was left before. */
  #other(device: SimDevice, ref: RefName): Oid | undefined {
    const { draw } = this.#world;
    const tips = [...device.disk.maps.values()].flatMap(({ refs }) => refs.get(ref) ?? []);
    const left = (device.disk.left.get(ref) ?? []).map(({ from }) => from);
    const all = draw.hasLuck(0.3) && left.length > 0 ? left : tips;
    return all.length === 0 ? undefined : draw.pick(all);
  }

  #back(tip: Oid, steps: number): Oid {
    let at = tip;
    for (let done = 0; done < steps; done += 1) at = this.#world.commits.parents(at)[0] ?? at;
    return at;
  }

  #make(ref: RefName, parents: readonly Oid[]): Oid {
    const oid = this.#world.commits.make(parents);
    this.made.push({ ref, oid });
    return oid;
  }

  #move(device: SimDevice, ref: RefName, to: Oid): void {
    const { commits } = this.#world;
    const from = device.disk.branches.get(ref);
    if (from === to) return;
    device.disk.branches.set(ref, to);
    this.#world.movedAt = this.#world.now;
    for (const oid of commits.list(to, from)) if (this.left.has(`${ref} ${oid}`)) this.taken.add(`${ref} ${oid}`);
    if (from !== undefined && !commits.isWithin(from, to)) {
      this.rewrites += 1;
      for (const oid of commits.list(from, to)) this.left.add(`${ref} ${oid}`);
      device.disk.left.set(ref, [...(device.disk.left.get(ref) ?? []), { from, to }].slice(-50));
    }
    if (device.isRunning) device.hint();
  }
}
