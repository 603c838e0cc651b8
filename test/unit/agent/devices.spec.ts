// Own devices that are unpaired and introduced: who hears of it, when, and who is not believed.

import { beforeEach, describe, expect, it } from 'vitest';
import { sealList } from '../../../src/agent/sealed-list.ts';
import { bareOf } from '../../../src/lib/jid.ts';
import { encodeBase64 } from '../../../src/lib/base64.ts';
import { signDeviceList, signNotice } from '../../../src/pairing/devices-format.ts';
import type { DeviceList } from '../../../src/pairing/devices-format.ts';
import { formatDevicesPayload } from '../../../src/xmpp/devices.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { NS_DEVICES } from '../../../src/xmpp/namespaces.ts';
import { WorldServer, makeDevice, pairInWorld } from '../../helpers/device-world.ts';
import type { WorldDevice } from '../../helpers/device-world.ts';
import { until } from '../../helpers/waiting.ts';

let server: WorldServer;
let laptop: WorldDevice;
let desktop: WorldDevice;
let phone: WorldDevice;

beforeEach(async () => {
  server = new WorldServer();
  [laptop, desktop, phone] = await Promise.all([makeDevice(server, 'laptop'), makeDevice(server, 'desktop'), makeDevice(server, 'phone')]);
  for (const [a, b] of [[laptop, desktop], [laptop, phone], [desktop, phone]] as const) await pairInWorld(a, b);
  await Promise.all([laptop, desktop, phone].map((device) => device.signIn()));
});

const peerOf = (device: WorldDevice, name: string): Parameters<WorldDevice['devices']['unpair']>[0] => {
  const peer = device.peers.byPetname(name);
  if (peer === undefined) throw new Error(`${name} is not paired`);
  return peer;
};
const typesOf = (device: WorldDevice): string[] => device.events.map(({ type }) => type);
const nodeOf = (device: WorldDevice): string => `${NS_DEVICES}:devices#${device.identity.device}`;

function listOf(signer: WorldDevice, changes: Partial<DeviceList>): DeviceList {
  return { device: signer.identity.device, account: bareOf(signer.address), counter: Date.now() + 1_000_000, revoked: [], introduced: [], ...changes };
}

/** A list sealed to `reader`, as the server would keep it. */
async function keep(signer: WorldDevice, reader: WorldDevice, changes: Partial<DeviceList> = {}, under = signer): Promise<void> {
  const sealed = await sealList(listOf(signer, changes), signer.identity, [{ recipient: reader.identity.ageRecipient }]);
  server.nodes.set(nodeOf(under), formatDevicesPayload('devices', sealed));
}

describe('whose word counts', () => {
  it('is told by the key of own devices alone, and of none that was unpaired', async () => {
    const friend = await makeDevice(server, 'friend', 'berta@example.org');
    await laptop.peers.add({ ...friend.peer('friend'), kind: 'other' });
    const keyOf = ({ identity }: WorldDevice): string | undefined => laptop.devices.pinOf(identity.device);
    expect([keyOf(phone), keyOf(friend)]).toEqual([phone.identity.spki, undefined]);
    await laptop.devices.unpair(peerOf(laptop, 'phone'));
    await laptop.peers.add(phone.peer('phone'));
    expect(keyOf(phone)).toBeUndefined();
  });
});

describe('a device that is unpaired', () => {
  it('is dropped at once by all that are there, which pass it on, and hears of it itself', async () => {
    const { told } = await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    expect(told.map(({ peer, how }) => [peer.petname, how])).toEqual([['phone', 'later']]);
    await until(() => desktop.names().length === 0 && phone.names().length === 1);
    expect([laptop.forgotten, phone.forgotten, desktop.forgotten]).toEqual([['desktop'], ['desktop'], ['laptop', 'phone']]);
    expect([laptop.names(), phone.names(), desktop.names()]).toEqual([['phone'], ['laptop'], []]);
    expect(phone.events.find(({ type }) => type === 'unpaired')).toMatchObject({ peer: 'desktop', by: 'laptop', words: expect.stringMatching(/^desktop was unpaired by laptop on /) as unknown });
    expect(desktop.devices.notes[0]).toMatch(/^this device was unpaired by laptop on .*git xmpp pair --new-identity/);
    expect(() => desktop.devices.requireOwnKey()).toThrow('and that is final');
    await until(() => server.nodes.has(nodeOf(phone)));
    expect(desktop.peers.whyGone('laptop')).toContain('this device was unpaired by laptop');
    expect(phone.peers.whyGone('Desktop')).toContain('was unpaired by laptop');
    expect(phone.peers.whyGone('tablet')).toBeUndefined();
  });

  it('is dropped before anything else by one that was away, also when only another passes it on', async () => {
    phone.signOut();
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => server.nodes.has(nodeOf(laptop)));
    await phone.signIn();
    expect(phone.names()).toEqual(['laptop']);
    const tablet = await makeDevice(server, 'tablet');
    await pairInWorld(tablet, phone);
    await tablet.peers.add(desktop.peer('desktop'));
    await phone.devices.telling.publish();
    await tablet.signIn();
    expect(tablet.names()).toEqual(['phone']);
  });

  it('hears of it at its next sign-in, where it was away', async () => {
    desktop.signOut();
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => server.nodes.has(`${NS_DEVICES}:unpaired#${desktop.identity.device}`));
    await desktop.signIn();
    expect(desktop.names()).toEqual([]);
    expect(typesOf(desktop)).toEqual(['unpaired-here', 'unpaired', 'unpaired']);
  });

  it('may not be paired again under its key, and is told so', async () => {
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    const { device, name, spki, recipient, jid } = desktop.peer('desktop');
    const card = { device, name, spki, recipient, jid, address: desktop.address, version: 1 };
    server.headlines.length = 0;
    expect(() => laptop.devices.checkCard(card)).toThrow('desktop was unpaired by laptop on');
    await until(() => server.headlines.length > 0);
    expect(server.headlines[0]).toMatchObject({ to: desktop.address, payload: { name: 'unpaired' } });
    expect(() => phone.devices.checkCard(card)).not.toThrow();
  });

  it('of another account is dropped here, and nobody is told', async () => {
    const eve = await makeDevice(server, 'eve', 'eve@example.net');
    await laptop.peers.add({ ...eve.peer('eve'), kind: 'other' });
    await laptop.devices.unpair(peerOf(laptop, 'eve'));
    expect(laptop.book.counter).toBe(0);
    expect([server.nodes.size, server.headlines.length]).toEqual([0, 0]);
    expect(laptop.devices.isRevoked(eve.identity.device)).toBe(false);
  });

  it('is dropped at the next start after a crash between word and deed', async () => {
    await laptop.book.revoke([{ device: desktop.identity.device, by: laptop.identity.device, at: 1, byName: 'laptop' }], 1);
    expect(laptop.names()).toContain('desktop');
    await laptop.devices.start();
    expect(laptop.names()).toEqual(['phone']);
    await phone.book.setUnpaired({ by: laptop.identity.device, byName: 'laptop', at: 1 });
    await phone.devices.start();
    expect(phone.names()).toEqual([]);
  });

  it('keeps what it was sealed before, and is sealed nothing after', async () => {
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => server.nodes.has(nodeOf(laptop)));
    const { to } = Object.fromEntries([['to', server.headlines.filter(({ payload }) => payload.name === 'devices').map((each) => each.to)]]);
    expect(to).not.toContain(desktop.address);
    const age = Buffer.from(server.nodes.get(nodeOf(laptop))?.text() ?? '', 'base64').toString('latin1');
    expect(age.match(/-> X25519/g)).toHaveLength(1);
  });
});

describe('what is not believed', () => {
  const revokeLaptop = (): Partial<DeviceList> => ({ revoked: [{ device: laptop.identity.device, by: desktop.identity.device, at: 1 }] });

  it.each<[string, () => Promise<void>]>([
    ['of an unpaired device, kept under its own name', () => keep(desktop, phone, revokeLaptop())],
    ['of an unpaired device, kept under the name of another', () => keep(desktop, phone, revokeLaptop(), laptop)],
  ])('is the list %s', async (_what, forge) => {
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => phone.names().length === 1);
    phone.signOut();
    await forge();
    await phone.signIn();
    expect(phone.names()).toEqual(['laptop']);
  });

  it.each<[string, () => Promise<void> | void, string]>([
    ['signed by another device', () => keep(desktop, phone, {}, laptop), "is another device's"],
    ['taken back to an older one', () => keep(laptop, phone, { counter: 1 }), 'is older than one that was read before'],
    ['of another account', () => keep(laptop, phone, { account: bareOf(eveAddress) }), 'is not of a device of this account'],
    ['that is no list', () => void server.nodes.set(nodeOf(laptop), xml('devices', { xmlns: 'urn:x' })), 'is none'],
    ['that is broken', () => void server.nodes.set(nodeOf(laptop), formatDevicesPayload('devices', 'AAAA')), 'it is not sealed to this device'],
  ])('is a list %s, and that is told', async (_what, forge, why) => {
    await phone.book.noteSeen(laptop.identity.device, 2);
    phone.signOut();
    await forge();
    await phone.signIn();
    expect(phone.events.find(({ type }) => type === 'devices-forged' || type === 'devices-unread')?.words).toContain(why);
    expect(phone.names()).toEqual(['desktop', 'laptop']);
  });

  it('is a list in a headline that nobody signed who counts, nor a notice', async () => {
    const stranger = await makeDevice(server, 'stranger');
    const sealed = await sealList(listOf(stranger, revokeLaptop()), stranger.identity, [{ recipient: phone.identity.ageRecipient }]);
    const notice = encodeBase64(signNotice({ device: phone.identity.device, by: laptop.identity.device, at: 1 }, stranger.identity.keyPem));
    const connection = server.connect(stranger.address);
    for (const payload of [formatDevicesPayload('devices', sealed), formatDevicesPayload('unpaired', notice), formatDevicesPayload('unpaired', '!')]) await connection.sendHeadline(phone.address, payload);
    await phone.devices.unpair(peerOf(phone, 'desktop'));
    expect(phone.book.unpaired).toBeUndefined();
    expect(phone.names()).toEqual(['laptop']);
  });

  it('is the list of one device that another tells over its link', async () => {
    const list = encodeBase64(signDeviceList(listOf(laptop, {}), laptop.identity.keyPem));
    await expect(phone.reading.answer(peerOf(phone, 'desktop'), { list })).rejects.toThrow("is another device's");
    await expect(phone.reading.answer(peerOf(phone, 'desktop'), {})).rejects.toThrow('is no text');
    expect(await phone.reading.answer(peerOf(phone, 'laptop'), { list })).toEqual({ refused: [] });
  });

  it('is that there is no list where there was one: what is known holds, and the loss is told', async () => {
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => server.nodes.has(nodeOf(phone)) && phone.book.seen.size > 0);
    phone.signOut();
    server.nodes.delete(nodeOf(laptop));
    await phone.signIn();
    expect(typesOf(phone)).toContain('devices-missing');
    expect(phone.devices.isRevoked(desktop.identity.device)).toBe(true);
  });

  it('is silence of a server without PEP, which is told as what it is', async () => {
    server.hasPep = false;
    await laptop.devices.unpair(peerOf(laptop, 'desktop'));
    await until(() => typesOf(laptop).includes('devices-unpublished') && phone.names().length === 1);
    phone.signOut();
    await phone.signIn();
    expect(typesOf(phone)).not.toContain('devices-missing');
    expect(phone.names()).toEqual(['laptop']);
  });
});

describe('a device that is introduced', () => {
  let tablet: WorldDevice;

  beforeEach(async () => {
    tablet = await makeDevice(server, 'tablet');
    await pairInWorld(laptop, tablet);
    await tablet.signIn();
  });

  it('is a peer of all others, by the one that vouches, and they are its peers', async () => {
    await laptop.devices.introduce(peerOf(laptop, 'tablet'));
    await until(() => tablet.names().length === 3 && phone.names().includes('tablet') && desktop.names().includes('tablet'));
    expect(phone.peers.byPetname('tablet')).toMatchObject({ kind: 'own', via: laptop.identity.device, viaName: 'laptop', spki: tablet.identity.spki });
    expect(tablet.peers.byPetname('phone')).toMatchObject({ via: laptop.identity.device });
    expect(phone.welcomed).toEqual(['tablet']);
    expect(typesOf(phone)).toContain('introduced');
    expect(phone.names()).toEqual(['desktop', 'laptop', 'tablet']);
  });

  it('is learnt of by one that was away', async () => {
    phone.signOut();
    await laptop.devices.introduce(peerOf(laptop, 'tablet'));
    await until(() => server.nodes.has(nodeOf(laptop)));
    await phone.signIn();
    expect(phone.names()).toContain('tablet');
  });

  it('may not introduce in its turn, and neither may one that it was introduced to it', async () => {
    await laptop.devices.introduce(peerOf(laptop, 'tablet'));
    await until(() => phone.names().includes('tablet') && tablet.names().includes('phone'));
    await expect(tablet.devices.introduce(peerOf(tablet, 'phone'))).rejects.toThrow('was introduced to this device itself');
    const watch = await makeDevice(server, 'watch');
    const { device, name, spki, recipient, jid } = watch.peer('watch');
    const card = { device, name, spki, recipient, jid, address: watch.address, version: 1 };
    const list = encodeBase64(signDeviceList(listOf(tablet, { introduced: [{ card, at: 1, to: [phone.identity.device] }] }), tablet.identity.keyPem));
    expect(await phone.reading.answer(peerOf(phone, 'tablet'), { list })).toEqual({ refused: ['was introduced itself, so it may not introduce watch'] });
    expect(phone.names()).not.toContain('watch');
    expect(typesOf(phone)).toContain('devices-refused');
  });

  it('is named for removal when the one that vouched for it is unpaired', async () => {
    await laptop.devices.introduce(peerOf(laptop, 'tablet'));
    await until(() => phone.names().includes('tablet'));
    const { orphans } = await phone.devices.unpair(peerOf(phone, 'laptop'));
    expect(orphans.map(({ petname }) => petname)).toEqual(['tablet']);
    expect(phone.devices.notes).toEqual([expect.stringContaining('tablet was introduced by laptop, which is unpaired: "git xmpp unpair tablet"')]);
    await until(() => desktop.names().length === 2);
    expect(desktop.events.find(({ type }) => type === 'introducer-unpaired')).toMatchObject({ peer: 'tablet' });
  });

  it('is nobody where there is nobody to introduce it to, or it is of another account', async () => {
    const eve = await makeDevice(server, 'eve', 'eve@example.net');
    await laptop.peers.add({ ...eve.peer('eve'), kind: 'other' });
    await expect(laptop.devices.introduce(peerOf(laptop, 'eve'))).rejects.toThrow('a device of another account');
    await expect(tablet.devices.introduce(peerOf(tablet, 'laptop'))).rejects.toThrow('nobody to introduce laptop to');
  });
});

const eveAddress = 'eve@example.net/x' as WorldDevice['address'];
