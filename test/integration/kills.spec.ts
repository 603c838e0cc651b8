// Kills at a few seeded moments; `npm run soak -- --kills 100` is the long run.

import { describe, expect, it } from 'vitest';
import { planKills, runKills } from '../soak/kills.ts';

describe('three devices and a hub', () => {
  it('end at one commit, sound and whole, each time an agent and its git processes were killed at work', async () => {
    const lines: string[] = [];
    const result = await runKills({ kills: 8, seed: 5, say: (line) => lines.push(line) });
    expect(result.wrong, lines.join('\n')).toEqual([]);
    expect(result.kills).toBe(8);
    expect(result.processes).toBeGreaterThan(0);
  });
});

describe('planKills', () => {
  it('plans the same for the same seed, every device and every kind of kill among a hundred', () => {
    const plan = planKills(1, { kills: 100, devices: 3 });
    expect(planKills(1, { kills: 100, devices: 3 })).toEqual(plan);
    expect(planKills(2, { kills: 100, devices: 3 })).not.toEqual(plan);
    expect(new Set(plan.map(({ what }) => what)).size).toBe(3);
    expect(new Set(plan.map(({ victim }) => victim)).size).toBe(3);
  });
});
