// What is known of own devices, on the disk: final, bounded, read back as it was.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DeviceBook } from '../../../src/agent/device-book.ts';
import { MAX_HELD } from '../../../src/agent/device-book-format.ts';
import { parseDeviceId } from '../../../src/lib/names.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import { MAX_INTRODUCED, MAX_REVOKED, formatDeviceList, parseDeviceList } from '../../../src/pairing/devices-format.ts';
import { NOW, TYPER_CARD, makeCard } from '../../helpers/pairing.ts';
import { makeFolder } from '../../helpers/repo.ts';

const id = (index: number): DeviceId => parseDeviceId(index.toString(16).padStart(32, '0'));
const held = (index: number): Parameters<DeviceBook['revoke']>[0][number] => ({ device: id(index), by: id(1), at: NOW, name: 'desktop', byName: 'laptop' });
const pathOf = (): string => join(makeFolder(), 'devices.json');

describe('DeviceBook', () => {
  it('is read back as it was, with a counter that rises with what it says', async () => {
    const path = pathOf();
    const book = await DeviceBook.open(path);
    expect(book.counter).toBe(0);
    await book.revoke([held(2)], NOW);
    expect(book.counter).toBe(NOW);
    await book.introduce([{ card: TYPER_CARD, at: NOW, to: [id(3), id(2)] }], NOW - 10);
    expect(book.counter).toBe(NOW + 1);
    await book.noteSeen(id(3), 7);
    await book.noteSeen(id(3), 5);
    await book.setUnpaired({ by: id(1), byName: 'laptop', at: NOW });
    await book.setUnpaired({ by: id(9), byName: 'another', at: NOW + 1 });
    const again = await DeviceBook.open(path);
    expect([again.counter, again.revoked, again.unpaired, [...again.seen]]).toEqual([NOW + 1, [held(2)], { by: id(1), byName: 'laptop', at: NOW }, [[id(3), 7]]]);
    const list = again.list(id(1), TYPER_CARD.jid);
    expect(parseDeviceList(formatDeviceList(list))).toEqual(list);
    expect(list.introduced).toEqual([{ card: TYPER_CARD, at: NOW, to: [id(2), id(3)] }]);
  });

  it('says nothing new where nothing is', async () => {
    const book = await DeviceBook.open(pathOf());
    await book.revoke([held(2)], NOW);
    await book.revoke([{ ...held(2), by: id(5) }], NOW + 5);
    expect([book.counter, book.revocationOf(id(2))?.by]).toEqual([NOW, id(1)]);
  });

  it('introduces nobody any more who was unpaired, and to nobody', async () => {
    const book = await DeviceBook.open(pathOf());
    const other = makeCard('anna@example.org/x', 'phone');
    await book.introduce([{ card: TYPER_CARD, at: NOW, to: [id(3)] }, { card: other, at: NOW, to: [TYPER_CARD.device, id(3)].toSorted() }], NOW);
    await book.revoke([{ ...held(2), device: TYPER_CARD.device }], NOW);
    expect(book.introduced).toEqual([{ card: other, at: NOW, to: [id(3)] }]);
  });

  it('lets introductions go after thirty days, and takes no more at a time than a list holds', async () => {
    const book = await DeviceBook.open(pathOf());
    await book.introduce([{ card: TYPER_CARD, at: NOW, to: [id(3)] }], NOW);
    await book.introduce([{ card: makeCard('anna@example.org/x'), at: NOW + 31 * 86_400_000, to: [id(3)] }], NOW + 31 * 86_400_000);
    expect(book.introduced).toHaveLength(1);
    const many = Array.from({ length: MAX_INTRODUCED }, (_, index) => ({ card: makeCard(`anna@example.org/${index}`), at: NOW, to: [id(3)] }));
    await expect(book.introduce(many, NOW)).rejects.toMatchObject({ code: 'too-large' });
    expect(book.introduced).toHaveLength(1);
  });

  it('stays within what can be read back, and tells the newest', async () => {
    const path = pathOf();
    const book = await DeviceBook.open(path);
    await book.revoke(Array.from({ length: MAX_HELD + 5 }, (_, index) => held(index + 10)), NOW);
    const again = await DeviceBook.open(path);
    expect(again.revoked).toHaveLength(MAX_HELD);
    const list = again.list(id(1), TYPER_CARD.jid);
    expect(list.revoked).toHaveLength(MAX_REVOKED);
    expect(list.revoked.at(-1)?.device).toBe(id(MAX_HELD + 14));
  });

  it('is forgotten whole for a new key', async () => {
    const path = pathOf();
    const book = await DeviceBook.open(path);
    await book.revoke([held(2)], NOW);
    await book.clear();
    expect([(await DeviceBook.open(path)).revoked, book.counter]).toEqual([[], 0]);
  });

  it.each([
    ['{"version":1}', 'file.counter'],
    ['{"version":2}', 'file.version'],
    ['{"version":1,"counter":1,"revoked":[{"device":"x"}],"introduced":[],"seen":[]}', 'file.revoked[0].device'],
    ['{"version":1,"counter":1,"revoked":[],"introduced":[{"card":{},"at":1,"to":[]}],"seen":[]}', 'device card'],
    ['{"version":1,"counter":1,"revoked":[],"introduced":[],"seen":[],"unpaired":true}', 'file.unpaired'],
    ['{"version":1,"counter":1,"revoked":[],"introduced":[],"seen":[],"more":1}', 'file.more'],
  ])('names what is wrong with %s', async (text, named) => {
    const path = pathOf();
    writeFileSync(path, text, { mode: 0o600 });
    await expect(DeviceBook.open(path)).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(named) as unknown });
  });
});
