import { describe, expect, it } from 'vitest';
import { AckPace } from '../../../src/xmpp/ack-pace.ts';

describe('AckPace', () => {
  it('asks after each sixteenth stanza, however steadily they come', () => {
    const pace = new AckPace();
    const asked = Array.from({ length: 48 }, () => pace.sent(100));
    expect(asked.flatMap((isDue, index) => (isDue ? [index + 1] : []))).toEqual([16, 32, 48]);
  });

  it('asks after 64 KiB, and counts anew', () => {
    const pace = new AckPace();
    expect([30_000, 30_000, 30_000, 30_000, 30_000, 30_000].map((bytes) => pace.sent(bytes))).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });
});
