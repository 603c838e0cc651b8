// Where a shim's pipe is, in one field.

import { describe, expect, it } from 'vitest';
import { formatOutputPlace, parseOutputPlace } from '../../../src/control/output-format.ts';

const PLACE = { pid: 4711, fd: 1, start: '0c6ee3f0-9d1c-4a6e-8f0a-2b7f1d1f5a11 123456' };

describe('the place of a pipe', () => {
  it('is read as it was written', () => {
    expect(parseOutputPlace(formatOutputPlace(PLACE))).toEqual(PLACE);
  });

  it.each(['', '4711', '4711 1', '0 1 a 1', '-1 1 a 1', '4711 1000 a 1', '4711 1 ../a 1', '4711 1 a 1 ', '4711/../1 1 a 1', '99999999999 1 a 1'])('is refused as %j', (text) => {
    expect(() => parseOutputPlace(text)).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('output') }));
  });
});
