// The main job on every server of test/profiles: sign in, pair, share, clone, both directions, plain git, a restart in mid-stream, unpair.
// Rule: one sentence each of what has to work everywhere; what a server cannot do costs time, never a commit.

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { chosenProfiles, PASSWORD } from './profile.ts';
import type { NamedProfile, ProfileSetting } from './profile.ts';

/** Where the server throttles, everything takes as long as its bytes do. */
const PATIENCE_MS = 120_000;
/** Bytes that do not compress, in the transfer that a restart interrupts: a few seconds where the server throttles, else a moment. */
const bulkOf = ({ throttledTo }: NamedProfile): number => (throttledTo === undefined ? 3_000_000 : throttledTo * 6);

const sentBy = ({ peers }: StatusAnswer): number => peers.flatMap(({ links }) => links).reduce((sum, { sent }) => sum + sent, 0);

describe.each(await chosenProfiles())('$name', (profile) => {
  let setting: ProfileSetting;
  let laptop: Device;
  let desktop: Device;
  let notes: string;
  let copy: string;
  const isOwn = (): boolean => setting.homes[0].server === setting.homes[1].server;

  beforeAll(async () => {
    setting = await profile.start();
    [laptop, desktop] = await Promise.all([new Device('laptop').prepare(), new Device('desktop').prepare()]);
    for (const device of [laptop, desktop]) await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
  }, PATIENCE_MS);
  afterAll(async () => {
    await Promise.all([laptop?.remove(), desktop?.remove()]);
    await setting?.stop();
  });

  const jid = (index: 0 | 1): string => `${setting.homes[index].account}@${setting.homes[index].server.domain}`;
  /** How the desktop calls the laptop, and the other way round. */
  const names = (): { readonly laptop: string; readonly desktop: string } => (isOwn() ? { laptop: 'laptop', desktop: 'desktop' } : { laptop: setting.homes[0].account, desktop: setting.homes[1].account });

  it('lets both devices sign in and pair by a code', async () => {
    const [here, there] = setting.homes;
    await Promise.all([laptop.login(here.server, here.account, PASSWORD), desktop.login(there.server, there.account, PASSWORD)]);
    const { typed } = await pairDevices(laptop, desktop, ...(isOwn() ? [] : ['--with', jid(0)]));
    expect(typed, typed.stderr).toMatchObject({ code: 0 });
  });

  it('lets a repository be shared and cloned', async () => {
    notes = await laptop.repo('notes');
    const shared = await laptop.xmppIn(notes, 'share', ...(isOwn() ? [] : ['--with', jid(1), '--write']));
    expect(shared, shared.stderr).toMatchObject({ code: 0 });
    await desktop.xmpp('clone', `${names().laptop}/notes`);
    copy = desktop.path('notes');
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(await laptop.git(notes, 'rev-parse', 'HEAD'));
  });

  /** A device of another account moves nobody’s branch by itself: its commit is in the mirror, and its person merges it. */
  const arrives = async (at: 'laptop' | 'desktop', oid: string): Promise<void> => {
    const [device, dir, from] = at === 'laptop' ? [laptop, notes, names().desktop] : [desktop, copy, 'origin'];
    if (isOwn()) return device.head(dir, oid, PATIENCE_MS);
    await device.ref(dir, `refs/remotes/${from}/main`, oid, PATIENCE_MS);
    await device.git(dir, 'merge', '--quiet', '--ff-only', `refs/remotes/${from}/main`);
  };

  it('has a commit of each arrive at the other', async () => {
    await arrives('desktop', await laptop.commit(notes, { 'from-laptop.txt': 'one\n' }, 'from the laptop'));
    await arrives('laptop', await desktop.commit(copy, { 'from-desktop.txt': 'two\n' }, 'from the desktop'));
  });

  it('carries plain git, both ways', async () => {
    const fresh = desktop.path('fresh');
    await desktop.git(desktop.dir, 'clone', '--quiet', `xmpp::${names().laptop}/notes`, fresh);
    const tip = await desktop.commit(fresh, { 'plain.txt': 'three\n' }, 'by plain git');
    await desktop.git(fresh, 'push', '--quiet', 'origin', 'HEAD:refs/heads/plain');
    expect(await laptop.git(notes, 'rev-parse', 'plain')).toBe(tip);
    await laptop.git(notes, 'branch', 'to-fetch', 'plain');
    await desktop.git(fresh, 'fetch', '--quiet', 'origin');
    expect(await desktop.git(fresh, 'rev-parse', 'refs/remotes/origin/to-fetch')).toBe(tip);
  });

  it('says over which carrier it all goes', async () => {
    await desktop.git(desktop.path('fresh'), 'fetch', '--quiet', 'origin');
    // In-band first, always; then the best there is.
    await desktop.statusWhen(({ peers }) => peers.some(({ links }) => links.some(({ kind }) => profile.carriers.some((carrier) => carrier === kind))), PATIENCE_MS);
  });

  it('lets a push go on at its byte after the server was restarted in the middle', async () => {
    const fresh = desktop.path('fresh');
    await writeFile(path.join(fresh, 'bulk.bin'), randomBytes(bulkOf(profile)));
    const tip = await desktop.commit(fresh, {}, 'bulk');
    const since = Date.now();
    const resumed = desktop.event(({ type, at }) => type === 'resumed' && at >= since, PATIENCE_MS);
    const before = sentBy(await desktop.status());
    const push = desktop.run('git', ['push', '--quiet', 'origin', 'HEAD:refs/heads/bulk'], { cwd: fresh });
    await desktop.statusWhen((status) => sentBy(status) > before + bulkOf(profile) / 4, PATIENCE_MS);
    await setting.homes[0].server.restart();
    const ended = await push;
    expect(ended, `${ended.stderr}\n${desktop.log()}`).toMatchObject({ code: 0 });
    expect(await laptop.git(notes, 'rev-parse', 'bulk')).toBe(tip);
    await resumed;
    expect((await laptop.run('git', ['fsck', '--full', '--strict'], { cwd: notes })).code).toBe(0);
  });

  it('brings what was committed while the other was away, once it is back', async () => {
    await desktop.stop();
    const tip = await laptop.commit(notes, { 'away.txt': 'four\n' }, 'while the desktop was away');
    await desktop.xmpp('peers');
    await arrives('desktop', tip);
  });

  it('serves a device no more that was unpaired', async () => {
    await laptop.xmpp('unpair', names().desktop);
    const { code, stderr } = await desktop.run('git', ['fetch', 'origin'], { cwd: desktop.path('fresh') });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/not paired|unpaired|wants no stream from here/);
  });
});
