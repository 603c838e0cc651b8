// Hubs: ordinary remotes that are kept in sync (`remote.<name>.xmppSync`), with real git, real agents and devices that were never paired with one another.
// Rule: whatever a hub does, its repository and those here are sound afterwards, and status says how it stands.

import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HubStatus } from '../../src/agent/hub-status.ts';
import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

let server: Prosody;
const a = new Device('anna');
const b = new Device('bob');
let count = 0;
/** Of each test: the hub, and the clones of both. */
let hub: string;
let [atA, atB] = ['', ''];

beforeAll(async () => {
  server = await startProsody({ hasProxy: false, accounts: { romeo: 'pass-one', juliet: 'pass-two' } });
  await Promise.all([a.prepare(), b.prepare()]);
  await Promise.all([a.login(server, 'romeo', 'pass-one'), b.login(server, 'juliet', 'pass-two')]);
});

afterAll(async () => {
  await a.remove();
  await b.remove();
  await server?.stop();
});

beforeEach(async () => {
  count += 1;
  hub = a.path(`hub-${count}.git`);
  await a.git(a.dir, 'init', '--quiet', '--bare', hub);
  atA = await clone(a, `work-${count}`);
  await commit(a, atA, 'first');
  await a.git(atA, 'push', '--quiet', 'origin', 'main');
  atB = await clone(b, `work-${count}`);
});

async function clone(device: Device, name: string): Promise<string> {
  await device.git(device.dir, 'clone', '--quiet', hub, name);
  return device.path(name);
}

async function commit(device: Device, dir: string, file: string, text = file): Promise<string> {
  await writeFile(path.join(dir, file), `${text}\n`);
  await device.git(dir, 'add', '--all');
  await device.git(dir, 'commit', '--quiet', '--message', `${file} of ${device.name}`);
  return device.git(dir, 'rev-parse', 'HEAD');
}

async function share(device: Device, dir: string, mode = 'both'): Promise<void> {
  await device.git(dir, 'config', 'remote.origin.xmppSync', mode);
  const { code, stderr } = await device.xmppIn(dir, 'share', '--new');
  expect(code, stderr).toBe(0);
}

/** Waits until `status` tells of the hub as wanted. */
async function hubWhen(device: Device, dir: string, isIt: (hub: HubStatus) => boolean): Promise<HubStatus> {
  const find = ({ repos }: Awaited<ReturnType<Device['status']>>): HubStatus | undefined => repos.find((repo) => repo.path === dir)?.hubs?.find(isIt);
  const found = find(await device.statusWhen((status) => find(status) !== undefined));
  if (found === undefined) throw new Error('it was there a moment ago');
  return found;
}

/** A hook of the hub, and what it writes to `hook.log` beside it each time. */
async function hook(name: string, script: string): Promise<void> {
  await writeFile(path.join(hub, 'hooks', name), `#!/bin/sh\necho ran >> hook.log\n${script}\n`, { mode: 0o755 });
}

async function hookRuns(): Promise<number> {
  return (await readFile(path.join(hub, 'hook.log'), 'utf8')).split('\n').length - 1;
}

async function syncedRefs(dir: string): Promise<string> {
  return a.git(dir, 'for-each-ref', '--format=%(refname)', 'refs/heads/synced');
}

async function expectSound(...dirs: string[]): Promise<void> {
  for (const dir of dirs) {
    const { code, stdout, stderr } = await a.run('git', ['-c', 'safe.directory=*', 'fsck', '--full', '--strict'], { cwd: dir });
    expect(code, stderr).toBe(0);
    expect(stdout).not.toMatch(/missing|broken|error/);
  }
}

describe('a hub that two devices share, which are not paired', () => {
  it('takes the commit of one, under its own name too, and gives it to the other, whose work tree moves', async () => {
    await share(a, atA);
    await share(b, atB);
    const oid = await commit(a, atA, 'from-anna');
    await a.ref(hub, 'main', oid);
    await b.ref(atB, 'main', oid);
    expect(await b.git(atB, 'status', '--porcelain')).toBe('');
    const synced = (await a.git(hub, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/synced')).split('\n');
    expect(synced).toContainEqual(expect.stringMatching(new RegExp(`^refs/heads/synced/anna-[0-9a-f]{8}/main ${oid}$`)));
    const back = await commit(b, atB, 'from-bob');
    await a.ref(atA, 'main', back);
    await expectSound(hub, atA, atB);
  });
});

describe('remote.<name>.xmppSync', () => {
  it('leaves a remote alone without it, and what it says holds at once', async () => {
    expect(await a.xmppIn(atA, 'share', '--new')).toMatchObject({ code: 0 });
    const first = await commit(a, atA, 'unsaid');
    expect(await a.xmppIn(atA, 'sync')).toMatchObject({ code: 0 });
    expect(await a.git(hub, 'rev-parse', 'main')).not.toBe(first);
    await a.git(atA, 'config', 'remote.origin.xmppSync', 'both');
    await a.ref(hub, 'main', first);
    await a.git(atA, 'config', '--unset', 'remote.origin.xmppSync');
    await a.statusWhen(({ repos }) => repos.every(({ path: at, hubs }) => at !== atA || hubs?.length === 0));
    await a.ref(atA, 'refs/xmpp/hubs/origin/heads/main', undefined);
    expect(await a.git(atA, 'for-each-ref', 'refs/xmpp/hubs')).toBe('');
  });

  it('names a value that is none of its own, and touches nothing', async () => {
    await share(a, atA, 'sometimes');
    const { words } = await a.event(({ type }) => type === 'bad-setting');
    expect(words).toBe('remote.origin.xmppSync: "sometimes" is none of fetch, push, both');
    expect(await syncedRefs(hub)).toBe('');
  });

  it('only fetches, or only pushes, where it says so', async () => {
    await share(a, atA, 'fetch');
    await share(b, atB, 'push');
    const fromB = await commit(b, atB, 'pushed');
    await a.ref(atA, 'main', fromB);
    const fromA = await commit(a, atA, 'kept');
    await hubWhen(a, atA, ({ state }) => state === 'ahead 1');
    expect(await syncedRefs(hub)).toMatch(/^refs\/heads\/synced\/bob-[0-9a-f]{8}\/main$/);
    await a.git(atA, 'push', '--quiet', 'origin', 'main');
    expect(await b.git(hub, 'rev-parse', 'main')).toBe(fromA);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    expect(await b.git(atB, 'rev-parse', 'main')).toBe(fromB);
  });
});

describe('a hub that is not as one would like', () => {
  it('holds what another pushed by hand: both are kept, status says so, and what its person merges is pushed', async () => {
    await share(a, atA);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    a.suspend();
    const theirs = await commit(b, atB, 'by-hand');
    await b.git(atB, 'push', '--quiet', 'origin', 'main');
    const ours = await commit(a, atA, 'meanwhile');
    a.wake();
    const { waiting } = await hubWhen(a, atA, ({ state, waiting: now }) => state === 'ahead 1, behind 1' && now.length > 0);
    expect(waiting).toEqual([expect.stringMatching(/^main: both sides have commits .*"git merge origin\/main"/)]);
    expect(await a.git(hub, 'rev-parse', 'main')).toBe(theirs);
    const own = await syncedRefs(hub);
    await a.ref(hub, own, ours);
    await a.git(atA, 'merge', '--quiet', '--no-edit', 'origin/main');
    await a.ref(hub, 'main', await a.git(atA, 'rev-parse', 'HEAD'));
    await hubWhen(a, atA, ({ state, waiting: left }) => state === 'in sync' && left.length === 0);
    await expectSound(hub, atA);
  });

  it('ends in the middle of a push: it is tried again by itself', async () => {
    await share(a, atA);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    await hook('pre-receive', 'rm hooks/pre-receive\nkill -9 $PPID');
    const oid = await commit(a, atA, 'broken-off');
    await a.event(({ type, words }) => type === 'hub-waiting' && words.startsWith('origin: '));
    await a.ref(hub, 'main', oid);
    expect(await hookRuns()).toBe(1);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    await expectSound(hub, atA);
  });

  it('is moved away: status says so, and it is synced when it is back', async () => {
    await share(a, atA);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    await rename(hub, `${hub}-away`);
    const oid = await commit(a, atA, 'while-away');
    const { words } = await hubWhen(a, atA, ({ state }) => state === 'not there');
    expect(words).toContain(`${hub} is not there`);
    await rename(`${hub}-away`, hub);
    expect(await a.xmppIn(atA, 'sync')).toMatchObject({ code: 0 });
    await a.ref(hub, 'main', oid);
    await expectSound(hub, atA);
  });

  it('refuses: its own words are told, it is not asked again, and a person may', async () => {
    await share(a, atA);
    await hubWhen(a, atA, ({ state }) => state === 'in sync');
    await hook('pre-receive', 'echo "no pushes on Fridays" >&2\nexit 1');
    const oid = await commit(a, atA, 'unwanted');
    const { state, waiting } = await hubWhen(a, atA, ({ waiting: now }) => now.length === 2);
    expect(state).toBe('ahead 1');
    expect(waiting).toContain('main: declined there: pre-receive hook declined: no pushes on Fridays');
    await a.git(atA, 'config', 'remote.origin.note', 'read again');
    await a.git(atA, 'branch', 'beside');
    await a.event(({ type, words }) => type === 'hub-declined' && words.includes('refs/heads/beside'));
    expect(await hookRuns()).toBe(2);
    await rm(path.join(hub, 'hooks/pre-receive'));
    expect(await a.xmppIn(atA, 'sync')).toMatchObject({ code: 0 });
    await a.ref(hub, 'main', oid);
    await expectSound(hub, atA);
  });

  it('asks for a password: nobody is asked, it is left in peace, and what mends it is said', async () => {
    let asked = 0;
    const web = createServer((_request, response) => {
      asked += 1;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="hub"' }).end();
    });
    await new Promise<void>((resolve) => {
      web.listen(0, '127.0.0.1', resolve);
    });
    const { port } = web.address() as AddressInfo;
    await a.git(atA, 'remote', 'set-url', 'origin', `http://anna:hunter2@127.0.0.1:${port}/notes.git`);
    await share(a, atA);
    const { words } = await hubWhen(a, atA, ({ state }) => state === 'waiting');
    expect(words).toMatch(/^origin: it wants a password or key that git does not find by itself .*credential helper.*git fetch origin/);
    expect(JSON.stringify(await a.status()) + a.log()).not.toContain('hunter2');
    const before = asked;
    await commit(a, atA, 'while-locked');
    await hubWhen(a, atA, ({ state }) => state === 'waiting');
    expect(asked).toBe(before);
    await new Promise((resolve) => {
      web.close(resolve);
    });
  });

  it('holds another history: nothing of ours goes there, and nothing of it comes here', async () => {
    const other = a.path(`other-${count}.git`);
    await a.git(a.dir, 'init', '--quiet', '--bare', other);
    const seed = await a.repo(`seed-${count}`);
    await a.git(seed, 'push', '--quiet', other, 'main');
    const before = await a.git(atA, 'rev-parse', 'HEAD');
    await a.git(atA, 'remote', 'set-url', 'origin', other);
    await share(a, atA);
    const { words } = await hubWhen(a, atA, ({ state }) => state === 'waiting');
    expect(words).toMatch(/^origin: its history has no commit in common with this repository; git remote set-url/);
    expect(await syncedRefs(other)).toBe('');
    expect(await a.git(atA, 'rev-parse', 'HEAD')).toBe(before);
    await expectSound(other, atA);
  });

  it('has lost a branch: that is no deletion here, and it is not made again there', async () => {
    await share(a, atA);
    await a.git(atA, 'branch', 'topic');
    await a.ref(hub, 'topic', await a.git(atA, 'rev-parse', 'main'));
    await a.git(hub, 'update-ref', '-d', 'refs/heads/topic');
    await a.ref(atA, 'refs/xmpp/hubs/origin/heads/topic', undefined);
    const oid = await commit(a, atA, 'after-it');
    await a.ref(hub, 'main', oid);
    expect(await a.git(atA, 'rev-parse', 'topic')).not.toBe('');
    await a.ref(hub, 'topic', undefined);
  });
});
