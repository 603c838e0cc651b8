import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HubNetwork } from '../helpers/hub-network.ts';

/** A connected graph of devices and hubs, when each device commits, and the seed of all delays. */
const network = fc.record({ devices: fc.integer({ min: 2, max: 8 }), hubs: fc.integer({ min: 1, max: 4 }) }).chain(({ devices, hubs }) =>
  fc.record({
    devices: fc.constant(devices),
    hubs: fc.constant(hubs),
    more: fc.array(fc.tuple(fc.nat(devices - 1), fc.nat(hubs - 1)), { maxLength: 12 }),
    links: fc.array(fc.nat(hubs - 1), { minLength: devices, maxLength: devices }),
    commits: fc.array(fc.tuple(fc.nat(devices - 1), fc.nat(30_000)), { minLength: 1, maxLength: 20 }),
    seed: fc.nat(),
    failing: fc.constantFrom(0, 0, 0.1, 0.4),
  }),
);

type Drawn = typeof network extends fc.Arbitrary<infer T> ? T : never;

function build({ devices, hubs, more, links, seed }: Drawn): HubNetwork {
  // The first device serves every hub, so that all are connected.
  const all = [...Array.from({ length: hubs }, (_none, hub) => [0, hub] as const), ...links.map((hub, device) => [device, hub] as const), ...more];
  const edges = [...new Map(all.map((edge) => [edge.join(' '), edge])).values()];
  return new HubNetwork({ devices, hubs, edges }, seed);
}

describe('HubMachine, many of them', () => {
  it('bring the branch to the same commit at every hub and device, and are silent then', () => {
    let merges = 0;
    fc.assert(
      fc.property(network, (drawn) => {
        const net = build(drawn);
        net.failing = drawn.failing;
        net.contactAll();
        for (const [device, ms] of drawn.commits) net.commit(device, ms);
        expect(net.run(60_000)).toBe(true);
        expect(net.tips().size).toBe(1);
        merges += net.merges;
      }),
      { numRuns: 150 },
    );
    expect(merges).toBeGreaterThan(0);
  });

  it('do not chase one another for ever where 12 devices serve the same 12 hubs', () => {
    const numbers = Array.from({ length: 12 }, (_none, index) => index);
    const net = new HubNetwork({ devices: 12, hubs: 12, edges: numbers.flatMap((device) => numbers.map((hub) => [device, hub] as const)) }, 2);
    net.contactAll();
    for (const device of numbers) for (const ms of [0, 4_000, 9_000]) net.commit(device, ms + device * 150);
    expect(net.run()).toBe(true);
    expect(net.tips().size).toBe(1);
    expect(net.refused).toBeLessThan(net.pushes / 10);
  });
});
