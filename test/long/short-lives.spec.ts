// A repository many times larger than what one connection ever carries: connections that die every five seconds, and agents that are killed. Rule: what has come
// is kept; judged by what arrived and by bytes on the wire.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { Device } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const MEGABYTES = 30;
const LIFE_MS = 5_000;
/** A connection carries a fifth of the repository at most. */
const RATE = '1300k';
/** A byte of a pack in-band: base64, the stanza around each block, TLS. */
const IN_BAND = 1.4;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let big: string;

beforeAll(async () => {
  setting = await startTwoDevices({ hasSmResume: false });
  ({ laptop, desktop } = setting);
  await laptop.git(laptop.dir, 'config', '--global', 'xmpp.limit.up', RATE);
  big = await makeBigRepo(laptop, 'big', MEGABYTES);
  expect(await laptop.xmppIn(big, 'share')).toMatchObject({ code: 0 });
});

afterAll(() => setting?.stop());

it('arrives over connections that die every five seconds, with agents killed in between', async () => {
  const { proxy } = setting;
  const packed = Number(await laptop.git(big, 'rev-list', '--objects', '--disk-usage', '--all'));
  const before = proxy.bytes.down;
  let deaths = 0;
  const dying = setInterval(() => (deaths += proxy.cut()), LIFE_MS);
  try {
    const running = desktop.start('git-xmpp', ['clone', 'laptop/big', 'copy']);
    for (const [index, device] of [desktop, laptop, desktop].entries()) {
      await Promise.race([proxy.reached('down', before + ((index + 1) * packed * IN_BAND) / 4), running.ended]);
      expect(running.child.exitCode).toBeNull();
      await device.kill();
      await device.xmpp('daemon', 'start');
    }
    const end = await running.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
  } finally {
    clearInterval(dying);
  }
  expect(deaths).toBeGreaterThanOrEqual(4);
  expect(proxy.bytes.down - before).toBeLessThan(1.6 * packed * IN_BAND);
  const dir = desktop.path('copy');
  expect(await contentsOf(desktop, dir, 'refs/remotes/origin')).toEqual(await contentsOf(laptop, big));
  await desktop.git(dir, 'fsck', '--full', '--strict');
  expect(readdirSync(path.join(dir, '.git/objects')).filter((name) => name.startsWith('tmp_objdir'))).toEqual([]);
});
