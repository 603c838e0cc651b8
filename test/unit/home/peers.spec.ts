// The paired devices, in a real file.

import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Peers } from '../../../src/home/peers.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { parseDeviceId, parsePetname } from '../../../src/lib/names.ts';
import { makePeer, makeSpki } from '../../helpers/home-values.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

const LAPTOP = makePeer('Laptop', { lastSeen: 5, address: parseFullJid('anna@example.org/git-xmpp-abcdefgh') });
const DESKTOP = makePeer('desktop', { kind: 'other', isContactAddedByUs: true, version: 1 });

async function openPeers(): Promise<{ readonly path: string; readonly peers: Peers }> {
  const path = join(makeFolder(), 'peers.json');
  const peers = await Peers.open(path);
  return { path, peers };
}

describe('Peers', () => {
  it('is empty before the first pairing', async () => {
    const { peers } = await openPeers();
    expect(peers.list()).toEqual([]);
    expect(peers.byPetname('laptop')).toBeUndefined();
  });

  it('finds a peer by each of its names, and again when opened again', async () => {
    const { path, peers } = await openPeers();
    await peers.add(LAPTOP);
    await peers.add(DESKTOP);
    for (const each of [peers, await Peers.open(path)]) {
      expect(each.list()).toEqual([LAPTOP, DESKTOP]);
      expect(each.byDevice(LAPTOP.device)).toEqual(LAPTOP);
      expect(each.byPetname('laptop')).toEqual(LAPTOP);
      expect(each.bySpki(DESKTOP.spki)).toEqual(DESKTOP);
      expect(each.bySpki(makeSpki('phone'))).toBeUndefined();
    }
    expect(modeOf(path)).toBe(0o600);
  });

  it('refuses a device or a petname that is taken, and changes nothing', async () => {
    const { path, peers } = await openPeers();
    await peers.add(LAPTOP);
    const before = readFileSync(path, 'utf8');
    await expect(peers.add(LAPTOP)).rejects.toMatchObject({ code: 'exists' });
    await expect(peers.add(makePeer('phone', { petname: parsePetname('lapTOP') }))).rejects.toMatchObject({ code: 'exists' });
    expect(readFileSync(path, 'utf8')).toBe(before);
    expect(peers.list()).toEqual([LAPTOP]);
  });

  it('refuses a device id that is not the hash of the key', async () => {
    const { peers } = await openPeers();
    await expect(peers.add({ ...LAPTOP, spki: DESKTOP.spki })).rejects.toThrow('peer.device: is not the hash of peer.spki');
    expect(peers.list()).toEqual([]);
  });

  it('changes what a patch names, checked like a file', async () => {
    const { path, peers } = await openPeers();
    await peers.add(DESKTOP);
    await peers.update(DESKTOP.device, { lastSeen: 9, name: 'Büro' });
    expect((await Peers.open(path)).list()).toEqual([{ ...DESKTOP, lastSeen: 9, name: 'Büro' }]);
    await expect(peers.update(DESKTOP.device, { lastSeen: -1 })).rejects.toThrow('peer.lastSeen');
    await expect(peers.update(LAPTOP.device, { lastSeen: 1 })).rejects.toMatchObject({ code: 'no-such-peer' });
  });

  it('renames to a free and valid name, also to another case of the same', async () => {
    const { peers } = await openPeers();
    await peers.add(LAPTOP);
    await peers.add(DESKTOP);
    await peers.rename(LAPTOP.device, 'laptop');
    expect(peers.byDevice(LAPTOP.device)?.petname).toBe('laptop');
    await expect(peers.rename(LAPTOP.device, 'Desktop')).rejects.toMatchObject({ code: 'exists' });
    await expect(peers.rename(LAPTOP.device, '-x')).rejects.toMatchObject({ code: 'bad-input' });
    await expect(peers.rename(parseDeviceId('0'.repeat(32)), 'x')).rejects.toMatchObject({ code: 'no-such-peer' });
  });

  it('removes one and keeps the other', async () => {
    const { path, peers } = await openPeers();
    await peers.add(LAPTOP);
    await peers.add(DESKTOP);
    await peers.remove(LAPTOP.device);
    expect((await Peers.open(path)).list()).toEqual([DESKTOP]);
    await expect(peers.remove(LAPTOP.device)).rejects.toMatchObject({ code: 'no-such-peer' });
  });

  it('loses none of the changes asked for at once', async () => {
    const { path, peers } = await openPeers();
    await Promise.all(Array.from({ length: 12 }, (_, index) => peers.add(makePeer(`d${index}`))));
    await Promise.all(peers.list().map(({ device }, index) => peers.update(device, { lastSeen: index })));
    const again = await Peers.open(path);
    expect(again.list().map(({ lastSeen }) => lastSeen)).toEqual(Array.from({ length: 12 }, (_, index) => index));
  });

  it('holds 256 devices and no more', async () => {
    const path = join(makeFolder(), 'peers.json');
    const many = Array.from({ length: 256 }, (_, index) => makePeer(`d${index}`));
    writeFileSync(path, JSON.stringify({ version: 1, peers: many }));
    const peers = await Peers.open(path);
    await expect(peers.add(LAPTOP)).rejects.toMatchObject({ code: 'too-large' });
    writeFileSync(path, JSON.stringify({ version: 1, peers: [...many, LAPTOP] }));
    await expect(Peers.open(path)).rejects.toThrow('file.peers: is no list of at most 256');
  });

  it('answers as before when a change could not be written', async () => {
    const dir = join(makeFolder(), 'state');
    mkdirSync(dir);
    const peers = await Peers.open(join(dir, 'peers.json'));
    await peers.add(LAPTOP);
    rmSync(dir, { recursive: true });
    await expect(peers.add(DESKTOP)).rejects.toThrow('peers.json');
    expect(peers.list()).toEqual([LAPTOP]);
    mkdirSync(dir);
    await peers.add(DESKTOP);
    expect(peers.list()).toEqual([LAPTOP, DESKTOP]);
  });

  it('refuses a truncated file by name and leaves it', async () => {
    const { path, peers } = await openPeers();
    await peers.add(LAPTOP);
    truncateSync(path, 100);
    await expect(Peers.open(path)).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    expect(readFileSync(path)).toHaveLength(100);
  });
});
