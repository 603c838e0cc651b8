// How much others may send here: counted in a real file, until nothing is left.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_PUSH_BYTES, parseBytes, Quota } from '../../../src/agent/quota.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { makeFolder } from '../../helpers/repo.ts';

const own = makePeer('desktop');
const bob = makePeer('bob', { kind: 'other', jid: parseBareJid('bob@example.net') });
const eve = makePeer('eve', { kind: 'other', jid: parseBareJid('eve@example.net') });

let path: string;

beforeEach(() => {
  path = join(makeFolder(), 'quota.json');
});

const open = (total = 1000): Promise<Quota> => Quota.open(path, total);

describe('Quota', () => {
  it('does not count own devices', async () => {
    const quota = await open();
    await quota.count(own, 5000);
    expect(quota.left(own)).toBe(MAX_PUSH_BYTES);
    expect((await open(0)).left(own)).toBe(MAX_PUSH_BYTES);
  });

  it('adds up what another device sends, over restarts, and ends in disk-full', async () => {
    await (await open()).count(bob, 400);
    const quota = await open();
    expect(quota.left(bob)).toBe(600);
    await quota.count(bob, 599);
    expect((await open()).left(bob)).toBe(1);
    await quota.count(bob, 1);
    for (const each of [quota, await open()]) {
      expect(() => each.left(bob)).toThrow(expect.objectContaining({ code: 'disk-full', remedy: expect.stringContaining('xmpp.quota') }));
    }
  });

  it('has nothing left after a push that overshot', async () => {
    const quota = await open();
    await quota.count(bob, 1001);
    expect(() => quota.left(bob)).toThrow(expect.objectContaining({ code: 'disk-full' }));
  });

  it('counts each device for itself', async () => {
    const quota = await open();
    await quota.count(bob, 1000);
    expect(quota.left(eve)).toBe(1000);
  });

  it('counts all that comes in at the same time', async () => {
    const quota = await open();
    await Promise.all([quota.count(bob, 100), quota.count(eve, 10), quota.count(bob, 200)]);
    const again = await open();
    expect([again.left(bob), again.left(eve)]).toEqual([700, 990]);
  });

  it('lets one push hold 4 GiB at most, whatever is left', async () => {
    expect((await open(MAX_PUSH_BYTES + 1)).left(bob)).toBe(MAX_PUSH_BYTES);
  });

  it('gives more to all when it is raised', async () => {
    await (await open()).count(bob, 1000);
    expect((await open(1500)).left(bob)).toBe(500);
  });

  it('forgets a device that was unpaired, and no other', async () => {
    const quota = await open();
    await quota.count(bob, 1000);
    await quota.count(eve, 1);
    await quota.forget(bob.device);
    const again = await open();
    expect([again.left(bob), again.left(eve)]).toEqual([1000, 999]);
  });

  it.each(['{', '[]', '{"bob":1}', `{"${bob.device}":-1}`, `{"${bob.device}":1.5}`, `{"${bob.device}":"1"}`, `{"${bob.device}":9007199254740993}`])(
    'names a damaged file and leaves it as it is: %s',
    async (text) => {
      writeFileSync(path, text, { mode: 0o600 });
      await expect(open()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
      expect(readFileSync(path, 'utf8')).toBe(text);
    },
  );
});

describe('parseBytes', () => {
  it.each([
    ['0', 0],
    ['4096', 4096],
    ['1k', 1024],
    ['500m', 500 * 2 ** 20],
    ['8g', 8 * 2 ** 30],
    ['2G', 2 * 2 ** 30],
  ])('reads %s as git-config does', (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it.each(['', 'k', '-1', '1.5g', '8 g', '8gb', '8t', '1e9', '0x10', ' 8', '8\n', '1'.repeat(13), 'true'])('refuses %j', (text) => {
    expect(() => parseBytes(text)).toThrow(expect.objectContaining({ code: 'bad-input', message: expect.stringContaining('xmpp.quota') }));
  });
});
