// What a push says before its pack, counted as it comes in.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_COMMAND_BYTES, MAX_COMMANDS, PushHead } from '../../../src/git/push-head-machine.ts';
import { parseOid } from '../../../src/lib/names.ts';
import { commandsOf } from '../../helpers/hostile-pack.ts';

const to = parseOid('a'.repeat(40));
const many = (count: number): Buffer => commandsOf(Array.from({ length: count }, (_, index) => ({ ref: `refs/heads/${index}`, to })));

describe('PushHead', () => {
  it('lets the largest map through, and one line more not', () => {
    expect(() => new PushHead().push(many(MAX_COMMANDS))).not.toThrow();
    expect(() => new PushHead().push(many(MAX_COMMANDS + 1))).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(`more than ${MAX_COMMANDS} refs`) }));
  });

  it('bounds long names in bytes', () => {
    const line = `ffff${'x'.repeat(0xffff - 4)}`;
    const head = new PushHead();
    const feed = (): void => {
      for (let sent = 0; sent <= MAX_COMMAND_BYTES; sent += line.length) head.push(Buffer.from(line));
    };
    expect(feed).toThrow(`more than ${MAX_COMMAND_BYTES} bytes`);
  });

  it.each(['GET ', '0001', '0004', '000', '-001', '+123', ' 123', '\0\0\0\0'])('takes %j for no push, once four bytes of it are there', (text) => {
    const head = new PushHead();
    head.push(Buffer.from(text.slice(0, 3)));
    const rest = (): void => head.push(Buffer.from(text.slice(3)));
    if (text.length < 4) expect(rest).not.toThrow();
    else expect(rest).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('says nothing of what is behind the flush packet, however it is cut', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (count, pack, step) => {
        const bytes = Buffer.concat([many(count), pack]);
        const head = new PushHead();
        for (let at = 0; at < bytes.length; at += step) head.push(bytes.subarray(at, at + step));
      }),
    );
  });

  it('finds the same fault at the same byte, however it is cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 3 }), (noise, step, count) => {
        const bytes = Buffer.concat([many(count).subarray(0, -4), noise]);
        const failsWith = (size: number): boolean => {
          const head = new PushHead();
          try {
            for (let at = 0; at < bytes.length; at += size) head.push(bytes.subarray(at, at + size));
            return false;
          } catch {
            return true;
          }
        };
        expect(failsWith(step)).toBe(failsWith(1));
      }),
    );
  });
});
