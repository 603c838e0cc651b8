// Devices of different accounts on two servers that federate: by code and by invite, and what a grant lets through (design §7).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, pairDevices } from '../helpers/device.ts';
import { startFederation } from '../helpers/federation.ts';
import type { Federation } from '../helpers/federation.ts';

let servers: Federation;
let anna: Device;
let ben: Device;
let carla: Device;

beforeAll(async () => {
  servers = await startFederation();
  await servers.north.addAccount('anna', 'a-secret');
  await servers.south.addAccount('ben', 'b-secret');
  await servers.south.addAccount('carla', 'c-secret');
  anna = await new Device('anna').prepare();
  ben = await new Device('ben').prepare();
  carla = await new Device('carla').prepare();
  await anna.login(servers.north, 'anna', 'a-secret');
  await ben.login(servers.south, 'ben', 'b-secret');
  await carla.login(servers.south, 'carla', 'c-secret');
});

afterAll(async () => {
  for (const device of [anna, ben, carla]) await device.remove();
  await servers.stop();
});

/** The device as its peer's status shows it. */
async function seenBy(device: Device, name: string): Promise<{ readonly jid: string; readonly kind: string; readonly fingerprint: string } | undefined> {
  return (await device.status()).peers.find(({ petname }) => petname === name);
}

describe('two accounts on two servers', () => {
  it('pair by a code, each seeing the other’s JID and the fingerprint that the other has', async () => {
    const { shown, typed } = await pairDevices(anna, ben, '--with', 'anna@north.test');
    expect(typed).toMatchObject({ code: 0 });
    expect(shown.stderr).toContain('paired with ben (ben, ben@south.test)');
    expect(typed.stderr).toContain('paired with anna (anna, anna@north.test)');
    const own = (await anna.status()).account.fingerprint;
    expect(typed.stderr).toContain(own);
    expect(await seenBy(ben, 'anna')).toMatchObject({ jid: 'anna@north.test', kind: 'other', fingerprint: own });
  });

  it('pair by an invite that is pasted, once', async () => {
    const invite = (await anna.xmpp('pair', '--invite')).stdout.trim();
    expect(invite).toMatch(/^git-xmpp:anna@north\.test#/);
    const joined = await carla.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    expect(joined).toMatchObject({ code: 0 });
    expect(await seenBy(anna, 'carla')).toMatchObject({ jid: 'carla@south.test' });
    const again = await ben.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('shows such an invite');
  });

  it('share nothing by having paired', async () => {
    const dir = await anna.repo('private');
    expect((await anna.xmppIn(dir, 'share')).code).toBe(0);
    expect((await ben.xmpp('repos', 'anna')).stdout).toBe('');
    const clone = await ben.run('git', ['clone', 'xmpp::anna/private', ben.path('stolen')]);
    expect(clone.code).not.toBe(0);
    expect(clone.stderr).toContain('no repository "private"');
  });
});

describe('a repository shared with another account', () => {
  it('is cloned, kept in step, and merged by nobody but its people', async () => {
    const dir = await anna.repo('notes');
    expect(await anna.xmppIn(dir, 'share', '--with', 'ben@south.test')).toMatchObject({ code: 0 });
    expect(await ben.xmppIn(ben.dir, 'clone', 'anna/notes')).toMatchObject({ code: 0 });
    const theirs = ben.path('notes');
    const before = await ben.git(theirs, 'rev-parse', 'HEAD');
    const oid = await anna.commit(dir, { 'news.txt': 'from the north\n' }, 'news');
    await ben.event(({ type, words }) => type === 'waiting' && words.includes('another account'));
    expect(await ben.git(theirs, 'rev-parse', 'refs/remotes/origin/main')).toBe(oid);
    expect(await ben.git(theirs, 'rev-parse', 'HEAD')).toBe(before);
    await ben.git(theirs, 'merge', '--quiet', '--ff-only', 'origin/main');
    await ben.event(({ type }) => type === 'offered');
    await ben.xmpp('sync');
    const state = (await ben.status()).repos.find(({ name }) => name === 'notes')?.peers.find(({ peer }) => peer === 'anna');
    expect(state).toMatchObject({ state: 'in sync', isOnline: true });
  });

  it('takes no push from a device that may only offer, and one from a device that may write', async () => {
    const theirs = ben.path('notes');
    const oid = await ben.commit(theirs, { 'patch.txt': 'from the south\n' }, 'patch');
    const refused = await ben.run('git', ['push', 'origin', 'HEAD:refs/heads/patch'], { cwd: theirs });
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toContain('may offer here, and that needs write');
    await anna.xmpp('grant', 'ben', 'notes', 'write');
    await ben.git(theirs, 'push', '--quiet', 'origin', 'HEAD:refs/heads/patch');
    expect(await anna.git(anna.path('notes'), 'rev-parse', 'patch')).toBe(oid);
  });

  it('does not exist any more for one to whom it was refused', async () => {
    await anna.xmpp('grant', 'ben', 'notes', 'none');
    const fetch = await ben.run('git', ['fetch', 'origin'], { cwd: ben.path('notes') });
    expect(fetch.code).not.toBe(0);
    expect(fetch.stderr).toContain('no repository "notes"');
  });
});
