// The simulator in small: seeds enough to tell a right engine from a spoilt one. `npm run simulate` is the same with more.

import { describe, expect, it } from 'vitest';
import { DECISIONS } from '../simulate/decisions.ts';
import { afterCommit } from '../simulate/live.ts';
import { join as pair, makeDevice } from '../simulate/map.ts';
import type { Graph } from '../simulate/map.ts';
import { People } from '../simulate/people.ts';
import { MERGE, simulate } from '../simulate/simulate.ts';
import type { SimulationOptions } from '../simulate/simulate.ts';
import { spoil } from '../simulate/spoil.ts';
import type { Spoiling } from '../simulate/spoil.ts';
import { World } from '../simulate/world.ts';

/** What is wrong in the first of these seeds that has something wrong; nothing where all are right. */
function firstWrong(options: Omit<SimulationOptions, 'seed'>, seeds: number, first = 1): readonly string[] {
  for (let seed = first; seed < first + seeds; seed += 1) {
    try {
      const { wrong } = simulate({ ...options, seed });
      if (wrong.length > 0) return [`seed ${seed}`, ...wrong];
    } catch (error) {
      return [`seed ${seed}`, String(error)];
    }
  }
  return [];
}

describe('a simulation', () => {
  it.each([
    { kind: 'few devices', devices: 3, seeds: 30 },
    { kind: 'several devices', devices: 8, seeds: 30 },
    { kind: 'hubs and two kinds of git', devices: 8, seeds: 30, isHard: true },
    { kind: 'restless people', devices: 8, seeds: 30, isRestless: true },
    { kind: 'mixed policies', devices: 10, seeds: 20, isMixed: true },
    { kind: 'many devices', devices: 40, seeds: 5 },
  ])('of $kind ends as it must', ({ seeds, ...options }) => {
    expect(firstWrong(options, seeds)).toEqual([]);
  });

  it('is the same every time it is run from one seed, and another from another', () => {
    const [one, again, other] = [7, 7, 8].map((seed) => simulate({ seed, devices: 8 }));
    expect(again).toEqual(one);
    expect(other?.events).not.toBe(one?.events);
  });

  it('holds what it is about: rewrites, merges, lost messages, hubs', () => {
    const results = [1, 2, 3, 4, 5, 6].map((seed) => simulate({ seed, devices: 12 }));
    const sum = (of: (result: (typeof results)[number]) => number): number => results.reduce((total, result) => total + of(result), 0);
    expect(sum(({ rewrites }) => rewrites)).toBeGreaterThan(10);
    expect(sum(({ merges }) => merges)).toBeGreaterThan(20);
    expect(sum(({ hubs }) => hubs)).toBeGreaterThan(2);
    expect(sum(({ counts }) => counts.announcements)).toBeGreaterThan(50);
  });
});

const engine = (from: string, to: string): Spoiling => ({ file: 'engine.ts', from, to });
const join = (from: string, to: string): Spoiling => ({ file: 'join.ts', from, to });
const left = (from: string, to: string): Spoiling => ({ file: 'left-format.ts', from, to });

const SPOILT: readonly (readonly [what: string, spoiling: Spoiling])[] = [
  ['offers nothing after a map was accepted', engine("return [{ type: 'consider', device }, ...this.#offerAll()];", "return [{ type: 'consider', device }];")],
  ['considers nothing that was accepted', engine("return [{ type: 'consider', device }, ...this.#offerAll()];", 'return this.#offerAll();')],
  ['offers nothing that was published', engine('return [...this.#offerAll(), ...this.#announce()];', 'return this.#announce();')],
  ['announces nothing', engine('return [...this.#offerAll(), ...this.#announce()];', 'return this.#offerAll();')],
  ['publishes nothing', engine("return [{ type: 'publish' }];", 'return [];')],
  ['offers nothing on contact', engine('for (const device of maps.keys()) state.unwanted.delete(device);', 'return [];')],
  ['offers nothing after an answer', engine('state.unanswered = Math.max(0, state.unanswered - 1);', 'return [];')],
  ['takes an older map for news', engine('if (counter <= (this.#maps.get(device) ?? 0) ||', 'if (counter > (this.#maps.get(device) ?? 0) ||')],
  ['offers what a peer holds, and not what it lacks', engine('if (counter <= (state.holds?.get(device) ?? 0)) return false;', 'if (counter > (state.holds?.get(device) ?? 0)) return false;')],
  ['offers older maps than the refused one', engine(' <= (state.refused.get(device) ?? 0);', ' >= (state.refused.get(device) ?? 0);')],
  ['forgets what was delivered', engine('Math.max(counter, state.holds.get(device) ?? 0)', 'Math.min(counter, state.holds.get(device) ?? 0)')],
  ['relays nothing', engine('device !== peer && this.#isRelaying()', 'device !== peer && !this.#isRelaying()')],
  ['keeps an offer for under way for ever', engine('if (state.offering?.device === device) state.offering = undefined;', '')],
  ['joins what was left, and not what was kept', join('union.filter((oid) => !isLeft(oid))', 'union.filter((oid) => isLeft(oid))')],
  ['never falls back to what was left', join('kept.length === 0 ? union : kept', 'kept')],
  ['always falls back to what was left', join('kept.length === 0 ? union : kept', 'union')],
  ['keeps ours though theirs is smaller', join('isAll(theirs) && theirs.oid < ours.oid', 'isAll(theirs) && theirs.oid === ours.oid')],
  ['takes theirs for the whole where it is not', join('if (isAll(theirs)) return', 'if (!isAll(theirs)) return')],
  ['merges one commit, and moves to the first of several', join('return parents.length === 1 && only', 'return parents.length !== 1 && only')],
  ['knows no rival', join('return ours.oid !== hub.oid && ours.solids.length > 1 &&', 'return ours.oid === hub.oid && ours.solids.length > 1 &&')],
  ['lets the earlier mark count', left(': a.stamp > b.stamp;', ': a.stamp < b.stamp;')],
  ['marks nothing back', left('...move.back.filter((oid) => isLeft(book, ref, oid)), ', '')],
  ['marks nothing left', left('...move.left.map((oid) => ({ ref, oid, stamp: stampOf(oid), isLeft: true })),', '')],
  ['holds nothing for held', left('?.isLeft === false;', '?.isLeft === undefined && false;')],
  ['moves nothing of an own device', { file: 'plan.ts', from: "facts.isOwnDevice || policy.mergeFrom === 'all'", to: "facts.isOwnDevice && policy.mergeFrom === 'all'" }],
  ['follows where it should join', { file: 'plan.ts', from: "?? { do: 'join' };", to: "?? { do: 'fast-forward' };" }],
  ['pushes to hubs without a pause', { file: 'hub-pace.ts', from: '  if (pace.refusals > 0) return', to: '  if (pace.refusals >= 0) return 0;\n  if (pace.refusals > 0) return' }],
  ['has no patience with merges that say nothing new', { file: 'hub-pace.ts', from: 'isIdle ? pace.idle + 1 : 0', to: 'isIdle ? 0 : 0' }],
  ['considers nothing of a hub', { file: 'hub-machine.ts', from: 'this.#branches.setHub(refs, now);', to: 'this.#isBusy = false; return [];' }],
];

/** A quiet world in which these pairs of devices talk to one another. */
function quietWorld(count: number, pairs: readonly (readonly [number, number])[]): { readonly world: World; readonly graph: Graph; readonly people: People } {
  const world = new World(1, DECISIONS);
  const devices = Array.from({ length: count }, (_none, index) => makeDevice(world, index, { policy: MERGE, git: 0 }));
  for (const [a, b] of pairs) {
    const [one, other] = [devices[a], devices[b]];
    if (one !== undefined && other !== undefined) pair(one, other);
  }
  const people = new People(world);
  people.found(devices);
  for (const device of devices) device.start();
  world.settle(1e6);
  return { world, graph: { devices, lines: [], hubs: [] }, people };
}

const star = (leaves: number): [number, number][] => Array.from({ length: leaves }, (_none, index) => [0, index + 1]);
const ring = (count: number): [number, number][] => Array.from({ length: count }, (_none, index) => [index, (index + 1) % count]);
const line = (count: number): [number, number][] => ring(count).slice(1).map(([a, b]) => [a - 1, b === 0 ? a : b - 1]);
const mesh = (count: number): [number, number][] => Array.from({ length: count * count }, (_none, index) => [Math.floor(index / count), index % count]);

/** Offers that one commit on device `at` costs. */
function offersOf(count: number, pairs: [number, number][], at: number): number {
  const { world, graph, people } = quietWorld(count, pairs);
  const device = graph.devices[at];
  if (device === undefined) throw new Error('no such device');
  // The first one finds out who has no use for whose maps.
  expect(afterCommit(world, graph, { people, device })).toEqual([]);
  const before = world.counts.offers;
  expect(afterCommit(world, graph, { people, device })).toEqual([]);
  return world.counts.offers - before;
}

describe('one commit in a quiet world', () => {
  it.each([
    ['a line of 12', 12, line(12)],
    ['a ring of 9', 9, ring(9)],
    ['a star of 20', 21, star(20)],
    ['seven that all know one another', 7, mesh(7)],
  ])('is on every device after at most two maps of each, without a digest: %s', (_what, count, pairs) => {
    for (const at of [0, count - 1]) offersOf(count, pairs, at);
  });

  it('costs a number of messages that grows as the number of peers does, from the middle of a star and from a leaf', () => {
    for (const at of [0, 1]) {
      const [some, more] = [10, 40].map((leaves) => offersOf(leaves + 1, star(leaves), at)) as [number, number];
      expect(some).toBeLessThanOrEqual(3 * 10);
      expect(more).toBeLessThanOrEqual(3 * 40);
    }
  });

  it('makes each device of a line pass on each map once', () => {
    expect(offersOf(12, line(12), 0)).toBeLessThanOrEqual(2 * 11);
  });
});

describe('a spoilt engine is caught', () => {
  it.each(SPOILT)('when it %s', async (_what, spoiling) => {
    const decisions = await spoil(spoiling);
    const tries = [
      { devices: 6, seeds: 6 },
      { devices: 10, seeds: 10, isRestless: true },
      // In these, hubs hold what other gits write otherwise, and lead one another on.
      { devices: 6, seeds: 6, first: 39, isHard: true },
      { devices: 12, seeds: 2, first: 21, isHard: true },
      { devices: 10, seeds: 20 },
      // Two hubs whose users hear of one another only by the half-hourly look.
      { devices: 40, seeds: 1, first: 33, isMixed: true },
    ];
    const caught = tries.some(({ seeds, first, ...options }) => firstWrong({ ...options, decisions }, seeds, first).length > 0);
    expect(caught).toBe(true);
  });

  it('only where there is something to spoil', async () => {
    await expect(spoil(engine('no such line', ''))).rejects.toThrow(/does not hold exactly once/);
  });
});
