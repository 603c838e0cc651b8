// A short soak of the tunnel with a fixed seed; `npm run soak` is the long one.

import { describe, expect, it } from 'vitest';
import { planFaults } from '../soak/faults.ts';
import { runSoak } from '../soak/tunnel.ts';

describe('the tunnel', () => {
  it('ends every push right through twenty seconds of faults and two restarts of the server', async () => {
    const lines: string[] = [];
    const result = await runSoak({ seconds: 20, seed: 3, carrier: 'in-band', say: (line) => lines.push(line) });
    expect(result.wrong, lines.join('\n')).toEqual([]);
    expect(result.resumed).toBeGreaterThan(0);
    expect(Math.min(result.commits, result.commands)).toBeGreaterThan(0);
  });
});

describe('planFaults', () => {
  it('plans the same for the same seed, and every kind of fault within ten minutes', () => {
    const plan = planFaults(1, 600_000, ['laptop', 'desktop']);
    expect(planFaults(1, 600_000, ['laptop', 'desktop'])).toEqual(plan);
    expect(planFaults(2, 600_000, ['laptop', 'desktop'])).not.toEqual(plan);
    expect(new Set(plan.map(({ kind }) => kind)).size).toBe(8);
    expect(new Set(plan.map(({ place }) => place)).size).toBe(2);
  });
});
