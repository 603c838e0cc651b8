import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/lib/bytes.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { Exchange, deriveKey, isTagOf } from '../../../src/pairing/exchange.ts';
import type { Greetings, PairingKeys } from '../../../src/pairing/exchange.ts';
import { SHOWER_JID, TYPER_JID } from '../../helpers/pairing.ts';

const GREETINGS: Greetings = {
  typer: { jid: TYPER_JID, version: 1, nonce: new Uint8Array(16).fill(1) },
  shower: { jid: SHOWER_JID, version: 1, nonce: new Uint8Array(16).fill(2) },
};
const SECRET = utf8('cross-clock');

/** What the shower and the typer end with when they saw the given hellos. */
function agree(typer: Greetings, shower: Greetings): { typer: PairingKeys; shower: PairingKeys } {
  const a = new Exchange('typer', typer, { secret: SECRET, random: new Uint8Array(32).fill(3) });
  const b = new Exchange('shower', shower, { secret: SECRET, random: new Uint8Array(32).fill(4) });
  return { typer: a.finish(b.share), shower: b.finish(a.share) };
}

describe('Exchange', () => {
  it('gives both sides the same keys, four different ones', () => {
    const { typer, shower } = agree(GREETINGS, GREETINGS);
    expect(typer).toEqual(shower);
    const all = [typer.typer.tag, typer.typer.card, typer.shower.tag, typer.shower.card];
    expect(new Set(all.map((key) => Buffer.from(key).toString('hex'))).size).toBe(4);
    expect(all.every((key) => key.length === 32)).toBe(true);
  });

  const other = parseFullJid('eve@example.net/x');
  it.each<[string, Greetings]>([
    ['the typer’s address', { ...GREETINGS, typer: { ...GREETINGS.typer, jid: other } }],
    ['the shower’s address', { ...GREETINGS, shower: { ...GREETINGS.shower, jid: other } }],
    ['the typer’s version', { ...GREETINGS, typer: { ...GREETINGS.typer, version: 2 } }],
    ['the shower’s version', { ...GREETINGS, shower: { ...GREETINGS.shower, version: 257 } }],
    ['the typer’s nonce', { ...GREETINGS, typer: { ...GREETINGS.typer, nonce: new Uint8Array(16) } }],
    ['the shower’s nonce', { ...GREETINGS, shower: { ...GREETINGS.shower, nonce: new Uint8Array(16) } }],
    ['who is who', { typer: GREETINGS.shower, shower: GREETINGS.typer }],
  ])('binds %s', (_name, seen) => {
    const { typer, shower } = agree(GREETINGS, seen);
    expect(isTagOf(shower.typer, typer.typer.tag)).toBe(false);
    expect(isTagOf(typer.shower, shower.shower.tag)).toBe(false);
  });
});

describe('isTagOf', () => {
  it('refuses a tag of another length without an error', () => {
    const keys = { tag: new Uint8Array(32), card: new Uint8Array(32) };
    expect(isTagOf(keys, new Uint8Array(32))).toBe(true);
    expect(isTagOf(keys, new Uint8Array(31))).toBe(false);
    expect(isTagOf(keys, new Uint8Array(0))).toBe(false);
  });
});

describe('deriveKey', () => {
  it('gives another key for another secret, salt or purpose', () => {
    const key = (secret: string, salt: string, purpose: string): string =>
      Buffer.from(deriveKey(utf8(secret), utf8(salt), purpose)).toString('hex');
    expect(new Set([key('a', 'b', 'c'), key('x', 'b', 'c'), key('a', 'x', 'c'), key('a', 'b', 'x')]).size).toBe(4);
  });
});
