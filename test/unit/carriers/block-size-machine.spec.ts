// When larger blocks are worth it, and safe.

import { describe, expect, it } from 'vitest';
import { fitsStanza, isUnthrottled, mayUseLargeBlocks, SmallServers } from '../../../src/carriers/block-size-machine.ts';

const FAST = { rateBytesPerS: 2_000_000, srttMs: 30, ackedBytes: 1_000_000, maxStanzaBytes: 65_536, isKnownSmall: false };

describe('mayUseLargeBlocks', () => {
  it('says yes on a fast path to a server that says nothing of its limits', () => {
    expect(mayUseLargeBlocks(FAST)).toBe(true);
  });

  it.each([
    ['a rate that a limit may let through', { rateBytesPerS: 512_000 }],
    ['no rate measured yet', { rateBytesPerS: undefined }],
    ['a long round trip', { srttMs: 100 }],
    ['too little carried to tell', { ackedBytes: 262_143 }],
    ['a server that takes no such stanza', { maxStanzaBytes: 30_000 }],
    ['a server on which it has failed', { isKnownSmall: true }],
  ])('says no with %s', (_name, change) => {
    expect(mayUseLargeBlocks({ ...FAST, ...change })).toBe(false);
  });

  it('leaves three tenths of the longest stanza free', () => {
    const stanza = 21_848 + 512;
    expect(fitsStanza(16_384, Math.ceil(stanza / 0.7))).toBe(true);
    expect(fitsStanza(16_384, Math.floor(stanza / 0.7) - 1)).toBe(false);
  });

  it('finds a fast path slow only at half the rate, or twice the delay', () => {
    expect(isUnthrottled({ ...FAST, rateBytesPerS: 300_000, srttMs: 150 })).toBe(false);
    expect(isUnthrottled({ ...FAST, rateBytesPerS: 300_000, srttMs: 150 }, true)).toBe(true);
    expect(isUnthrottled({ ...FAST, rateBytesPerS: 256_000 }, true)).toBe(false);
    expect(isUnthrottled({ ...FAST, srttMs: 200 }, true)).toBe(false);
  });
});

describe('SmallServers', () => {
  it('keeps what it learns, and says what is new', () => {
    const servers = new SmallServers();
    expect(servers.learn('one.example')).toBe(true);
    expect(servers.learn('one.example')).toBe(false);
    expect(servers.isSmall('one.example')).toBe(true);
    expect(servers.isSmall('two.example')).toBe(false);
  });
});
