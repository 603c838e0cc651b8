// What is taken for an answer of `git cat-file --batch-command`, and what is not.

import { describe, expect, it } from 'vitest';
import { batchAnswers, parentsIn } from '../../../src/git/batch-format.ts';
import { parseOid } from '../../../src/lib/names.ts';

const [a, b] = [parseOid('a'.repeat(40)), parseOid('b'.repeat(40))];
const [tree, person] = [`tree ${'c'.repeat(40)}\n`, 'author A <a@a> 1 +0000\ncommitter A <a@a> 1 +0000\n\nwords\n'];

describe('batchAnswers', () => {
  it.each([
    ['of another object', `${b} blob 3\n`],
    ['of no kind of object', `${a} branch 3\n`],
    ['without a size', `${a} blob\n`],
    ['with more behind it', `${a} blob 3\n${b} blob 3\n`],
    ['with an endless line', 'a'.repeat(128)],
    ['that is empty', '\n'],
  ])('refuses an answer %s', (_words, text) => {
    expect(() => batchAnswers({ command: 'info', oids: [a] })(Buffer.from(text))).toThrow(/git cat-file answered/);
  });

  it('refuses content of another length, and what is too large before it has come', () => {
    const parse = (text: string): unknown => batchAnswers({ command: 'contents', oids: [a] })(Buffer.from(text));
    expect(() => parse(`${a} blob 3\nfour\n`)).toThrow('another length');
    expect(() => parse(`${a} commit 65537\n`)).toThrow('65537 bytes');
    expect(parse(`${a} commit 65536\n`)).toBeUndefined();
  });

  it('tells what is missing from what is there', () => {
    const parse = batchAnswers({ command: 'info', oids: [a, b] });
    expect(parse(Buffer.from(`${a} missing\n${b} blob 7\n`))).toEqual(['missing', { type: 'blob', size: 7, content: Buffer.alloc(0) }]);
  });
});

describe('parentsIn', () => {
  const parents = (text: string, type = 'commit'): unknown => parentsIn({ type, size: text.length, content: Buffer.from(text) });

  it('reads none, one and several', () => {
    expect(parents(`${tree}${person}`)).toEqual([]);
    expect(parents(`${tree}parent ${a}\n${person}`)).toEqual([a]);
    expect(parents(`${tree}parent ${a}\nparent ${b}\n${person}`)).toEqual([a, b]);
  });

  it('takes no word of a message for a parent', () => {
    expect(parents(`${tree}${person}parent ${a}\n`)).toEqual([]);
  });

  it('knows nothing of what is no commit, or has more than eight', () => {
    expect(parents(`${tree}parent ${a}\n${person}`, 'tag')).toBeUndefined();
    expect(parents(`parent ${a}\n${person}`)).toBeUndefined();
    expect(parents(`${tree}${`parent ${a}\n`.repeat(9)}${person}`)).toBeUndefined();
  });
});
