// How blocks are filled.

import { describe, expect, it } from 'vitest';
import { ACK_DELAY_MS, DelayedAck } from '../../../src/pipe/delayed-ack.ts';
import { FrameDecoder } from '../../../src/pipe/frame-decoder.ts';
import type { Frame } from '../../../src/pipe/frame-format.ts';
import { Outbox } from '../../../src/pipe/outbox.ts';
import { Replay } from '../../../src/pipe/replay.ts';

function make(unsent: number): { outbox: Outbox; replay: Replay; acks: DelayedAck; block: (max: number) => Uint8Array } {
  const [outbox, replay, acks] = [new Outbox(), new Replay({ maxBytes: 1 << 20, firstOffset: 0 }), new DelayedAck(0)];
  replay.append(new Uint8Array(unsent));
  const block = (max: number): Uint8Array => {
    outbox.fill(max, replay, acks);
    return outbox.take(max);
  };
  return { outbox, replay, acks, block };
}

function framesOf(bytes: Uint8Array): Frame[] {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

describe('Outbox', () => {
  it('cuts data to fit the block exactly', () => {
    const { block, replay } = make(10_000);
    expect(block(4096)).toHaveLength(4096);
    expect(replay.sent).toBe(4096 - 13);
  });

  it('lets an owed acknowledgement ride before data, and none where nothing is owed', () => {
    const { acks, block, replay } = make(100);
    acks.add(7, 0);
    expect(framesOf(block(4096)).map(({ type }) => type)).toEqual(['ack', 'data']);
    replay.append(new Uint8Array(1));
    expect(framesOf(block(4096)).map(({ type }) => type)).toEqual(['data']);
  });

  it('holds an owed acknowledgement back while there is no data and it is not due', () => {
    const { acks, block, outbox, replay } = make(0);
    acks.add(7, 0);
    expect([outbox.mayFill(replay, acks), block(4096).length]).toEqual([false, 0]);
    acks.wakeup(ACK_DELAY_MS);
    expect(outbox.mayFill(replay, acks)).toBe(true);
    expect(framesOf(block(4096))).toEqual([{ type: 'ack', received: 7 }]);
  });

  it('gives a block that is smaller than any frame its bytes all the same', () => {
    const { block } = make(20);
    const pieces = Array.from({ length: 33 }, () => block(1));
    expect(pieces.every((piece) => piece.length === 1)).toBe(true);
    expect(framesOf(Buffer.concat(pieces))).toMatchObject([{ type: 'data', offset: 0 }]);
    expect(block(1)).toHaveLength(0);
  });

  it('does not end a block with a sliver of data', () => {
    const { acks, block, replay } = make(1000);
    acks.add(1, 0);
    expect(framesOf(block(13 + 13 + 63))).toEqual([{ type: 'ack', received: 1 }]);
    expect(replay.sent).toBe(0);
    acks.add(1, 0);
    expect(framesOf(block(13 + 13 + 64))).toHaveLength(2);
    expect(replay.sent).toBe(64);
  });

  it('fills a large block with several frames of at most 64 KiB', () => {
    const { block, outbox } = make(200_000);
    const parts = [block(1 << 20)];
    while (!outbox.isEmpty) parts.push(block(1 << 20));
    const sizes = framesOf(Buffer.concat(parts)).map((frame) => (frame.type === 'data' ? frame.bytes.length : 0));
    expect(sizes).toEqual([65_536, 65_536, 65_536, 200_000 - 3 * 65_536]);
  });

  it('queues no answers on top of a block that waits, however many are asked for', () => {
    const { block, outbox } = make(0);
    for (let number = 0; number < 90; number += 1) {
      outbox.pong(number);
      block(1);
    }
    expect(block(4096).length).toBeLessThan(20);
  });

  it('keeps only the newest PING and PONG', () => {
    const { block, outbox, replay, acks } = make(0);
    for (const number of [1, 2, 3]) outbox.pong(number);
    for (const number of [4, 5]) outbox.ping(number);
    expect(outbox.mayFill(replay, acks)).toBe(true);
    expect(framesOf(block(4096))).toEqual([
      { type: 'pong', number: 3 },
      { type: 'ping', number: 5 },
    ]);
    expect(outbox.mayFill(replay, acks)).toBe(false);
  });
});
