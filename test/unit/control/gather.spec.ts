// Frames out of parts: in order, few, and in memory that is used again only when it is free.

import { describe, expect, it } from 'vitest';
import { Gather } from '../../../src/control/gather.ts';
import { FrameDecoder, MAX_PAYLOAD } from '../../../src/control/stream-format.ts';
import { concatBytes, utf8 } from '../../../src/lib/bytes.ts';

interface Written {
  readonly frame: Uint8Array;
  readonly written: () => void;
}

function start(): { readonly gather: Gather; readonly frames: Written[] } {
  const frames: Written[] = [];
  return { gather: new Gather((frame, written) => frames.push({ frame, written })), frames };
}

function payloadOf(frames: readonly Written[]): Uint8Array {
  const decoder = new FrameDecoder();
  return concatBytes(frames.flatMap(({ frame }) => decoder.receive(frame)).map(({ payload }) => payload));
}

describe('Gather', () => {
  it('writes what comes in one turn as one frame', async () => {
    const { gather, frames } = start();
    for (const word of ['one ', 'two ', 'three']) gather.add(utf8(word));
    expect(frames).toEqual([]);
    await new Promise(setImmediate);
    expect(frames.map(({ frame }) => frame.length)).toEqual([5 + 13]);
    expect(Buffer.from(payloadOf(frames)).toString()).toBe('one two three');
  });

  it('fills frames to the brim and keeps the order, however the parts are cut', async () => {
    const { gather, frames } = start();
    const all = Uint8Array.from({ length: 3 * MAX_PAYLOAD + 7 }, (_none, index) => index % 251);
    for (const [from, to] of [[0, 10], [10, 2 * MAX_PAYLOAD + 100], [2 * MAX_PAYLOAD + 100, all.length]] as const) gather.add(all.subarray(from, to));
    await new Promise(setImmediate);
    expect(frames.map(({ frame }) => frame.length - 5)).toEqual([MAX_PAYLOAD, MAX_PAYLOAD, MAX_PAYLOAD, 7]);
    expect(Buffer.compare(payloadOf(frames), all)).toBe(0);
  });

  it('leaves a frame alone until it is written, and fills it again afterwards', () => {
    const { gather, frames } = start();
    const say = (word: string): Written | undefined => {
      gather.add(utf8(word));
      gather.flush();
      return frames.at(-1);
    };
    const [first, second] = [say('aa'), say('bb')];
    expect(Buffer.from(payloadOf(frames)).toString()).toBe('aabb');
    expect(second?.frame.buffer).not.toBe(first?.frame.buffer);
    first?.written();
    expect(say('cc')?.frame.buffer).toBe(first?.frame.buffer);
  });

  it('writes nothing for nothing', async () => {
    const { gather, frames } = start();
    gather.add(new Uint8Array());
    gather.flush();
    await new Promise(setImmediate);
    expect(frames).toEqual([]);
  });
});
