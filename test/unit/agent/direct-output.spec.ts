// A pipe of another process, opened by its number: only a pipe, and only of the process that was meant.

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { openOutput } from '../../../src/agent/direct-output.ts';
import { makeFifo } from '../../helpers/fifo.ts';
import { makeFolder } from '../../helpers/repo.ts';

describe('openOutput', () => {
  it('writes where the process writes, and ends with it', async () => {
    const fifo = await makeFifo();
    const output = await openOutput(fifo.place);
    fifo.close();
    output?.stream.end('all of it');
    expect(await text(fifo.reader)).toBe('all of it');
  });

  it.each([{ pid: 4_194_305 }, { fd: 999 }, { start: '00000000-0000-0000-0000-000000000000 1' }])('is not had where it is of no such process: %j', async (wrong) => {
    const fifo = await makeFifo();
    expect(await openOutput({ ...fifo.place, ...wrong })).toBeUndefined();
    fifo.close();
    // Nothing was kept open: the reader sees the end.
    expect(await text(fifo.reader)).toBe('');
  });

  it('is not had where it is a file', async () => {
    const fifo = await makeFifo();
    const fd = openSync(join(makeFolder(), 'file'), 'w');
    expect(await openOutput({ ...fifo.place, fd })).toBeUndefined();
    closeSync(fd);
    fifo.close();
  });
});
