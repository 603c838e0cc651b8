// Words of a peer's git on their way to a terminal, cut wherever they come in two.

import { describe, expect, it } from 'vitest';
import { SideBandWords } from '../../../src/git/side-band-machine.ts';
import { packet } from '../../helpers/hostile-pack.ts';
import { band } from '../../helpers/hostile-server.ts';

const EVIL = Buffer.from('\u001b]0;title\u0007 \u001b[2J\u009b31m\u007f ö 50%\r\tdone\n');
const HARMLESS = Buffer.concat([Buffer.from('?]0;title? ?[2J'), Buffer.from([0xc2]), Buffer.from('?31m? ö 50%\r\tdone\n')]);

/** @param cut where it comes in two */
function cleaned(bytes: Buffer, cut = bytes.length): Buffer {
  const words = new SideBandWords();
  return Buffer.concat([words.clean(bytes.subarray(0, cut)), words.clean(bytes.subarray(cut))]);
}

describe('SideBandWords', () => {
  it.each([2, 3] as const)('masks what steers a terminal in band %i, and nothing else, wherever it is cut', (number) => {
    const answer = (words: Buffer): Buffer => Buffer.concat([Buffer.from(`${packet('NAK\n')}0001`), band(1, EVIL), band(number, words), band(number, words), band(1, EVIL), Buffer.from('0000')]);
    const wanted = answer(HARMLESS);
    for (let cut = 0; cut <= wanted.length; cut += 1) expect(cleaned(answer(EVIL), cut).equals(wanted)).toBe(true);
  });

  it('masks a control character that is cut by the end of a packet', () => {
    const [lead, rest] = [Buffer.from([0xc2]), Buffer.from([0x9b, 0x33])];
    expect(cleaned(Buffer.concat([band(2, lead), band(2, rest)])).equals(Buffer.concat([band(2, lead), band(2, Buffer.from('?3'))]))).toBe(true);
  });

  it.each([
    ['a pack without side band', Buffer.concat([Buffer.from(packet('NAK\n')), Buffer.from('PACK'), band(2, EVIL)])],
    ['refs', Buffer.concat([Buffer.from(`${packet(EVIL.toString())}0000`)])],
    ['a length that is none', Buffer.concat([Buffer.from('00x0'), band(2, EVIL)])],
  ])('leaves %s as it is, and copies nothing', (_what, bytes) => {
    expect(new SideBandWords().clean(bytes)).toBe(bytes);
  });
});
