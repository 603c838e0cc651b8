// What git reads, into a pipe: with backpressure, and an end for those who read no more.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/agent/direct-output.ts';
import { PipeOutput } from '../../../src/agent/shim-output.ts';
import { makeFifo } from '../../helpers/fifo.ts';
import type { Fifo } from '../../helpers/fifo.ts';

const PART = Uint8Array.from({ length: 16 * 1024 }, (_none, index) => index % 251);

async function start(): Promise<{ readonly fifo: Fifo; readonly output: PipeOutput }> {
  const fifo = await makeFifo();
  const pipe = await openOutput(fifo.place);
  if (pipe === undefined) throw new Error('no pipe');
  fifo.close();
  return { fifo, output: new PipeOutput(pipe) };
}

describe('PipeOutput', () => {
  it('asks to wait when the reader is slow, says when there is room, and loses nothing', async () => {
    const { fifo, output } = await start();
    let parts = 0;
    do parts += 1;
    while (output.add(PART) && parts < 1000);
    expect(parts).toBeLessThan(1000);
    const room = new Promise<void>((resolve) => (output.onRoom = resolve));
    const read = buffer(fifo.reader);
    await room;
    output.add(PART);
    await output.end();
    const all = await read;
    expect(all.length).toBe((parts + 1) * PART.length);
    expect(all.subarray(-PART.length).equals(PART)).toBe(true);
  });

  it('has the pipe widened once what comes is bulk, and never for less', () => {
    let widened = 0;
    const stream = new PassThrough();
    stream.resume();
    const output = new PipeOutput({ stream, widen: () => void (widened += 1) });
    for (let bytes = PART.length; bytes < 2 << 20; bytes += PART.length) output.add(PART);
    expect(widened).toBe(0);
    for (let count = 0; count < 100; count += 1) output.add(PART);
    expect(widened).toBe(1);
  });

  it('tells the end only once all has been taken', async () => {
    const { fifo, output } = await start();
    for (let count = 0; count < 20; count += 1) output.add(PART);
    let hasEnded = false;
    const end = output.end().then(() => (hasEnded = true));
    await new Promise(setImmediate);
    expect(hasEnded).toBe(false);
    fifo.reader.resume();
    await end;
  });

  it('says when nobody reads any more, takes what still comes, and ends', async () => {
    const { fifo, output } = await start();
    const gone = new Promise<void>((resolve) => (output.onGone = resolve));
    const closed = once(fifo.reader, 'close');
    fifo.reader.destroy();
    await closed;
    output.add(PART);
    await gone;
    expect(output.add(PART)).toBe(true);
    await output.end();
  });
});
