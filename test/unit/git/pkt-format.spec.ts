// Packet lines: what git is told of a peer, and what lies in the packets of its push.

import { describe, expect, it } from 'vitest';
import { formatAdvertisement, PacketReader } from '../../../src/git/pkt-format.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import { utf8 } from '../../../src/lib/bytes.ts';

const oid = parseOid('1'.repeat(40));
const text = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('utf8');

describe('formatAdvertisement', () => {
  it('names every ref, and says behind the first what can be done', () => {
    const refs = new Map([[parseRefName('refs/xmpp/a/heads/main'), oid], [parseRefName('refs/xmpp/a/heads/ö'), oid]]);
    expect(Buffer.from(formatAdvertisement(refs, oid)).toString()).toBe(
      `006d${oid} refs/xmpp/a/heads/main\0delete-refs ofs-delta object-format=sha1\n0042${oid} refs/xmpp/a/heads/ö\n0000`,
    );
  });

  it('says so where nothing is held, and which hash is in use', () => {
    const sha256 = parseOid('2'.repeat(64));
    expect(Buffer.from(formatAdvertisement(new Map(), sha256)).toString()).toContain(`${'0'.repeat(64)} capabilities^{}\0delete-refs ofs-delta object-format=sha256\n0000`);
  });
});

describe('PacketReader', () => {
  it('gives what lies in packets, cut wherever they come in two', () => {
    const bytes = utf8('0009hello0004000aworld!00000000');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = new PacketReader();
      expect(text([...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))])).toBe('helloworld!');
      expect(reader.isOver).toBe(true);
    }
  });

  it('is not over before the flush packet', () => {
    const reader = new PacketReader();
    reader.push(utf8('0009hello00'));
    expect(reader.isOver).toBe(false);
  });

  it.each(['0003', 'fff1', '00g0', '-001', ' 009', '000A', '00000009hello'])('refuses %s', (wrong) => {
    expect(() => new PacketReader().push(utf8(`${wrong}xxxxxx`))).toThrow('packet');
  });
});
