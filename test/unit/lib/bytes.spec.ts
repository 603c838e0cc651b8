import { describe, expect, it } from 'vitest';
import { ByteQueue, concatBytes, equalBytes, unsetBytes, utf8 } from '../../../src/lib/bytes.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('concatBytes', () => {
  it('puts parts one after the other', () => {
    expect(concatBytes([])).toEqual(new Uint8Array(0));
    expect(text(concatBytes([utf8('a'), utf8(''), utf8('bc')]))).toBe('abc');
  });

  it('hands a single part on without a copy', () => {
    const part = utf8('x');
    expect(concatBytes([part])).toBe(part);
  });
});

describe('unsetBytes', () => {
  it.each([0, 1, 4095, 4096, 100_000])('makes %i bytes of their own, and no more', (length) => {
    const bytes = unsetBytes(length);
    expect(bytes.length).toBe(length);
    expect(bytes.buffer.byteLength).toBe(length);
  });
});

describe('utf8', () => {
  it('encodes beyond ASCII', () => {
    expect([...utf8('ü\u{1f600}')]).toEqual([0xc3, 0xbc, 0xf0, 0x9f, 0x98, 0x80]);
  });
});

describe('equalBytes', () => {
  it('compares length and content', () => {
    expect(equalBytes(utf8('abc'), utf8('abc'))).toBe(true);
    for (const other of ['', 'ab', 'abd', 'abcd']) expect(equalBytes(utf8('abc'), utf8(other))).toBe(false);
  });
});

describe('ByteQueue', () => {
  it('hands out what was put in, in pieces of the size that is asked for', () => {
    const queue = new ByteQueue();
    for (const part of ['abc', '', 'defg', 'h']) queue.push(utf8(part));
    expect(queue.length).toBe(8);
    expect([2, 3, 0, 100, 1].map((max) => text(queue.take(max)))).toEqual(['ab', 'cde', '', 'fgh', '']);
    expect(queue.length).toBe(0);
  });

  it('hands out parts as they were put in, the very same bytes', () => {
    const queue = new ByteQueue();
    const [first, second] = [utf8('abc'), utf8('de')];
    queue.push(first);
    queue.push(second);
    const taken = queue.takePart(10);
    expect(taken).toBe(first);
    expect([text(queue.takePart(1)), text(queue.takePart(10)), text(queue.takePart(10))]).toEqual(['d', 'e', '']);
  });

  it('leaves what is only looked at', () => {
    const queue = new ByteQueue();
    queue.push(utf8('ab'));
    queue.push(utf8('cd'));
    expect(text(queue.peek(3))).toBe('abc');
    expect(text(queue.peek(10))).toBe('abcd');
    queue.drop(3);
    queue.drop(10);
    expect(queue.length).toBe(0);
  });

  it('goes on after hundreds of parts have passed', () => {
    const queue = new ByteQueue();
    let out = '';
    for (let index = 0; index < 500; index += 1) {
      queue.push(utf8(`${index},`));
      if (index % 3 === 0) out += text(queue.take(5));
    }
    out += text(queue.take(Infinity));
    expect(out).toBe(Array.from({ length: 500 }, (_none, index) => `${index},`).join(''));
  });
});
