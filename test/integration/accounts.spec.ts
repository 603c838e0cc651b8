// Devices of different accounts on two servers that federate: by code and by invite, and what a grant lets through (docs/THREATS.md).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, pairDevices } from '../helpers/device.ts';
import { startFederation } from '../helpers/federation.ts';
import type { Federation } from '../helpers/federation.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

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
    for (const [device, peer] of [[ben, 'anna'], [anna, 'ben']] as const) {
      const { repos } = await device.inSync(peer);
      expect(repos.find(({ name }) => name === 'notes')?.peers).toMatchObject([{ peer, state: 'in sync', isOnline: true }]);
    }
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

describe('two accounts on one server', () => {
  let server: Prosody;
  let romeo: Device;
  let juliet: Device;
  let play: string;

  beforeAll(async () => {
    server = await startProsody({ accounts: { romeo: 'r-secret', juliet: 'j-secret' } });
    romeo = await new Device('romeo').prepare();
    juliet = await new Device('juliet').prepare();
    await romeo.login(server, 'romeo', 'r-secret');
    await juliet.login(server, 'juliet', 'j-secret');
    play = await romeo.repo('play');
  });

  afterAll(async () => {
    await romeo?.remove();
    await juliet?.remove();
    await server?.stop();
  });

  it('pair by an invite, and share for reading alone', async () => {
    const invite = (await romeo.xmpp('pair', '--invite')).stdout.trim();
    const joined = await juliet.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    expect(joined).toMatchObject({ code: 0 });
    expect(joined.stderr).toContain((await romeo.status()).account.fingerprint);
    const { peers } = await romeo.statusWhen((status) => status.peers.length === 1);
    expect(peers).toMatchObject([{ petname: 'juliet', jid: 'juliet@localhost', kind: 'other', fingerprint: (await juliet.status()).account.fingerprint }]);
    expect(await romeo.xmppIn(play, 'share', '--with', 'juliet@localhost', '--read')).toMatchObject({ code: 0 });
    expect(await juliet.xmppIn(juliet.dir, 'clone', 'romeo/play')).toMatchObject({ code: 0 });
  });

  it('take neither a push nor a tip from one who may only read', async () => {
    const copy = juliet.path('play');
    const own = await romeo.git(play, 'rev-parse', 'HEAD');
    const oid = await juliet.commit(copy, { 'act-2.txt': 'wherefore\n' }, 'act 2');
    const push = await juliet.run('git', ['push', 'origin', 'HEAD:refs/heads/hers'], { cwd: copy });
    expect(push.code).not.toBe(0);
    expect(push.stderr).toContain('may read here, and that needs write');
    await juliet.xmpp('sync');
    expect((await romeo.run('git', ['cat-file', '-e', oid], { cwd: play })).code).not.toBe(0);
    expect(await romeo.git(play, 'rev-parse', 'HEAD')).toBe(own);
    expect(await romeo.git(play, 'for-each-ref', 'refs/heads', '--format=%(refname)')).toBe('refs/heads/main');
  });

  it('mirror the tip of one who may offer, and merge it nowhere', async () => {
    const own = await romeo.git(play, 'rev-parse', 'HEAD');
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'offer');
    const oid = await juliet.commit(juliet.path('play'), { 'act-3.txt': 'a plague\n' }, 'act 3');
    await romeo.ref(play, 'refs/remotes/juliet/main', oid);
    expect(await romeo.git(play, 'rev-parse', 'HEAD')).toBe(own);
    await romeo.statusWhen(({ repos }) => repos[0]?.peers[0]?.waiting.some((words) => words.includes('"git merge juliet/main" takes them')) === true);
    await romeo.git(play, 'merge', '--quiet', '--ff-only', 'juliet/main');
    await romeo.inSync('juliet');
    await juliet.inSync('romeo');
  });
});
