// The fuzzer in small: every reader of outside bytes, and the fuzzer itself against readers that are broken.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputFault } from '../../src/lib/errors.ts';
import { fuzz } from '../fuzz/run.ts';
import { target } from '../fuzz/target.ts';
import { TARGETS } from '../fuzz/targets/index.ts';

/** Their inputs are challenges that are refused before the costly part, so none is read to its end. */
const REFUSES_ALL = ['SCRAM challenge', 'SCRAM signature'];

describe('spoiled input', () => {
  it.each(TARGETS.map(({ name, check }) => ({ name, check })))('is read or refused in words: $name', async ({ name, check }) => {
    const read = await check(300, 20_261_125);
    if (!REFUSES_ALL.includes(name)) expect(read).toBeGreaterThan(0);
  });
});

describe('fuzz', () => {
  const text = fc.string({ minLength: 1, maxLength: 20 });
  const one = (run: (text: string) => unknown, maxMs?: number) => fuzz({ seconds: 5, seed: 1, batch: 200, targets: [target('reader', text, run, maxMs)] });

  it('tells of a reader that throws something other than a refusal, with the smallest input', async () => {
    const { wrong } = await one((given) => {
      if (given.length > 2) throw new TypeError('of undefined');
    });
    expect(wrong).toHaveLength(1);
    expect(wrong[0]).toMatch(/Counterexample: \["..."\][^]*of undefined/);
  });

  it('tells of a reader that takes too long', async () => {
    const { wrong } = await one((given) => {
      const until = performance.now() + (given.length > 3 ? 30 : 0);
      while (performance.now() < until);
    }, 20);
    expect(wrong.join()).toContain('took more than 20 ms');
  });

  it('counts what was tried, and what was read', async () => {
    const { wrong, counts, cases } = await fuzz({
      seconds: 0.05,
      seed: 1,
      batch: 100,
      targets: [
        target('all', text, () => 1),
        target('none', text, () => {
          throw new InputFault('it', 'is refused');
        }),
      ],
    });
    expect(wrong).toEqual([]);
    expect(counts.get('all')?.read).toBe(counts.get('all')?.tried);
    expect(counts.get('none')?.read).toBe(0);
    expect(cases).toBeGreaterThan(0);
  });
});
