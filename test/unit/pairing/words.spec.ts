import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { formatCode, makeCode, parseCode, secretOfCode } from '../../../src/pairing/words.ts';

const CODE = { number: 4, words: ['cross', 'clock'] };

describe('makeCode', () => {
  it('draws each word from eleven of its own bits', () => {
    expect(makeCode(1, Uint8Array.of(0, 0, 0, 0)).words).toEqual(['abandon', 'abandon']);
    expect(makeCode(1, Uint8Array.of(0x07, 0xff, 0, 1)).words).toEqual(['zoo', 'ability']);
    expect(makeCode(1, Uint8Array.of(0xff, 0xff, 0xf8, 1)).words).toEqual(['zoo', 'ability']);
  });

  it('refuses random bytes of another length, and a number that could not be typed', () => {
    expect(() => makeCode(1, new Uint8Array(3))).toThrow(/4 random bytes/);
    expect(() => makeCode(0, new Uint8Array(4))).toThrow(InputFault);
    expect(() => makeCode(10_000, new Uint8Array(4))).toThrow(InputFault);
    expect(() => makeCode(1.5, new Uint8Array(4))).toThrow(InputFault);
  });
});

describe('formatCode', () => {
  it('joins number and words by dashes', () => {
    expect(formatCode({ number: 4, words: ['cross', 'clock'] })).toBe('4-cross-clock');
  });
});

describe('parseCode', () => {
  it.each([
    '4-cross-clock',
    ' 4-Cross-CLOCK ',
    '4 cross clock',
    '4  -  cross – clock',
    '04-cross-clock',
    '4-cros-cloc',
    '4, cross, clock.',
    '４-cross-clock',
  ])('reads "%s"', (text) => {
    expect(parseCode(text)).toEqual(CODE);
  });

  it('knows a word of three letters, and one that begins another', () => {
    expect(parseCode('1-act-acti').words).toEqual(['act', 'action']);
  });

  it.each(['', '4', '4-cross', '4-cross-clock-act', 'cross-clock', 'x'.repeat(101)])('refuses "%s"', (text) => {
    expect(() => parseCode(text)).toThrow(InputFault);
  });

  it.each(['0-cross-clock', '12345-cross-clock', '-4x-cross-clock'])('refuses the number of "%s"', (text) => {
    expect(() => parseCode(text)).toThrow(/number from 1 to 9999/);
  });

  it('names the garbled word, and the nearest one', () => {
    const read = (): unknown => parseCode('4-cross-clokc');
    expect(read).toThrow(/"clokc" is none of the words/);
    expect(read).toThrow(expect.objectContaining({ code: 'bad-input', remedy: 'did you mean "clock"?' }));
  });

  it('guesses no word from three letters or from letters too many', () => {
    expect(() => parseCode('4-cro-clock')).toThrow(/"cro"/);
    expect(() => parseCode('4-crossover-clock')).toThrow(/"crossover"/);
  });

  it('shows no more than a line of what was typed', () => {
    expect(() => parseCode(`4-cross-${'y'.repeat(90)}`)).toThrow(/^.{1,200}$/);
  });
});

describe('secretOfCode', () => {
  it('makes the number public and the words the secret', () => {
    const secret = secretOfCode(parseCode('4 CROSS cloc'));
    expect(secret).toEqual(secretOfCode(parseCode('4-cross-clock')));
    expect(secret).toMatchObject({ kind: 'code', id: '4' });
    expect(Buffer.from(secret.secret).toString()).toBe('cross-clock');
  });
});
