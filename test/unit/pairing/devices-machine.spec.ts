// What a list of another device changes: who may say it, about whom, and what is left of it.

import { describe, expect, it } from 'vitest';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { MAX_REVOKED } from '../../../src/pairing/devices-format.ts';
import type { DeviceList, Revoked } from '../../../src/pairing/devices-format.ts';
import { INTRODUCTION_MS, judgeList } from '../../../src/pairing/devices-machine.ts';
import type { DevicesFacts, PairedFacts } from '../../../src/pairing/devices-machine.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { NOW, makeCard } from '../../helpers/pairing.ts';

const ACCOUNT = parseBareJid('anna@example.org');
const [me, laptop, desktop, friend] = [1, 2, 3, 4].map(() => makeDeviceKey().device) as [DeviceId, DeviceId, DeviceId, DeviceId];
const card = makeCard(`${ACCOUNT}/git-xmpp-aaaaaaaa`, 'phone');

const PAIRED = new Map<DeviceId, PairedFacts>([
  [laptop, { kind: 'own' }],
  [desktop, { kind: 'own', via: laptop }],
  [friend, { kind: 'other' }],
]);

function facts(changes: Partial<DevicesFacts> = {}): DevicesFacts {
  return { me, account: ACCOUNT, paired: (device) => PAIRED.get(device), revoked: new Map(), seen: new Map(), now: NOW, ...changes };
}

function list(changes: Partial<DeviceList> = {}): DeviceList {
  return { device: laptop, account: ACCOUNT, counter: NOW, revoked: [], introduced: [], ...changes };
}

const gone = (device: DeviceId): Revoked => ({ device, by: laptop, at: NOW });
const held = (...devices: DeviceId[]): ReadonlyMap<DeviceId, Revoked> => new Map(devices.map((device) => [device, gone(device)]));

describe('judgeList', () => {
  it('takes the word of an own device on another one, paired here or not, and on this very one', () => {
    const stranger = makeDeviceKey().device;
    expect(judgeList(list({ revoked: [gone(desktop), gone(stranger), gone(me)] }), facts())).toMatchObject({
      type: 'taken',
      revoked: expect.arrayContaining([gone(desktop), gone(stranger), gone(me)]) as unknown,
      refused: [],
    });
  });

  it.each<[string, Partial<DeviceList>, Partial<DevicesFacts>, string]>([
    ['of another account', { device: friend }, {}, 'not of a device of this account'],
    ['that is not paired', { device: makeDeviceKey().device }, {}, 'not of a device of this account'],
    ['that signs for another account', { account: parseBareJid('eve@example.org') }, {}, 'not of a device of this account'],
    ['that was unpaired', { device: laptop }, { revoked: held(laptop) }, 'unpaired itself'],
    ['that says less than before', { counter: NOW - 1 }, { seen: new Map([[laptop, NOW]]) }, 'older than one'],
  ])('refuses the whole list of a device %s', (_what, said, known, why) => {
    expect(judgeList(list({ revoked: [gone(desktop)], ...said }), facts(known))).toMatchObject({ type: 'refused', why: expect.stringContaining(why) as unknown });
  });

  it('does nothing twice', () => {
    expect(judgeList(list(), facts({ seen: new Map([[laptop, NOW]]) }))).toEqual({ type: 'known' });
    expect(judgeList(list({ revoked: [gone(desktop)] }), facts({ revoked: held(desktop) }))).toMatchObject({ type: 'taken', revoked: [] });
  });

  it('does not let an own device unpair one of another account', () => {
    expect(judgeList(list({ revoked: [gone(friend)] }), facts())).toMatchObject({ type: 'taken', revoked: [], refused: [expect.stringContaining('another account')] });
  });

  it('holds those that are paired here before any strangers, and no more strangers than there is room for', () => {
    const strangers = Array.from({ length: 4 }, () => gone(makeDeviceKey().device));
    const full = held(...Array.from({ length: MAX_REVOKED - 1 }, () => makeDeviceKey().device));
    const verdict = judgeList(list({ revoked: [...strangers, gone(desktop)] }), facts({ revoked: full }));
    expect(verdict.type === 'taken' ? verdict.revoked.map(({ device }) => device) : []).toEqual([desktop, strangers[0]?.device]);
  });

  it('adds whom an own device introduces to this one, and nobody else', () => {
    const introduced = [{ card, at: NOW, to: [me] }];
    expect(judgeList(list({ introduced }), facts())).toMatchObject({ added: [card], refused: [] });
    expect(judgeList(list({ introduced: [{ card, at: NOW, to: [desktop] }] }), facts())).toMatchObject({ added: [], refused: [] });
    expect(judgeList(list({ introduced }), facts({ me: card.device }))).toMatchObject({ added: [] });
    const paired = (device: DeviceId): PairedFacts | undefined => (device === card.device ? { kind: 'own' } : PAIRED.get(device));
    expect(judgeList(list({ introduced }), facts({ paired }))).toMatchObject({ added: [], refused: [] });
  });

  it.each<[string, Partial<DeviceList>, Partial<DevicesFacts>, string]>([
    ['by a device that was introduced itself', { device: desktop }, {}, 'may not introduce phone'],
    ['of one that was unpaired', {}, { revoked: held(card.device) }, 'which was unpaired'],
    ['of one that the same list unpairs', { revoked: [gone(card.device)] }, {}, 'which was unpaired'],
    ['of one of another account', { account: ACCOUNT, introduced: [{ card: makeCard('eve@example.org/x', 'phone'), at: NOW, to: [me] }] }, {}, 'another account'],
    ['of 30 days ago', {}, { now: NOW + INTRODUCTION_MS }, 'introduced phone more than 30 days ago, so pair the two by a code'],
  ])('refuses an introduction %s', (_what, said, known, why) => {
    const verdict = judgeList(list({ introduced: [{ card, at: NOW, to: [me] }], ...said }), facts(known));
    expect(verdict).toMatchObject({ type: 'taken', added: [], refused: [expect.stringContaining(why)] });
  });
});
