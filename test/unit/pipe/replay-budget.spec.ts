// The agent's bound.

import { describe, expect, it } from 'vitest';
import { REPLAY_TOTAL, ReplayBudget } from '../../../src/pipe/replay-budget.ts';

describe('ReplayBudget', () => {
  it('is 64 MiB for the agent, and counts what is reserved and released', () => {
    const budget = new ReplayBudget();
    expect(budget.freeBytes).toBe(REPLAY_TOTAL);
    budget.reserve(10);
    budget.release(4);
    expect(budget.freeBytes).toBe(64 * 1024 * 1024 - 6);
  });
});
