// More room in a pipe, by a real one: what it takes from a writer that does not wait.

import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WIDE_BYTES, widenPipe } from '../../../src/agent/wider-pipe.ts';
import { codeOf } from '../../../src/lib/errors.ts';
import { makeFifo } from '../../helpers/fifo.ts';
import type { Fifo } from '../../helpers/fifo.ts';

const USUAL_BYTES = 64 * 1024;

let fifo: Fifo;
let fd: number;
let taken: number;

beforeEach(async () => {
  fifo = await makeFifo();
  fd = openSync(`/proc/${process.pid}/fd/${fifo.place.fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  taken = 0;
});

afterEach(() => {
  closeSync(fd);
  fifo.close();
  fifo.reader.destroy();
});

/** Writes until the pipe is full. @returns what it has taken so far */
function fill(): number {
  try {
    // One that has begun to block would hold up this process for good.
    const flags = parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
    if ((flags & constants.O_NONBLOCK) === 0) throw new Error('the pipe blocks');
    for (;;) taken += writeSync(fd, Buffer.alloc(WIDE_BYTES));
  } catch (error) {
    if (codeOf(error) !== 'EAGAIN') throw error;
    return taken;
  }
}

describe('widenPipe', () => {
  it('has a pipe take a megabyte, also one that is full', async () => {
    expect(fill()).toBe(USUAL_BYTES);
    await widenPipe(fd);
    // The reader may have taken some of it meanwhile.
    expect(fill()).toBeGreaterThanOrEqual(WIDE_BYTES);
  });

  it('leaves it as it is where there is nobody to ask', async () => {
    await widenPipe(fd, 'no-such-command');
    expect(fill()).toBe(USUAL_BYTES);
  });
});
