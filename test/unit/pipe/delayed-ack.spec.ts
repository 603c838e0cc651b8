// When an acknowledgement falls due.

import { describe, expect, it } from 'vitest';
import { PATIENT } from '../../../src/pipe/liveness.ts';
import { ACK_BYTES, ACK_DELAY_MS, ACK_NOW_BYTES, ACK_SOON_MS, DelayedAck } from '../../../src/pipe/delayed-ack.ts';

describe('DelayedAck', () => {
  it('owes nothing before anything came', () => {
    const acks = new DelayedAck(5);
    expect([acks.received, acks.isOwed, acks.isDue, acks.nextAt]).toEqual([5, false, false, undefined]);
  });

  it('falls due in time before the other end would ask whether anybody is there', () => {
    expect(ACK_DELAY_MS).toBeLessThanOrEqual(PATIENT.pingMs - 2000);
  });

  it('falls due a while after the first byte that is not told, whatever follows', () => {
    const acks = new DelayedAck(0);
    acks.add(1, 100);
    acks.add(1, 1500);
    expect(acks.nextAt).toBe(100 + ACK_DELAY_MS);
    acks.wakeup(99 + ACK_DELAY_MS);
    expect(acks.isDue).toBe(false);
    acks.wakeup(100 + ACK_DELAY_MS);
    expect([acks.isDue, acks.nextAt]).toEqual([true, undefined]);
  });

  it('falls due a moment after 64 KiB, so that a fast carrier tells several at once', () => {
    const acks = new DelayedAck(0);
    acks.add(ACK_BYTES - 1, 0);
    expect(acks.nextAt).toBe(ACK_DELAY_MS);
    acks.add(1, 20);
    acks.add(ACK_BYTES, 25);
    expect([acks.isDue, acks.nextAt]).toEqual([false, 20 + ACK_SOON_MS]);
    acks.wakeup(20 + ACK_SOON_MS);
    expect(acks.isDue).toBe(true);
  });

  it('comes no later than it would have without them', () => {
    const acks = new DelayedAck(0);
    acks.add(1, 0);
    acks.add(ACK_BYTES, ACK_DELAY_MS - 1);
    expect(acks.nextAt).toBe(ACK_DELAY_MS);
  });

  it('falls due at once after 512 KiB', () => {
    const acks = new DelayedAck(0);
    acks.add(ACK_NOW_BYTES - 1, 0);
    expect(acks.isDue).toBe(false);
    acks.add(1, 0);
    expect(acks.isDue).toBe(true);
  });

  it('starts over when it is told', () => {
    const acks = new DelayedAck(0);
    acks.add(ACK_BYTES, 0);
    expect(acks.tell()).toBe(ACK_BYTES);
    expect([acks.isOwed, acks.isDue, acks.nextAt]).toEqual([false, false, undefined]);
    acks.add(1, 50);
    expect([acks.isDue, acks.nextAt]).toEqual([false, 50 + ACK_DELAY_MS]);
  });
});
