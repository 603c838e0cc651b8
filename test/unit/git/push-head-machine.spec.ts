// What a push says before its pack, counted as it comes in.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_COMMAND_BYTES, MAX_COMMANDS, MAX_LINE_BYTES, PushHead } from '../../../src/git/push-head-machine.ts';
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
    const line = `0800${'x'.repeat(MAX_LINE_BYTES - 4)}`;
    const head = new PushHead();
    const feed = (): void => {
      for (let sent = 0; sent <= MAX_COMMAND_BYTES; sent += line.length) head.push(Buffer.from(line));
    };
    expect(feed).toThrow(`more than ${MAX_COMMAND_BYTES} bytes`);
  });

  it('takes no name that would be longer than a path may be', () => {
    const named = (length: number): Buffer => commandsOf([{ ref: `refs/heads/${'x'.repeat(length)}`, to }]);
    expect(() => new PushHead().push(named(1000))).not.toThrow();
    expect(() => new PushHead().push(named(MAX_LINE_BYTES))).toThrow(`in more than ${MAX_LINE_BYTES} bytes`);
  });

  const corner = `refs/xmpp/${'b'.repeat(32)}`;

  it('lets refs of a corner through, made, moved and deleted, whatever their first line says more', () => {
    const head = new PushHead(corner);
    head.push(commandsOf([{ ref: `${corner}/heads/main`, to }, { ref: `${corner}/heads/grün/x`, from: to }, { ref: `${corner}/left`, from: to, to }]));
    head.push(Buffer.from('PACK and anything'));
    const line = `${'0'.repeat(40)} ${to} ${corner}/heads/main\n`;
    expect(() => new PushHead(corner).push(Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`))).not.toThrow();
  });

  it.each([corner, `${corner}/`, `${corner}x/heads/main`, 'refs/heads/main', `refs/xmpp/${'c'.repeat(32)}/heads/main`, `${corner}/heads/../../x`, `${corner}/heads/a\u0001`, `${corner}/heads/\ufffd`, `${corner}/heads/x.lock`, `${corner}/${'x'.repeat(1024)}`, ''])(
    'takes %j for a ref outside of the corner, or for none',
    (ref) => {
      for (const before of [[], [{ ref: `${corner}/heads/main`, to }]]) {
        expect(() => new PushHead(corner).push(commandsOf([...before, { ref, to }]))).toThrow('names a ref that it may not write');
      }
    },
  );

  it('takes a name that is not UTF-8, a certificate and a shallow history for none in a corner', () => {
    for (const line of [`${to} ${to} ${corner}/heads/\xff`, `push-cert\0 x`, `shallow ${to}`]) {
      const packet = Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}`, 'latin1');
      expect(() => new PushHead(corner).push(packet)).toThrow('names a ref that it may not write');
      expect(() => new PushHead().push(packet)).not.toThrow();
    }
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
