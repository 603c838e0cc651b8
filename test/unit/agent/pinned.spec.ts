import { describe, expect, it } from 'vitest';
import { findPinned } from '../../../src/agent/pinned.ts';
import type { Peer } from '../../../src/home/peers.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { makePeer, makeSpki } from '../../helpers/home-values.ts';

const anna = parseBareJid('anna@example.org');
const berta = parseBareJid('berta@example.org');
const laptop = makePeer('laptop', { jid: anna });
const friend = makePeer('friend', { jid: berta, kind: 'other' });
const me = makePeer('me', { jid: anna });

function find(spki: string, account: typeof anna, revoked: readonly DeviceId[] = []): DeviceId | undefined {
  const paired: readonly Peer[] = [laptop, friend, me];
  const peers = { bySpki: (key: string) => paired.find((each) => each.spki === key) };
  return findPinned({ me: me.device, peers, isRevoked: (device) => revoked.includes(device) }, spki, account);
}

describe('findPinned', () => {
  it('finds a paired device by its key, from its own account', () => {
    expect([find(laptop.spki, anna), find(friend.spki, berta)]).toEqual([laptop.device, friend.device]);
  });

  it('lets no key in that is not paired', () => {
    expect(find(makeSpki('stranger'), anna)).toBeUndefined();
  });

  it('lets no paired key in from another account, be it a known one', () => {
    expect([find(laptop.spki, berta), find(friend.spki, anna)]).toEqual([undefined, undefined]);
  });

  it('lets no device in that was unpaired, though its key is still there', () => {
    expect(find(laptop.spki, anna, [laptop.device])).toBeUndefined();
  });

  it('lets nobody in with the key of this device itself', () => {
    expect(find(me.spki, anna)).toBeUndefined();
  });
});
