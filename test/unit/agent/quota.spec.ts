// How much others may send here: counted in a real file, until nothing is left.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_PUSH_BYTES, parseBytes, Quota } from '../../../src/agent/quota.ts';
import { MAX_WAITING } from '../../../src/agent/device-turns.ts';
import { CPU_SECONDS } from '../../../src/git/push-limits.ts';
import type { Peer } from '../../../src/home/peers.ts';
import type { Fault } from '../../../src/lib/errors.ts';
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

/** Sends so many bytes. @returns whether they were let in */
async function send(quota: Quota, peer: Peer, bytes: number): Promise<boolean> {
  const admission = await quota.begin(peer);
  const isIn = admission.admitBytes(new Uint8Array(bytes));
  await admission.end();
  return isIn;
}

describe('Quota', () => {
  it('does not count own devices', async () => {
    const quota = await open();
    await send(quota, own, 5000);
    expect(quota.left(own)).toBe(MAX_PUSH_BYTES);
    expect((await open(0)).left(own)).toBe(MAX_PUSH_BYTES);
  });

  it('adds up what another device sends, over restarts, and ends in disk-full', async () => {
    await send(await open(), bob, 400);
    const quota = await open();
    expect(quota.left(bob)).toBe(600);
    await send(quota, bob, 599);
    expect((await open()).left(bob)).toBe(1);
    await send(quota, bob, 1);
    for (const each of [quota, await open()]) {
      expect(() => each.left(bob)).toThrow(expect.objectContaining({ code: 'disk-full', remedy: expect.stringContaining('xmpp.quota') }));
    }
  });

  it('has nothing left after a push that overshot, and lets in no part of what is too much', async () => {
    const quota = await open();
    expect(await send(quota, bob, 1001)).toBe(false);
    expect(() => quota.left(bob)).toThrow(expect.objectContaining({ code: 'disk-full' }));
  });

  it('counts each device for itself', async () => {
    const quota = await open();
    await send(quota, bob, 1000);
    expect(quota.left(eve)).toBe(1000);
  });

  it('counts all that comes in at the same time', async () => {
    const quota = await open();
    await Promise.all([send(quota, bob, 100), send(quota, eve, 10), send(quota, bob, 200)]);
    const again = await open();
    expect([again.left(bob), again.left(eve)]).toEqual([700, 990]);
  });

  it('is not overrun by pushes that run at the same time', async () => {
    const quota = await open();
    const [one, two] = [await quota.begin(bob), await quota.begin(bob)];
    expect(one.admitBytes(new Uint8Array(600))).toBe(true);
    expect(two.admitBytes(new Uint8Array(300))).toBe(true);
    expect(two.admitBytes(new Uint8Array(300))).toBe(false);
    expect(two.why).toContain('quota of this device is used up');
    expect(one.admitBytes(new Uint8Array(1))).toBe(false);
    expect(one.admitBytes(new Uint8Array(0))).toBe(false);
    await Promise.all([one.end(), two.end()]);
    expect(() => quota.left(bob)).toThrow(expect.objectContaining({ code: 'disk-full' }));
  });

  it('lets in two pushes of another device at a time, the next ones in their order, and few wait', async () => {
    const quota = await open();
    const [first, second] = [await quota.begin(bob), await quota.begin(bob)];
    const came: string[] = [];
    const waiting = Array.from({ length: MAX_WAITING }, async (_, index) => {
      const admission = await quota.begin(bob);
      came.push(String(index));
      return admission;
    });
    await expect(quota.begin(bob)).rejects.toMatchObject({ code: 'throttled' });
    for (const admission of [await quota.begin(eve), await quota.begin(own), await quota.begin(own), await quota.begin(own)]) await admission.end();
    expect(came).toEqual([]);
    await first.end();
    await first.end();
    const third = await waiting[0];
    expect(came).toEqual(['0']);
    await Promise.all([second.end(), third?.end(), ...waiting.slice(1).map(async (each) => (await each).end())]);
    expect(came).toEqual(waiting.map((_, index) => String(index)));
  });

  it('gives the turn of a push on when there is nothing left for the next one', async () => {
    const quota = await open();
    const [one, two] = [await quota.begin(bob), await quota.begin(bob)];
    const late = Promise.allSettled([quota.begin(bob), quota.begin(bob)]);
    one.admitBytes(new Uint8Array(1001));
    await Promise.all([one.end(), two.end()]);
    expect((await late).map((each) => each.status === 'rejected' && (each.reason as Fault).code)).toEqual(['disk-full', 'disk-full']);
    await expect(quota.begin(bob)).rejects.toMatchObject({ code: 'disk-full' });
  });

  it('bounds what git may use for another device, and not for an own one', async () => {
    const quota = await open();
    const start = { args: ['receive-pack'], config: {}, env: {} };
    const [theirs, ours] = [await quota.begin(bob), await quota.begin(own)];
    expect(theirs.bound(start)).toMatchObject({ cpuSeconds: CPU_SECONDS, env: { GIT_ALLOC_LIMIT: expect.stringMatching(/^\d+m$/) }, config: { 'pack.threads': '1' } });
    expect(ours.bound(start)).toEqual(start);
  });

  it('lets one push hold 4 GiB at most, whatever is left', async () => {
    expect((await open(MAX_PUSH_BYTES + 1)).left(bob)).toBe(MAX_PUSH_BYTES);
  });

  it('gives more to all when it is raised', async () => {
    await send(await open(), bob, 1000);
    expect((await open(1500)).left(bob)).toBe(500);
  });

  it('forgets a device that was unpaired, and no other', async () => {
    const quota = await open();
    await send(quota, bob, 1000);
    await send(quota, eve, 1);
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
