// A disk that is full, home and repositories alike. Rule: it is said on both devices, nothing is left half
// done, and once there is space again everything arrives.

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, pairDevices } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { mayMount, mountSmallDisk } from '../helpers/small-disk.ts';
import type { SmallDisk } from '../helpers/small-disk.ts';

const PASSWORD = 'correct-horse';

describe.runIf(mayMount())('a full disk', () => {
  let server: Prosody;
  let laptop: Device;
  let desktop: Device;
  let disk: SmallDisk;
  let notes: string;
  let copy: string;

  beforeAll(async () => {
    server = await startProsody({ accounts: { romeo: PASSWORD } });
    laptop = await new Device('laptop').prepare();
    desktop = new Device('desktop');
    disk = await mountSmallDisk(desktop.dir, 8);
    await desktop.prepare();
    await Promise.all([laptop, desktop].map((device) => device.login(server, 'romeo', PASSWORD)));
    await pairDevices(laptop, desktop);
    notes = await laptop.repo('notes');
    await laptop.xmppIn(notes, 'share');
    await desktop.xmpp('clone', 'laptop/notes');
    copy = desktop.path('notes');
    await laptop.inSync('desktop');
    await desktop.inSync('laptop');
  });

  afterAll(async () => {
    await laptop?.remove();
    await desktop?.stop();
    await disk?.unmount();
    await desktop?.remove();
    await server?.stop();
  });

  const expectUntouched = async (refs: string): Promise<void> => {
    expect(await desktop.git(copy, 'for-each-ref')).toBe(refs);
    expect(await desktop.git(copy, '--no-optional-locks', 'status', '--porcelain')).toBe('');
    await desktop.git(copy, 'fsck', '--full');
    expect(readdirSync(path.join(copy, '.git/objects')).filter((name) => name.startsWith('tmp_'))).toEqual([]);
  };

  it('takes in no offer and no push, and says so on both devices; with space again it arrives', async () => {
    const refs = await desktop.git(copy, 'for-each-ref');
    await disk.fill();
    await writeFile(path.join(notes, 'large.bin'), randomBytes(2 ** 20));
    const tip = await laptop.commit(notes, {}, 'large');
    const words = /not taken in: fatal: .*No space left on device/;
    const failed = await laptop.event(({ type }) => type === 'offer-failed');
    expect(failed).toMatchObject({ repo: 'notes', code: 'disk-full', words: expect.stringMatching(words) });
    const refused = await desktop.event(({ type }) => type === 'offer-refused');
    expect(refused).toMatchObject({ repo: 'notes', peer: 'laptop', words: expect.stringMatching(words) });
    await expectUntouched(refs);
    const push = await laptop.run('git', ['push', 'xmpp::desktop/notes', 'HEAD:refs/heads/pushed'], { cwd: notes });
    expect(push.code).toBe(1);
    expect(push.stderr).toMatch(/No space left on device[^]*remote rejected/);
    await expectUntouched(refs);
    await disk.free();
    await desktop.xmpp('sync');
    await desktop.head(copy, tip);
    await laptop.inSync('desktop');
  });

  it('that has space for the commit but not for its files keeps the old ones, and says what waits', async () => {
    const before = await desktop.git(copy, 'rev-parse', 'HEAD');
    await disk.fill();
    await disk.free(1.5 * 2 ** 20);
    await writeFile(path.join(notes, 'long.txt'), 'the same line again\n'.repeat(200_000));
    const tip = await laptop.commit(notes, { 'README.md': 'changed\n' }, 'small as a pack');
    const event = await desktop.event(({ type }) => type === 'waiting');
    expect(event).toMatchObject({ peer: 'laptop', repo: 'notes', ref: 'refs/heads/main' });
    expect(event.words).toMatch(/an unfinished move of refs\/heads\/main in .*notes could not be finished: .*(?:No |disk)space/);
    expect((await desktop.xmpp('status')).stdout).toMatch(/laptop: behind 1 .*\n\s+waits: main: an unfinished move/);
    expect(await desktop.git(copy, 'rev-parse', 'HEAD')).toBe(before);
    await desktop.git(copy, 'fsck', '--full');
    await disk.free();
    const mine = path.join(copy, 'mine.txt');
    await writeFile(mine, 'written meanwhile\n');
    await desktop.ref(copy, 'HEAD', tip);
    expect(await desktop.git(copy, 'status', '--porcelain')).toBe('?? mine.txt');
    await rm(mine);
    await expectUntouched(await desktop.git(copy, 'for-each-ref'));
  });

  it('changes nothing of the home: a command fails in one sentence, and works once there is space', async () => {
    await disk.fill();
    const before = readFileSync(path.join(desktop.home, 'peers.json'), 'utf8');
    for (const args of [['rename', 'laptop', 'thinkpad'], ['share', copy, '--with', 'laptop']]) {
      const end = await desktop.run('git-xmpp', args);
      expect(end.code).toBe(1);
      expect(end.stderr).toMatch(/writing .*json: no space is left on the device\n\s+free some space, then try again/);
    }
    expect(readFileSync(path.join(desktop.home, 'peers.json'), 'utf8')).toBe(before);
    expect((await desktop.status()).peers.map(({ petname }) => petname)).toEqual(['laptop']);
    await disk.free();
    await desktop.xmpp('rename', 'laptop', 'thinkpad');
    await desktop.xmpp('rename', 'thinkpad', 'laptop');
  });

  it('starts no agent, and says why', async () => {
    await desktop.stop();
    await disk.fill();
    const end = await desktop.run('git-xmpp', ['status']);
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/no space is left on the d[^]*free some space, then try again/);
    await disk.free();
    await desktop.xmpp('status');
    await desktop.head(copy, await laptop.commit(notes, { 'after.txt': 'space again\n' }, 'space again'));
  });
});
