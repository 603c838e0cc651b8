// What repositories share when they offer to one peer. Rule: few at once, none for ever, and one refusal counts for all.

import { describe, expect, it } from 'vitest';
import { Offering } from '../../../src/agent/offering.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const laptop = makePeer('laptop').device;
const phone = makePeer('phone').device;
const tower = makePeer('tower').device;

describe('turns of offers', () => {
  it('are four for each peer at once', async () => {
    const offering = new Offering(new VirtualClock());
    const began: string[] = [];
    const begin = async (peer: typeof laptop, name: string): Promise<() => void> => {
      const giveBack = await offering.turn(peer);
      began.push(name);
      return giveBack;
    };
    const first = ['a', 'b', 'c', 'd', 'e'].map((name) => begin(laptop, name));
    await begin(phone, 'other');
    await turnOver();
    expect(began.toSorted()).toEqual(['a', 'b', 'c', 'd', 'other']);
    (await first[0])?.();
    await first[4];
    expect(began).toContain('e');
  });

  it('end by themselves, so that a long transfer holds up no other repository', async () => {
    const clock = new VirtualClock();
    const offering = new Offering(clock);
    for (let count = 0; count < 4; count += 1) await offering.turn(laptop);
    let isIn = false;
    void offering.turn(laptop).then(() => (isIn = true));
    clock.advance(19_000);
    await turnOver();
    expect(isIn).toBe(false);
    clock.advance(2_000);
    await turnOver();
    expect(isIn).toBe(true);
  });
});

describe('a peer that has no use for the maps of a device', () => {
  it('is not offered one in any repository, until it names that device itself', () => {
    const offering = new Offering(new VirtualClock());
    expect(offering.isUnwanted(laptop, tower)).toBe(false);
    offering.refused(laptop, tower);
    expect(offering.isUnwanted(laptop, tower)).toBe(true);
    expect(offering.isUnwanted(phone, tower)).toBe(false);
    const { id, name } = makeSharedRepo('notes');
    offering.heard(laptop, { repos: [{ repo: id, name, maps: new Map([[phone, 1]]) }] });
    expect(offering.isUnwanted(laptop, tower)).toBe(true);
    offering.heard(laptop, { repos: [{ repo: id, name, maps: new Map([[tower, 1]]) }] });
    expect(offering.isUnwanted(laptop, tower)).toBe(false);
  });
});

function turnOver(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
