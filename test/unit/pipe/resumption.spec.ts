// Who may resume, and every way in which one may not.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseLinkId } from '../../../src/pipe/frame-format.ts';
import type { CarrierName, ResumeFrame } from '../../../src/pipe/frame-format.ts';
import { Resumption } from '../../../src/pipe/resumption.ts';

const KEY = new Uint8Array(32).fill(5);
const LINK = parseLinkId('000102030405060708090a0b0c0d0e0f');
const CARRIER: CarrierName = { kind: 'in-band', sid: 'sid-1' };

function ends(): { dialler: Resumption; listener: Resumption } {
  const [dialler, listener] = [new Resumption('dialler', LINK), new Resumption('listener', LINK)];
  for (const end of [dialler, listener]) end.setKey(KEY);
  return { dialler, listener };
}

describe('Resumption', () => {
  it('accepts the next RESUME and its answer, each on its own side only', () => {
    const { dialler, listener } = ends();
    const asked = dialler.ask(CARRIER, 12);
    expect(asked).toMatchObject({ type: 'resume', role: 'dialler', epoch: 1, received: 12, carrier: CARRIER });
    expect(listener.whyRefused(asked, CARRIER)).toBeUndefined();
    const answered = listener.answer(asked, 34);
    expect(answered).toMatchObject({ type: 'resumed', role: 'listener', epoch: 1, received: 34 });
    expect(dialler.whyRefused(answered, CARRIER)).toBeUndefined();
    expect(dialler.whyRefused(asked, CARRIER)).toContain('wrong side');
    expect(listener.whyRefused(answered, CARRIER)).toContain('wrong side');
  });

  it('makes the MAC over the context, the type and every field', () => {
    const { mac } = ends().dialler.ask(CARRIER, 12);
    const covered = `04${LINK}0000000100000000000000000c0005${Buffer.from('sid-1').toString('hex')}`;
    const hmac = createHmac('sha256', KEY).update('git-xmpp-pipe/1').update(Buffer.from(covered, 'hex'));
    expect(Buffer.from(mac).toString('hex')).toBe(hmac.digest('hex'));
  });

  it('refuses a RESUME in which any field was changed', () => {
    const { dialler, listener } = ends();
    const asked = dialler.ask(CARRIER, 12);
    const changes: Partial<ResumeFrame>[] = [
      { type: 'resumed' },
      { linkId: parseLinkId('f'.repeat(32)) },
      { epoch: 2 },
      { role: 'listener' },
      { received: 13 },
      { carrier: { ...CARRIER, kind: 'direct' } },
      { carrier: { ...CARRIER, sid: 'sid-2' } },
      { mac: new Uint8Array(32) },
      { mac: new Uint8Array(0) },
    ];
    for (const change of changes) expect(listener.whyRefused({ ...asked, ...change }, CARRIER)).toContain('MAC is wrong');
  });

  it('refuses an epoch that is not above every accepted one', () => {
    const { dialler, listener } = ends();
    const [first, second] = [dialler.ask(CARRIER, 0), dialler.ask(CARRIER, 0)];
    listener.answer(second, 0);
    expect(listener.whyRefused(second, CARRIER)).toContain('epoch 2 is spent');
    expect(listener.whyRefused(first, CARRIER)).toContain('epoch 1 is spent');
    expect(listener.whyRefused(dialler.ask(CARRIER, 0), CARRIER)).toBeUndefined();
  });

  it('refuses an answer to an earlier RESUME', () => {
    const { dialler, listener } = ends();
    const answered = listener.answer(dialler.ask(CARRIER, 0), 0);
    dialler.ask(CARRIER, 0);
    expect(dialler.whyRefused(answered, CARRIER)).toContain('epoch 1 is spent');
  });

  it('refuses what was made for another carrier or another link under the same key', () => {
    const { dialler, listener } = ends();
    const asked = dialler.ask(CARRIER, 0);
    expect(listener.whyRefused(asked, { kind: 'in-band', sid: 'other' })).toContain('another carrier');
    expect(listener.whyRefused(asked, { kind: 'direct', sid: 'sid-1' })).toContain('another carrier');
    const stranger = new Resumption('listener', parseLinkId('f'.repeat(32)));
    stranger.setKey(KEY);
    expect(stranger.whyRefused(asked, CARRIER)).toContain('another link');
  });

  it('refuses everything, and asks nothing, without a key', () => {
    const { dialler } = ends();
    const keyless = new Resumption('listener', LINK);
    expect(keyless.whyRefused(dialler.ask(CARRIER, 0), CARRIER)).toContain('was not up');
    expect(() => new Resumption('dialler', LINK).ask(CARRIER, 0)).toThrow('before its link is up');
  });

  it('refuses a frame under another key', () => {
    const { dialler, listener } = ends();
    const asked = dialler.ask(CARRIER, 0);
    listener.setKey(new Uint8Array(32).fill(6));
    expect(listener.whyRefused(asked, CARRIER)).toContain('MAC is wrong');
  });
});
