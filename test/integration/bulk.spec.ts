// Small things overtake large ones through a server that lets 10 kB a second in (docs/PROTOCOL.md, "Bulk"). Rule: judged by what had gone
// through meanwhile, never by seconds: the proxy before one device counts the bytes.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Device, Ongoing } from '../helpers/device.ts';
import { shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const LARGE_BYTES = 320_000;
/** What the server lets through in the time that a queue of two blocks and a piece takes, with room for the commands' own start. */
const QUEUE_BYTES = 40_000;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let notes: string;
let clone: Ongoing;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  ({ notes } = await shareNotes(setting));
  const large = await laptop.repo('large');
  await writeFile(path.join(large, 'large.bin'), randomBytes(LARGE_BYTES));
  await laptop.commit(large, {}, 'large');
  const shared = await laptop.xmppIn(large, 'share');
  expect(shared, shared.stderr).toMatchObject({ code: 0 });
  // Signing in and pairing need no limit.
  await setting.server.restart({ rate: '10kb/s' });
  const isUp = ({ account, peers }: Awaited<ReturnType<Device['status']>>): boolean => account.state === 'online' && peers[0]?.isOnline === true;
  await Promise.all([laptop.statusWhen(isUp, 60_000), desktop.statusWhen(isUp, 60_000)]);
  clone = desktop.start('git', ['clone', '--progress', 'xmpp::laptop/large', desktop.path('large')]);
  await clone.line(/Receiving objects:/);
  // By now the clone is bulk, and everything that may queue is full.
  await setting.proxy.reached('down', setting.proxy.bytes.down + 120_000);
});

afterAll(() => setting?.stop());

/** Bytes that came to the desktop while `work` was done, with the clone still going on. */
async function passedDuring(work: () => Promise<unknown>): Promise<number> {
  const before = setting.proxy.bytes.down;
  await work();
  expect(clone.child.exitCode).toBeNull();
  return setting.proxy.bytes.down - before;
}

describe('while a clone fills the path', () => {
  it('a question to the same peer is answered before a queue of bulk has passed', async () => {
    expect(await passedDuring(() => desktop.xmpp('repos', 'laptop'))).toBeLessThan(QUEUE_BYTES);
  });

  it('a commit to another repository arrives before two have passed', async () => {
    const oid = await laptop.commit(notes, { 'line.txt': 'one line\n' }, 'one line');
    expect(await passedDuring(() => desktop.head(desktop.path('notes'), oid, 60_000))).toBeLessThan(2 * QUEUE_BYTES);
  });

  it('so does one that goes the other way', async () => {
    const oid = await desktop.commit(desktop.path('notes'), { 'back.txt': 'another line\n' }, 'another line');
    expect(await passedDuring(() => laptop.head(notes, oid, 60_000))).toBeLessThan(2 * QUEUE_BYTES);
  });

  it('the clone itself goes on and ends well', async () => {
    const end = await clone.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    await desktop.git(desktop.path('large'), 'fsck', '--full', '--strict');
    expect(await desktop.git(desktop.path('large'), 'rev-parse', 'HEAD')).toBe(await laptop.git(laptop.path('large'), 'rev-parse', 'HEAD'));
  });
});
