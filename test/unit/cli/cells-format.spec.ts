import { describe, expect, it } from 'vitest';
import { cellsOf, columns, cut, pad, plain, wrap } from '../../../src/cli/cells-format.ts';
import { clean } from '../../../src/lib/steering.ts';

const lines = (text: string, width: number, indent = 0, hang = 0): string[] => wrap([{ text }], { width, indent, hang }).map(plain);

describe('cellsOf', () => {
  it.each([
    ['abc', 3],
    ['', 0],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한글', 4],
    ['ＡＢ', 4],
    ['👍', 2],
    ['a\u200db', 2],
    ['█░', 2],
  ])('of %j are %i', (text, cells) => {
    expect(cellsOf(text)).toBe(cells);
  });

  it('are never fewer than a terminal shows of joined pictures', () => {
    expect(cellsOf('👩\u200d💻')).toBeGreaterThanOrEqual(2);
    expect(cellsOf('❤\ufe0f')).toBeGreaterThanOrEqual(2);
  });
});

describe('clean', () => {
  it('lets nothing through that steers a terminal or turns the order of letters', () => {
    expect(clean('a\u001b[2Jb\nc\u202ed\u2066e\u2028f')).toBe('a?[2Jb?c?d?e?f');
  });
});

describe('cut and pad', () => {
  it('count cells, and say that there was more', () => {
    expect([cut('日本語', 5), cut('日本語', 4), cut('abc', 3), cut('abc', 0)]).toEqual(['日本…', '日…', 'abc', '']);
    expect([pad('日', 4), pad('abcd', 2)]).toEqual(['日  ', 'abcd']);
  });
});

describe('columns', () => {
  it('are as wide as their widest cell, in cells', () => {
    expect(columns([['日本', 'x'], ['abc', 'y']]).map((row) => row.join(''))).toEqual(['日本  x', 'abc   y']);
  });
});

describe('wrap', () => {
  it('breaks at spaces, and indents what follows', () => {
    expect(lines('one two three four', 11, 1, 3)).toEqual([' one two', '   three', '   four']);
  });

  it('breaks a word that is longer than a line where the line ends, and loses nothing of it', () => {
    expect(lines('see 0123456789abcdef', 10, 0, 2)).toEqual(['see', '  01234567', '  89abcdef']);
    expect(lines('日本語日本語', 8)).toEqual(['日本語日', '本語']);
  });

  it('makes one line of what has room', () => {
    expect(lines('one  two', Infinity, 2)).toEqual(['  one  two']);
    expect(lines('one two ', 8)).toEqual(['one two']);
  });

  it('keeps the look of each part, in as few pieces as there are looks', () => {
    const rows = wrap([{ text: 'waits: ', style: 'wait' }, { text: 'a b' }], { width: 40, indent: 2, hang: 2 });
    expect(rows).toEqual([[{ text: '  ' }, { text: 'waits: ', style: 'wait' }, { text: 'a b' }]]);
  });

  it('begins at the edge where the indent would leave no room', () => {
    expect(lines('abcdefghij', 9, 6, 6)).toEqual(['abcdefghi', 'j']);
  });
});
