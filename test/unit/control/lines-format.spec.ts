import { describe, expect, it } from 'vitest';
import { encodeLine, LineDecoder, MAX_LINE, parseJson } from '../../../src/control/lines-format.ts';
import { utf8 } from '../../../src/lib/bytes.ts';

describe('encodeLine', () => {
  it('writes one value and one line break, whatever the value holds', () => {
    expect(new TextDecoder().decode(encodeLine({ text: 'a\nb' }))).toBe('{"text":"a\\nb"}\n');
    expect(new TextDecoder().decode(encodeLine(undefined))).toBe('null\n');
  });

  it('refuses a line of more than 1 MiB', () => {
    expect(() => encodeLine('x'.repeat(MAX_LINE))).toThrow(/longer than/);
    expect(encodeLine('x'.repeat(MAX_LINE - 2))).toHaveLength(MAX_LINE + 1);
  });
});

describe('LineDecoder', () => {
  it('holds an unfinished line and says so', () => {
    const decoder = new LineDecoder();
    expect(decoder.receive(utf8('1\n{"a"'))).toEqual([1]);
    expect(decoder.isInLine).toBe(true);
    expect(decoder.receive(utf8(':2}\n'))).toEqual([{ a: 2 }]);
    expect(decoder.isInLine).toBe(false);
  });

  it('refuses a line that grows beyond 1 MiB before it has ended', () => {
    const decoder = new LineDecoder();
    decoder.receive(new Uint8Array(MAX_LINE).fill(0x20));
    expect(() => decoder.receive(Uint8Array.of(0x20))).toThrow(/longer than/);
  });

  it('refuses broken JSON, an empty line and broken UTF-8', () => {
    for (const bytes of [utf8('{\n'), utf8('\n'), Uint8Array.of(0x22, 0xff, 0x22, 0x0a)]) {
      expect(() => new LineDecoder().receive(bytes)).toThrow(/JSON: is broken/);
    }
  });
});

describe('parseJson', () => {
  it('reads strict UTF-8 only', () => {
    expect(parseJson(utf8('"ü"'))).toBe('ü');
    expect(() => parseJson(Uint8Array.of(0x22, 0xfc, 0x22))).toThrow(/broken/);
  });
});
