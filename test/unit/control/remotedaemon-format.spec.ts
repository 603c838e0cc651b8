// The lines of remotedaemon's protocol, to the letter.

import { describe, expect, it } from 'vitest';
import { formatConsumed, formatEmitted, formatUri, LineReader, MAX_LINE_BYTES, parseConsumed, parseEmitted, sshUrlOf } from '../../../src/control/remotedaemon-format.ts';

describe('what the program says', () => {
  it.each(['PAUSE', 'LOSTNET', 'RESUME', 'RELOAD', 'STOP'])('%s is a word alone', (word) => {
    expect(parseConsumed(word)).toEqual({ type: word });
    expect(formatConsumed(parseConsumed(word))).toBe(word);
  });

  it('CHANGED names refs, or what they are at', () => {
    const oid = '0123456789abcdef0123456789abcdef01234567';
    const line = `CHANGED refs/heads/main refs/tags/v1 feature/ä ${oid}`;
    expect(parseConsumed(line)).toEqual({ type: 'CHANGED', refs: ['refs/heads/main', 'refs/tags/v1', 'feature/ä', oid] });
    expect(formatConsumed(parseConsumed(line))).toBe(line);
  });

  it.each([
    ['', 'is none of PAUSE'],
    ['pause', 'is none of PAUSE'],
    ['PAUSE ', 'takes nothing more'],
    ['PAUSE now', 'takes nothing more'],
    [' PAUSE', 'is none of PAUSE'],
    ['STOP\t', 'is none of PAUSE'],
    ['PUSH laptop', 'is none of PAUSE'],
    ['CHANGED', 'names no refs'],
    ['CHANGED ', '"" is no ref'],
    ['CHANGED refs/heads/a..b', 'is no ref'],
    ['CHANGED refs/heads/main  refs/heads/x', '"" is no ref'],
    ['CHANGED -x', 'is no ref'],
    ['CHANGED refs/heads/x.lock', 'is no ref'],
    ['CHANGED a\u0000b', 'is no ref'],
    [`CHANGED ${'x '.repeat(501)}x`, 'more than 500'],
    ['CONNECTED xmpp::laptop/notes', 'is none of PAUSE'],
  ])('is refused as %j', (line, why) => {
    expect(() => parseConsumed(line)).toThrow(why);
  });
});

describe('what it is told', () => {
  it.each([
    [{ type: 'CONNECTED', remote: 'xmpp::laptop/notes' }, 'CONNECTED xmpp::laptop/notes'],
    [{ type: 'DISCONNECTED', remote: 'laptop' }, 'DISCONNECTED laptop'],
    [{ type: 'SYNCING', remote: 'ssh://h/x' }, 'SYNCING ssh://h/x'],
    [{ type: 'DONESYNCING', remote: 'ssh://h/x', isGood: true }, 'DONESYNCING ssh://h/x 1'],
    [{ type: 'DONESYNCING', remote: 'ssh://h/x', isGood: false }, 'DONESYNCING ssh://h/x 0'],
    [{ type: 'WARNING', remote: 'laptop', words: 'the disk is  full' }, 'WARNING laptop the disk is  full'],
  ] as const)('%j is a line', (message, line) => {
    expect(formatEmitted(message)).toBe(line);
    expect(parseEmitted(line)).toEqual(message);
  });

  it('is one line, of bounded length, whatever the words hold', () => {
    const line = formatEmitted({ type: 'WARNING', remote: 'x', words: `a\r\nSTOP\u0007${'b'.repeat(900)}` });
    expect(line).toMatch(/^WARNING x a STOP b+$/);
    expect(line.length).toBeLessThanOrEqual(510);
  });

  it.each(['', 'CONNECTED', 'CONNECTED ', 'CONNECTED a b', 'SYNCING', 'DONESYNCING a', 'DONESYNCING a 2', 'DONESYNCING a 1 1', 'WARNING', 'PAUSE', 'connected a'])('is not %j', (line) => {
    expect(() => parseEmitted(line)).toThrow();
  });
});

describe('the URI of a remote', () => {
  it.each([
    ['xmpp::laptop/notes', 'xmpp::laptop/notes'],
    ['https://example.org/~anna/x.git?a=b#c', 'https://example.org/~anna/x.git?a=b#c'],
    // A URI already: it is not encoded twice.
    ['https://example.org/a%20b', 'https://example.org/a%20b'],
    ['file:///home/anna/Meine Büchér', 'file:///home/anna/Meine%20B%C3%BCch%C3%A9r'],
    // No URI, for its % stands for nothing.
    ['file:///100%', 'file:///100%25'],
    ['file:///a b%20c', 'file:///a%20b%2520c'],
    ['xmpp::laptop/💾', 'xmpp::laptop/%F0%9F%92%BE'],
    ['https://anna:secret@example.org/x', 'https://anna@example.org/x'],
    ['https://token@example.org/x', 'https://token@example.org/x'],
  ])('of %s is %s', (url, uri) => {
    expect(formatUri(url)).toBe(uri);
    expect(uri).not.toContain(' ');
  });

  it.each([
    ['git@example.org:me/x.git', 'ssh://git@example.org/~/me/x.git'],
    ['example.org:/srv/x.git', 'ssh://example.org/srv/x.git'],
    ['example.org:~me/x.git', 'ssh://example.org/~me/x.git'],
    ['git@[::1]:x', 'ssh://git@[::1]/~/x'],
    ['ssh://example.org/x', 'ssh://example.org/x'],
    ['xmpp::laptop/notes', 'xmpp::laptop/notes'],
    ['/srv/x', '/srv/x'],
  ])('of ssh: %s is %s', (url, uri) => {
    expect(sshUrlOf(url)).toBe(uri);
  });
});

describe('LineReader', () => {
  const read = (reader: LineReader, text: string | Uint8Array): (string | undefined)[] => reader.receive(typeof text === 'string' ? Buffer.from(text) : text);

  it('gives lines as they are completed, with and without a carriage return', () => {
    const reader = new LineReader();
    expect(read(reader, 'PAU')).toEqual([]);
    expect(read(reader, 'SE\nRESUME\r\n\nST')).toEqual(['PAUSE', 'RESUME', '']);
    expect(reader.end()).toEqual(['ST']);
    expect(reader.end()).toEqual([]);
  });

  it('gives nothing for a line that is too long or no UTF-8, and goes on after it', () => {
    const reader = new LineReader();
    expect(read(reader, 'x'.repeat(MAX_LINE_BYTES))).toEqual([]);
    expect(read(reader, 'x'.repeat(1_000_000))).toEqual([]);
    expect(read(reader, '\nSTOP\n')).toEqual([undefined, 'STOP']);
    expect(read(reader, Uint8Array.of(0xff, 0x0a))).toEqual([undefined]);
    expect(read(reader, `${'y'.repeat(MAX_LINE_BYTES)}\n`)).toEqual(['y'.repeat(MAX_LINE_BYTES)]);
    expect(read(reader, 'z'.repeat(MAX_LINE_BYTES + 1))).toEqual([]);
    expect(reader.end()).toEqual([undefined]);
  });
});
