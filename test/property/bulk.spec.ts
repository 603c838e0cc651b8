// The order of bodies above HTTP/2 against any schedule of streams, pipes and time.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BulkMachine, INTERACTIVE_BYTES, MAX_ALLOWANCE, MAX_HOLD_MS } from '../../src/link/bulk-machine.ts';

interface Body {
  carried: number;
  waiting: number;
}

const step = fc.oneof(
  fc.record({ type: fc.constant('open' as const), waiting: fc.integer({ min: 1, max: 300_000 }) }),
  fc.record({ type: fc.constant('close' as const), index: fc.nat(20) }),
  fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 7000 }), taken: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

describe('BulkMachine', () => {
  it('grants nobody more than it has, nothing to bulk before what is interactive, and never more than the allowance into the pipe', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const machine = new BulkMachine();
        const bodies = new Map<object, Body>();
        let [now, unsent, sent] = [0, 0, 0];
        for (const one of steps) {
          if (one.type === 'open') {
            const key = {};
            bodies.set(key, { carried: 0, waiting: one.waiting });
            machine.opened(key, now);
            machine.want(key, one.waiting);
          } else if (one.type === 'close') {
            const key = [...bodies.keys()][one.index];
            if (key !== undefined) machine.closed(key, now);
            if (key !== undefined) bodies.delete(key);
          } else {
            now += one.ms;
            const taken = Math.ceil(unsent * one.taken);
            [unsent, sent] = [unsent - taken, sent + taken];
            machine.taken(sent, now);
          }
          for (let grant = machine.next({ unsent, sent }, now); grant !== undefined; grant = machine.next({ unsent, sent }, now)) {
            const body = bodies.get(grant.stream);
            expect(grant.bytes).toBeGreaterThan(0);
            expect(grant.bytes).toBeLessThanOrEqual(body?.waiting ?? 0);
            if (body !== undefined && body.carried >= INTERACTIVE_BYTES) {
              expect([...bodies.values()].some(({ carried, waiting }) => waiting > 0 && carried < INTERACTIVE_BYTES)).toBe(false);
              expect(unsent + grant.bytes).toBeLessThanOrEqual(Math.min(machine.allowance, MAX_ALLOWANCE));
            }
            if (body !== undefined) body.carried += grant.bytes;
            if (body !== undefined) body.waiting -= grant.bytes;
            unsent += grant.bytes;
          }
        }
      }),
    );
  });

  it('starves nobody: who wakes it when it says so sees every body through', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 3000 }), (sizes, takeMs) => {
        const machine = new BulkMachine();
        const left = new Map<object, number>(sizes.map((size) => [{}, size]));
        let [now, unsent, sent, last] = [0, 0, 0, 0];
        // One that stays open and says nothing.
        machine.opened({}, 0);
        for (const [key, size] of left) {
          machine.opened(key, 0);
          machine.want(key, size);
        }
        while (left.size > 0) {
          const grant = machine.next({ unsent, sent }, now);
          if (grant !== undefined) {
            last = now;
            unsent += grant.bytes;
            const rest = (left.get(grant.stream) ?? 0) - grant.bytes;
            left.set(grant.stream, rest);
            if (rest === 0) left.delete(grant.stream);
            if (rest === 0) machine.closed(grant.stream, now);
            continue;
          }
          expect(now - last).toBeLessThanOrEqual(MAX_HOLD_MS + takeMs);
          now = unsent > 0 ? now + takeMs : Math.max(now + 1, machine.nextWakeup(now) ?? Infinity);
          expect(now).toBeLessThan(Infinity);
          [unsent, sent] = [0, sent + unsent];
          machine.taken(sent, now);
        }
      }),
      { numRuns: 60 },
    );
  });
});
