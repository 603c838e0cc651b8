import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputFault } from '../../src/lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName, parseRepoId } from '../../src/lib/names.ts';
import { formatDigest, parseDigest, PROTOCOL_VERSION } from '../../src/sync/digest-format.ts';
import { planBranch } from '../../src/sync/plan.ts';
import type { BranchFacts, Policy } from '../../src/sync/plan.ts';
import { formatLacking, formatRecordedMap, parseLacking, parseRecordedMap } from '../../src/sync/record-format.ts';
import { EngineNetwork } from '../helpers/engine-network.ts';

const RUNS = { numRuns: 300 };

type Step = { readonly do: 'move' | 'cut' | 'connect' | 'run'; readonly which: number };

/** A connected graph, what happens to it, and the seed of all delays. */
const network = fc.integer({ min: 2, max: 6 }).chain((count) =>
  fc.record({
    count: fc.constant(count),
    tree: fc.tuple(...Array.from({ length: count - 1 }, (_none, index) => fc.nat(index).map((to) => [index + 1, to] as const))),
    more: fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 4 }),
    steps: fc.array(
      fc.record<Step>({ do: fc.constantFrom('move', 'move', 'cut', 'connect', 'connect', 'run', 'run', 'run'), which: fc.nat(20) }),
      { maxLength: 60 },
    ),
    seed: fc.nat(),
    isRefusing: fc.boolean(),
  }),
);

type Drawn = typeof network extends fc.Arbitrary<infer T> ? T : never;

function build({ count, tree, more, seed }: Drawn): EngineNetwork {
  const edges = new Map<string, readonly [number, number]>();
  for (const [a, b] of [...tree, ...more]) if (a !== b) edges.set(`${Math.min(a, b)} ${Math.max(a, b)}`, [a, b]);
  return new EngineNetwork(count, [...edges.values()], seed);
}

/** Everything is whole, and all compare what they hold. */
function contactAll(net: EngineNetwork): void {
  net.edges.forEach((_edge, index) => net.connect(index));
  net.run();
}

describe('Engine', () => {
  it('brings every map to every engine, whatever was cut and refused before, and is silent then', () => {
    let [offers, late] = [0, 0];
    fc.assert(
      fc.property(network, (drawn) => {
        const net = build(drawn);
        net.isRefusing = drawn.isRefusing;
        net.nodes.forEach((_node, index) => net.move(index));
        for (const step of drawn.steps) net[step.do](step.which);
        net.isRefusing = false;
        if (net.nodes.some(({ offering }) => offering.size > 0)) late += 1;
        contactAll(net);
        const expected = new Map(net.nodes.map(({ device, counter }) => [device, counter]));
        for (const { engine } of net.nodes) expect(engine.maps).toEqual(expected);
        for (const { ends } of net.edges) for (const { device } of ends) expect(ends.map(({ engine }) => engine.owed(device) ?? [])).toEqual([[], []]);
        offers += net.offers;
        net.offers = 0;
        contactAll(net);
        expect(net.offers).toBe(0);
        expect(net.complaints).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect(offers).toBeGreaterThan(1000);
    expect(late).toBeGreaterThan(20);
  });

  it('brings later moves to everybody without any more contact', () => {
    fc.assert(
      fc.property(network, fc.array(fc.nat(20), { minLength: 1, maxLength: 10 }), (drawn, moves) => {
        const net = build(drawn);
        contactAll(net);
        for (const which of moves) {
          net.move(which);
          net.run(which);
        }
        net.run();
        const expected = new Map(net.nodes.filter(({ counter }) => counter > 0).map(({ device, counter }) => [device, counter]));
        for (const { engine } of net.nodes) expect(engine.maps).toEqual(expected);
        expect(net.complaints).toEqual([]);
      }),
      RUNS,
    );
  });
});

const tip = fc.constantFrom(...'abc'.split('')).map((digit) => parseOid(digit.repeat(40)));
const facts: fc.Arbitrary<BranchFacts> = fc
  .record({
    ours: fc.option(tip, { nil: undefined }),
    theirs: fc.option(tip, { nil: undefined }),
    acted: fc.option(tip, { nil: undefined }),
    relation: fc.constantFrom('behind' as const, 'ahead' as const, 'diverged' as const),
    isOursInActed: fc.boolean(),
    wasLeft: fc.boolean(),
    isUnborn: fc.boolean(),
    isOwnDevice: fc.boolean(),
  })
  .map((drawn) => ({
    ...drawn,
    relation: drawn.ours === drawn.theirs ? ('same' as const) : drawn.relation,
    isUnborn: drawn.ours === undefined && drawn.isUnborn,
    isOursInActed: drawn.acted !== undefined && drawn.ours !== undefined && (drawn.ours === drawn.acted || drawn.isOursInActed),
  }));
const policy: fc.Arbitrary<Policy> = fc.record({
  merge: fc.constantFrom('ff', 'merge', 'none'),
  mergeFrom: fc.constantFrom('own', 'all'),
  rewrite: fc.constantFrom('follow', 'ask'),
  isFolder: fc.boolean(),
});
const MOVES = new Set(['create', 'fast-forward', 'follow', 'join', 'delete']);

describe('planBranch', () => {
  const many = { numRuns: 3000 };

  it('moves nothing under merge = none, nor for another account unless mergeFrom = all', () => {
    fc.assert(
      fc.property(facts, policy, (known, rules) => {
        const isForbidden = rules.merge === 'none' || (!known.isOwnDevice && rules.mergeFrom === 'own');
        if (isForbidden) expect(MOVES).not.toContain(planBranch(known, rules).do);
      }),
      many,
    );
  });

  it('never drops a commit that is not contained in what that device had', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(facts, policy, (known, rules) => {
        const plan = planBranch(known, rules);
        seen.add(plan.do);
        if (plan.do === 'fast-forward') expect(known.isUnborn || known.relation === 'behind').toBe(true);
        if (plan.do === 'create') expect(known.ours).toBeUndefined();
        if (plan.do === 'follow') expect(known.isOursInActed).toBe(true);
        if (plan.do === 'delete') expect(known.ours).toBe(known.acted);
      }),
      many,
    );
    expect(seen).toEqual(new Set(['nothing', 'wait', ...MOVES]));
  });

  it('never takes back what was undone, and follows no rewrite unasked under rewrite = ask', () => {
    fc.assert(
      fc.property(facts, policy, (known, rules) => {
        const plan = planBranch(known, rules);
        if (known.wasLeft) expect(['fast-forward', 'follow']).not.toContain(plan.do);
        if (rules.rewrite === 'ask') expect(plan.do).not.toBe('follow');
      }),
      many,
    );
  });
});

const hex = (digits: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: digits, maxLength: digits });
const counter = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const device = hex(32).map(parseDeviceId);
const oid = fc.oneof(hex(40), hex(64)).map(parseOid);
const name = fc.string({ unit: fc.constantFrom(...'aZ9_ü'.split('')), minLength: 1, maxLength: 20 });
const ref = fc.tuple(fc.constantFrom('heads', 'tags'), name).map(([kind, end]) => parseRefName(`refs/${kind}/${end}`));
const digest = fc.record({
  version: fc.constant(PROTOCOL_VERSION),
  repos: fc.array(
    fc.record({ repo: fc.uuid().map(parseRepoId), name, maps: fc.array(fc.tuple(device, counter), { maxLength: 5 }).map((entries) => new Map(entries)) }),
    { maxLength: 5 },
  ),
});
const recorded = fc.record({
  device,
  counter,
  signature: fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  base: fc.oneof(fc.constant(0), counter),
  changes: fc.array(fc.tuple(ref, fc.option(oid, { nil: undefined })), { maxLength: 8 }).map((entries) => new Map(entries)),
  maybe: fc.array(oid, { maxLength: 16 }),
});

/** As it comes from the wire. */
const sent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** A good value in which one field, at any depth, was replaced. */
function spoil(good: unknown, path: number, by: unknown): unknown {
  if (typeof good !== 'object' || good === null) return by;
  const entries = Object.entries(good);
  const at = path % (entries.length + 1);
  if (at === entries.length) return by;
  const changed = entries.map(([key, value], index) => [key, index === at ? spoil(value, Math.floor(path / (entries.length + 1)), by) : value] as const);
  return Array.isArray(good) ? changed.map(([, value]) => value) : Object.fromEntries(changed);
}

const anything = fc.oneof(fc.jsonValue(), fc.constantFrom(null, { toString: 1, valueOf: 1 }, [[]], '', -0, 1e300, '__proto__'));

describe.each([
  { what: 'parseDigest', parse: parseDigest, good: digest.map(formatDigest) },
  { what: 'parseRecordedMap', parse: parseRecordedMap, good: recorded.map(formatRecordedMap) },
  { what: 'parseLacking', parse: parseLacking, good: fc.array(oid, { maxLength: 16 }).map((tips) => formatLacking({ tips })) },
])('$what', ({ parse, good }) => {
  it('takes or refuses in words whatever JSON may hold', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.tuple(good, fc.nat(), anything).map(([value, path, by]) => spoil(value, path, by))), (value) => {
        try {
          parse(sent(value));
        } catch (error) {
          expect(error).toBeInstanceOf(InputFault);
        }
      }),
      { numRuns: 600 },
    );
  });
});

describe('formatDigest', () => {
  it('is read back by parseDigest', () => {
    fc.assert(
      fc.property(digest, (each) => {
        expect(parseDigest(sent(formatDigest(each)))).toEqual(each);
      }),
      RUNS,
    );
  });
});

describe('formatRecordedMap', () => {
  it('is read back by parseRecordedMap', () => {
    fc.assert(
      fc.property(recorded, (each) => {
        expect(parseRecordedMap(sent(formatRecordedMap(each)))).toEqual(each);
      }),
      RUNS,
    );
  });
});

describe('formatLacking', () => {
  it('is read back by parseLacking', () => {
    fc.assert(
      fc.property(fc.array(oid, { maxLength: 16 }), (tips) => {
        expect(parseLacking(sent(formatLacking({ tips })))).toEqual({ tips });
      }),
      RUNS,
    );
  });
});
