// What each frame means on a running carrier.

import { describe, expect, it } from 'vitest';
import { DelayedAck } from '../../../src/pipe/delayed-ack.ts';
import { parseLinkId } from '../../../src/pipe/frame-format.ts';
import { receiveFrame } from '../../../src/pipe/inbound.ts';
import type { Streams } from '../../../src/pipe/inbound.ts';
import { Outbox } from '../../../src/pipe/outbox.ts';
import { Replay } from '../../../src/pipe/replay.ts';

const make = (): Streams => ({
  replay: new Replay({ maxBytes: 100, firstOffset: 0 }),
  acks: new DelayedAck(10),
  outbox: new Outbox(),
});

describe('receiveFrame', () => {
  it('passes on data that continues where it stopped', () => {
    const streams = make();
    expect(receiveFrame({ type: 'data', offset: 10, bytes: Uint8Array.of(1, 2) }, streams, 0)).toEqual([
      { type: 'data', bytes: Uint8Array.of(1, 2) },
    ]);
    expect(streams.acks.received).toBe(12);
  });

  it.each([9, 11])('refuses data at offset %i where 10 is the next', (offset) => {
    expect(() => receiveFrame({ type: 'data', offset, bytes: Uint8Array.of(1) }, make(), 0)).toThrow('10 is the next');
  });

  it('tells an acknowledgement that is news, and no other', () => {
    const streams = make();
    streams.replay.append(new Uint8Array(5));
    streams.replay.take(5);
    expect(receiveFrame({ type: 'ack', received: 3 }, streams, 0)).toEqual([{ type: 'acknowledged', offset: 3 }]);
    expect(receiveFrame({ type: 'ack', received: 3 }, streams, 0)).toEqual([]);
  });

  it('answers PING, and needs nothing of PONG', () => {
    const streams = make();
    expect(receiveFrame({ type: 'ping', number: 4 }, streams, 0)).toEqual([]);
    expect(receiveFrame({ type: 'pong', number: 4 }, streams, 0)).toEqual([]);
    expect(streams.outbox.mayFill(streams.replay, streams.acks)).toBe(true);
  });

  it('refuses a frame that only opens a carrier', () => {
    const linkId = parseLinkId('f'.repeat(32));
    expect(() => receiveFrame({ type: 'open', version: 1, linkId }, make(), 0)).toThrow('open has no place');
  });
});
