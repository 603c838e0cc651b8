import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { formatInvite, inviteId, makeInvite, parseInvite, secretOfInvite } from '../../../src/pairing/invite-format.ts';

const SECRET = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const INVITE = makeInvite(parseBareJid('anna@example.org'), SECRET);
const TEXT = formatInvite(INVITE);

describe('makeInvite', () => {
  it('refuses anything but 256 random bits', () => {
    expect(() => makeInvite(INVITE.jid, new Uint8Array(16))).toThrow(/32 random bytes/);
  });
});

describe('formatInvite', () => {
  it('is a link of a scheme that no chat client opens', () => {
    expect(TEXT).toMatch(/^git-xmpp:anna@example\.org#[A-Za-z0-9_-]{43}$/);
  });

  it('keeps a JID whole that holds the signs of a link', () => {
    const jid = parseBareJid('a#b?c%d@bücher.example');
    expect(parseInvite(formatInvite({ jid, secret: SECRET })).jid).toBe(jid);
  });
});

describe('parseInvite', () => {
  it('reads what formatInvite writes, with white space around it', () => {
    expect(parseInvite(` ${TEXT}\n`)).toEqual(INVITE);
    expect(parseInvite(TEXT.replace('git-xmpp', 'GIT-XMPP'))).toEqual(INVITE);
  });

  it.each([
    ['another scheme', TEXT.replace('git-xmpp:', 'xmpp:')],
    ['no secret', TEXT.replace(/#.*/, '')],
    ['a secret cut short', TEXT.slice(0, -1)],
    ['a secret too long', `${TEXT}A`],
    ['plain base64', TEXT.replace(/-|_/, '+')],
    ['bits after the end of the secret', `${TEXT.slice(0, -1)}B`],
    ['two secrets', `${TEXT}#x`],
    ['no JID', TEXT.replace('anna@example.org', 'anna')],
    ['a full JID', TEXT.replace('example.org', 'example.org/x')],
    ['a broken percent-encoding', TEXT.replace('anna', '%E0%A4%A')],
    ['nothing', ''],
    ['a book', `git-xmpp:${'x'.repeat(4000)}`],
  ])('refuses %s', (_name, text) => {
    expect(() => parseInvite(text)).toThrow(InputFault);
  });

  it('says of one that was cut short how to get it whole', () => {
    const told = { message: expect.stringContaining('cut short or garbled') as string, remedy: expect.stringContaining('copy the whole line') as string };
    for (const text of [TEXT.slice(0, -1), `${TEXT}A`]) expect(() => parseInvite(text)).toThrow(expect.objectContaining(told));
  });

  it('never repeats the secret in its error', () => {
    const secret = TEXT.split('#')[1] ?? '';
    for (const text of [TEXT.slice(0, -1), `${TEXT}#x`, TEXT.replace('git-xmpp:', 'xmpp:'), TEXT.replace('anna@', '')]) {
      const message = expect.stringContaining(secret.slice(0, 20));
      expect(() => parseInvite(text)).toThrow(expect.not.objectContaining({ message }));
    }
  });
});

describe('inviteId', () => {
  it('is 32 hex digits that differ with the secret and do not show it', () => {
    expect(inviteId(SECRET)).toMatch(/^[0-9a-f]{32}$/);
    expect(inviteId(SECRET)).not.toBe(inviteId(new Uint8Array(32)));
    expect(Buffer.from(SECRET).toString('hex')).not.toContain(inviteId(SECRET));
    expect(secretOfInvite(INVITE)).toEqual({ kind: 'invite', id: inviteId(SECRET), secret: SECRET });
  });
});
