// What is fuzzed: something that reads bytes from outside. Rule: it returns, or refuses with a Fault; anything else thrown, or more than a second, is
// a defect. What all of them hold is bounded by the run (run.ts).

import * as fc from 'fast-check';
import { Fault } from '../../src/lib/errors.ts';

/** One reader of outside bytes. */
export interface Target {
  readonly name: string;
  /**
   * Tries `runs` inputs of `seed`.
   * @returns how many of them were read, and not refused
   * @throws an error that names the smallest input that failed
   */
  readonly check: (runs: number, seed: number) => Promise<number>;
}

/** A case takes a few microseconds; one that takes a second has work that grows with the square of its input, or worse. */
const MAX_MS = 1000;

/** @param run reads one input; what it throws must be a Fault */
export function target<Input>(name: string, input: fc.Arbitrary<Input>, run: (input: Input) => unknown, maxMs = MAX_MS): Target {
  let read = 0;
  const attempt = async (given: Input): Promise<number> => {
    const start = performance.now();
    try {
      await run(given);
      read += 1;
    } catch (error) {
      if (!(error instanceof Fault) || error.code === 'internal') throw error;
    }
    return performance.now() - start;
  };
  const property = fc.asyncProperty(input, async (given) => {
    // A machine that was busy with something else is so only once.
    if ((await attempt(given)) > maxMs && (await attempt(given)) > maxMs) throw new Error(`took more than ${maxMs} ms`);
  });
  return {
    name,
    check: async (numRuns, seed) => {
      read = 0;
      await fc.assert(property, { numRuns, seed });
      return read;
    },
  };
}
