import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { StreamText } from '../../../src/xmpp/stream-text.ts';

describe('StreamText', () => {
  it('joins a character that two chunks cut in two', () => {
    const bytes = utf8('<a>é€😀</a>');
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const text = new StreamText();
      expect(text.receive(bytes.subarray(0, cut)) + text.receive(bytes.subarray(cut))).toBe('<a>é€😀</a>');
    }
  });

  it('holds back what follows the last end of a tag', () => {
    const text = new StreamText();
    expect(text.receive(utf8('<data>AAAA'))).toBe('<data>');
    expect(text.receive(utf8('BBBB'))).toBe('');
    expect(text.receive(utf8('CCCC</data><da'))).toBe('AAAABBBBCCCC</data>');
    expect(text.receive(utf8('ta/>'))).toBe('<data/>');
  });

  it('hands a long run of text over once, not once per chunk', () => {
    const text = new StreamText();
    const chunk = utf8('A'.repeat(16_384));
    const handed = [utf8('<data>'), ...Array.from({ length: 16 }, () => chunk), utf8('</data>')].map((bytes) =>
      text.receive(bytes),
    );
    expect(handed.filter((piece) => piece !== '')).toHaveLength(2);
    expect(handed.at(-1)).toHaveLength(16 * 16_384 + '</data>'.length);
  });

  it('refuses a run that has no end', () => {
    const text = new StreamText();
    const chunk = utf8('A'.repeat(1 << 18));
    for (let chunks = 0; chunks < 16; chunks += 1) text.receive(chunk);
    expect(() => text.receive(chunk)).toThrow('holds no end of an element');
  });
});
