import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { InviteStore } from '../../../src/agent/invites.ts';
import type { KeptInvite } from '../../../src/agent/invites.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const DAY = 86_400_000;

let clock: VirtualClock;
let path: string;
let store: InviteStore;

beforeEach(() => {
  clock = new VirtualClock();
  path = join(makeFolder(), 'invites.json');
  store = new InviteStore(path, clock);
});

const invite = (number: number, patch: Partial<KeptInvite> = {}): KeptInvite => ({
  secret: new Uint8Array(32).fill(number),
  expiresAt: clock.now() + DAY,
  as: undefined,
  ...patch,
});

describe('InviteStore', () => {
  it('keeps nothing at first', async () => {
    expect(await store.list()).toEqual([]);
  });

  it('keeps invites over a restart', async () => {
    await store.add(invite(1));
    await store.add(invite(2, { as: 'bob' }));
    expect(await new InviteStore(path, clock).list()).toEqual([invite(1), invite(2, { as: 'bob' })]);
  });

  it('counts one that was used no more, even where that cannot be written down', async () => {
    await store.add(invite(1));
    await store.add(invite(2));
    const before = readFileSync(path);
    rmSync(path);
    mkdirSync(path);
    await expect(store.remove(invite(1).secret)).rejects.toThrow();
    rmSync(path, { recursive: true });
    writeFileSync(path, before, { mode: 0o600 });
    expect(await store.list()).toEqual([invite(2)]);
    // Which was written down meanwhile.
    expect(await new InviteStore(path, clock).list()).toEqual([invite(2)]);
  });

  it('is as secret as the device key', async () => {
    await store.add(invite(1));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('forgets one that was used, and only that one', async () => {
    await Promise.all([store.add(invite(1)), store.add(invite(2)), store.add(invite(3))]);
    await store.remove(invite(2).secret);
    await store.remove(invite(9).secret);
    expect((await store.list()).map(({ secret }) => secret[0])).toEqual([1, 3]);
  });

  it('shows none that is over, and drops it from the file at the next change', async () => {
    await store.add(invite(1));
    await clock.pass(DAY - 1);
    expect(await store.list()).toHaveLength(1);
    await clock.pass(1);
    expect(await store.list()).toEqual([]);
    await store.add(invite(2));
    const kept: unknown = JSON.parse(readFileSync(path, 'utf8'));
    expect(kept).toMatchObject({ invites: [{ secret: Buffer.alloc(32, 2).toString('base64') }] });
  });

  it('keeps the newest thirty-two', async () => {
    for (let number = 0; number < 40; number += 1) await store.add(invite(number));
    const kept = await store.list();
    expect([kept.length, kept[0]?.secret[0], kept.at(-1)?.secret[0]]).toEqual([32, 8, 39]);
  });

  it('loses none that are added at once', async () => {
    await Promise.all(Array.from({ length: 20 }, (_none, number) => store.add(invite(number))));
    expect(await store.list()).toHaveLength(20);
  });

  it.each([
    '{}',
    '{"invites":{}}',
    '{"invites":[{}]}',
    '{"invites":[{"secret":"AAAA","expiresAt":1}]}',
    `{"invites":[{"secret":"${'A'.repeat(43)}=","expiresAt":"soon"}]}`,
    '{"invites":[{"secret":{"toString":1},"expiresAt":1}]}',
    JSON.stringify({ invites: Array.from({ length: 33 }, () => ({})) }),
  ])('names a file that is damaged, and never what it holds: %s', async (text) => {
    writeFileSync(path, text, { mode: 0o600 });
    await expect(store.list()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    await expect(store.add(invite(1))).rejects.toMatchObject({ code: 'bad-config', message: expect.not.stringContaining('AAAA') });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
