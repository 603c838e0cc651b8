import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { makeConfirm, openConfirm } from '../../../src/pairing/confirm.ts';
import { OTHER_JID, SHOWER_CARD, TYPER_CARD, TYPER_JID } from '../../helpers/pairing.ts';

const KEYS = { tag: new Uint8Array(32).fill(1), card: new Uint8Array(32).fill(2) };
const CONFIRM = makeConfirm(KEYS, TYPER_CARD);
const BAD_CODE = expect.objectContaining({ code: 'bad-code' });
const EXPECTED = { from: TYPER_JID, own: SHOWER_CARD };

describe('openConfirm', () => {
  it('gives the card that was sealed beside the right tag', () => {
    expect(openConfirm(KEYS, CONFIRM, EXPECTED)).toEqual(TYPER_CARD);
  });

  it('refuses a wrong tag, and a seal of another key', () => {
    expect(() => openConfirm({ ...KEYS, tag: new Uint8Array(32) }, CONFIRM, EXPECTED)).toThrow(BAD_CODE);
    expect(() => openConfirm({ ...KEYS, card: KEYS.tag }, CONFIRM, EXPECTED)).toThrow(BAD_CODE);
  });

  it('refuses a card that came from elsewhere, and one’s own', () => {
    expect(() => openConfirm(KEYS, CONFIRM, { ...EXPECTED, from: OTHER_JID })).toThrow(InputFault);
    expect(() => openConfirm(KEYS, CONFIRM, { ...EXPECTED, own: TYPER_CARD })).toThrow(/this device/);
  });
});
