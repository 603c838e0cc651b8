// What the answer to a PING tells.

import { describe, expect, it } from 'vitest';
import { RoundTrip } from '../../../src/pipe/round-trip.ts';

describe('RoundTrip', () => {
  it('owes nothing before anything went out, or when only a PING did', () => {
    const trip = new RoundTrip();
    trip.took(9);
    expect(trip.isOwed).toBe(false);
  });

  it('is owed an answer for what went out, until a PING behind it is answered', () => {
    const trip = new RoundTrip();
    trip.took(5000);
    const number = trip.ask(10);
    trip.took(9);
    expect(trip.isOwed).toBe(true);
    trip.answered(number, 40);
    expect([trip.isOwed, trip.rttMs]).toEqual([false, 30]);
  });

  it('is still owed one when more went out behind the PING', () => {
    const trip = new RoundTrip();
    trip.took(5000);
    const number = trip.ask(10);
    trip.took(5000);
    trip.answered(number, 40);
    expect(trip.isOwed).toBe(true);
  });

  it('takes an older answer, or a second one, for none', () => {
    const trip = new RoundTrip();
    trip.took(5000);
    const first = trip.ask(0);
    const second = trip.ask(100);
    trip.answered(first, 150);
    expect([trip.isOwed, trip.rttMs]).toEqual([true, undefined]);
    trip.answered(second, 150);
    trip.answered(second, 900);
    expect([trip.isOwed, trip.rttMs]).toEqual([false, 50]);
  });

  it('begins anew on a new carrier, with numbers that a late answer cannot meet', () => {
    const trip = new RoundTrip();
    const old = trip.ask(0);
    trip.begin();
    trip.took(5000);
    const fresh = trip.ask(100);
    expect(fresh).toBeGreaterThan(old);
    trip.answered(old, 110);
    expect([trip.isOwed, trip.rttMs]).toEqual([true, undefined]);
  });
});
