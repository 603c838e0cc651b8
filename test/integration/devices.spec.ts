// Three devices of one account: introduced to each other, one of them unpaired while it fetches and another one away, and a server that takes
// back, forges or deletes what was said (docs/PROTOCOL.md, "Own devices"). Rule: in order; each test goes on where the one before ended.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { openList, sealList } from '../../src/agent/sealed-list.ts';
import type { PeersAnswer } from '../../src/agent/device-answers.ts';
import { loadIdentity } from '../../src/home/identity.ts';
import type { Identity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import type { DeviceList } from '../../src/pairing/devices-format.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import { formatDevicesPayload, publishDevices, readDevices } from '../../src/xmpp/devices.ts';
import { xml } from '../../src/xmpp/element.ts';
import type { Element } from '../../src/xmpp/element.ts';
import { NS_DEVICES, NS_PUBSUB_OWNER } from '../../src/xmpp/namespaces.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ongoing } from '../helpers/device.ts';
import { makeCard } from '../helpers/pairing.ts';
import { playDevice } from '../helpers/played-device.ts';
import { descendantsOf } from '../helpers/processes.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PASSWORD = 'correct-horse';
const JID = parseBareJid('romeo@localhost');

let server: Prosody;
let laptop: Device;
let desktop: Device;
let phone: Device;
/** Whoever has the account's password: the server, or a thief. */
let owner: Connection;
let notes: string;

beforeAll(async () => {
  server = await startProsody({ accounts: { romeo: PASSWORD }, hasStanzaLog: true });
  laptop = await new Device('laptop').prepare();
  desktop = await new Device('desktop').prepare();
  phone = await new Device('phone').prepare();
  // Before its agent starts: a setting that is made later counts within a minute.
  await laptop.git(laptop.dir, 'config', '--global', 'xmpp.limit.peer.desktop.up', '50k');
  await Promise.all([laptop, desktop, phone].map((device) => device.login(server, 'romeo', PASSWORD)));
  const at = { host: server.host, port: server.port, isDirectTls: false };
  owner = await connect({ account: { jid: JID, server: at, ca: server.caPem }, password: PASSWORD, resource: 'owner', clock: realClock, log: silentLog });
  notes = await laptop.repo('notes');
});

afterAll(async () => {
  await owner?.close();
  for (const device of [laptop, desktop, phone]) await device?.remove();
  await server?.stop();
});

async function peersOf(device: Device): Promise<PeersAnswer> {
  return (await device.client.request('GET', '/peers')) as PeersAnswer;
}

async function namesOf(device: Device): Promise<string[]> {
  return (await peersOf(device)).peers.map(({ petname }) => petname).toSorted();
}

function identityOf(device: Device): Promise<Identity> {
  return loadIdentity(findHome(device.env), { name: device.name });
}

/** A list that `signer` signs, sealed to `reader`. */
async function makeList(signer: Device, reader: Device, list: Partial<DeviceList>): Promise<string> {
  const [own, theirs] = [await identityOf(signer), await identityOf(reader)];
  return sealList({ device: own.device, account: JID, counter: Date.now(), revoked: [], introduced: [], ...list }, own, [{ recipient: theirs.ageRecipient }]);
}

/** Processes that serve a fetch. */
function serving(device: Device): number[] {
  return descendantsOf(device.agentPid()).filter((pid) => existsSync(`/proc/${pid}`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('upload-pack'));
}

/** Starts the agent anew. @returns all that it said until it was online, or until `last` */
async function awakened(device: Device, last = 'online'): Promise<AgentEvent[]> {
  await device.stop();
  await device.xmpp('daemon', 'start');
  await device.event(({ type }) => type === last);
  const events: AgentEvent[] = [];
  for await (const event of device.client.lines('GET', '/events')) events.push(event as AgentEvent);
  return events;
}

function deleteNode(device: DeviceId): Element {
  return xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, xml('delete', { node: `${NS_DEVICES}:devices#${device}` }));
}

describe('a third device', () => {
  it('is paired once, and introduced to the others', async () => {
    await pairDevices(laptop, desktop);
    const { shown } = await pairDevices(laptop, phone);
    expect(shown.stderr).toContain('git xmpp introduce phone');
    const said = await laptop.xmpp('introduce', 'phone');
    expect(said.stderr).toMatch(/told: (?:desktop, phone|phone, desktop)/);
    const heard = await desktop.event(({ type }) => type === 'introduced');
    expect(heard.words).toContain('phone (phone) was introduced by laptop');
    await phone.event(({ type, peer }) => type === 'introduced' && peer === 'desktop');
    const own = (await phone.status()).account.fingerprint;
    expect((await peersOf(desktop)).peers.find(({ petname }) => petname === 'phone')).toMatchObject({ kind: 'own', via: 'laptop', fingerprint: own });
    expect((await desktop.xmpp('peers')).stdout).toMatch(/^phone .*via laptop$/m);
    await desktop.statusWhen(({ peers }) => peers.every(({ isOnline }) => isOnline));
    await phone.statusWhen(({ peers }) => peers.every(({ isOnline }) => isOnline));
  });

  it('may not introduce in its turn to those that it was introduced to', async () => {
    const refused = await phone.run('git-xmpp', ['introduce', 'desktop']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('desktop was introduced to this device itself');
    // One that does so all the same is not believed.
    const card = makeCard(`${JID}/git-xmpp-stranger`, 'stranger');
    const list = await makeList(phone, desktop, { counter: 1, introduced: [{ card, at: Date.now(), to: [(await identityOf(desktop)).device] }] });
    await owner.sendHeadline(parseFullJid((await desktop.status()).account.address ?? ''), formatDevicesPayload('devices', list));
    const told = await desktop.event(({ type }) => type === 'devices-refused');
    expect(told.words).toContain('phone was introduced itself, so it may not introduce stranger');
    expect(await namesOf(desktop)).toEqual(['laptop', 'phone']);
  });
});

describe('a device that is unpaired while it fetches', () => {
  /** A clone that takes minutes, under way. */
  async function beginClone(): Promise<Ongoing> {
    const clone = desktop.start('git', ['clone', '--progress', 'xmpp::laptop/notes', desktop.path('notes')]);
    await clone.line(/Receiving objects: +\d+%/);
    expect(serving(laptop)).not.toEqual([]);
    return clone;
  }

  it('has a repository to fetch', async () => {
    await writeFile(path.join(notes, 'film.bin'), randomBytes(8 << 20));
    await laptop.git(notes, 'add', '--all');
    await laptop.git(notes, 'commit', '--quiet', '-m', 'a film');
    expect((await laptop.xmppIn(notes, 'share')).code).toBe(0);
    expect(await phone.xmppIn(phone.dir, 'clone', 'laptop/notes')).toMatchObject({ code: 0 });
    await phone.inSync('laptop');
    await phone.stop();
  });

  it('is cut off by a grant that is taken back, too, and by nothing else of that repository', async () => {
    const clone = await beginClone();
    await laptop.xmpp('grant', 'desktop', 'notes', 'none');
    const ended = await clone.ended;
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toContain('what this device may do with the repository was changed there');
    expect((await desktop.run('git', ['ls-remote', 'xmpp::laptop/notes'])).stderr).toContain('no repository "notes"');
    await laptop.xmpp('grant', 'desktop', 'notes', 'write');
  });

  it('is cut off in the middle, and told by whom; its next try is refused', async () => {
    const clone = await beginClone();
    const unpaired = laptop.run('git-xmpp', ['unpair', 'desktop']);
    const ended = await clone.ended;
    expect(ended.code).not.toBe(0);
    const said = (await unpaired).stderr;
    expect(said).toContain('offline, told when they sign in: phone');
    expect(said).toContain('change the password');
    expect(serving(laptop)).toEqual([]);
    const told = await desktop.event(({ type }) => type === 'unpaired-here');
    expect(told.words).toMatch(/^this device was unpaired by laptop on \d{4}-\d\d-\d\d \d\d:\d\d/);
    const again = await desktop.run('git', ['ls-remote', 'xmpp::laptop/notes']);
    expect(again.stderr).toContain('this device was unpaired by laptop on');
  });

  it('cannot come back with its old key, whatever its program does', async () => {
    await desktop.stop();
    const played = await playDevice(desktop, { server, account: 'romeo', password: PASSWORD });
    try {
      const { address } = (await laptop.status()).account;
      const { spki } = await identityOf(laptop);
      await expect(played.dial(parseFullJid(address ?? ''), spki)).rejects.toMatchObject({ code: 'not-paired' });
      expect(await namesOf(laptop)).toEqual(['phone']);
    } finally {
      await played.stop();
    }
  });

  it('is unknown to a device that was away, before that one lets anybody in', async () => {
    const heard = await awakened(phone);
    expect(heard.findIndex(({ type, peer }) => type === 'unpaired' && peer === 'desktop')).toBeGreaterThanOrEqual(0);
    expect(heard.findIndex(({ type }) => type === 'unpaired')).toBeLessThan(heard.findIndex(({ type }) => type === 'online'));
    expect(await namesOf(phone)).toEqual(['laptop']);
    const played = await playDevice(desktop, { server, account: 'romeo', password: PASSWORD });
    try {
      const { address } = (await phone.status()).account;
      await expect(played.dial(parseFullJid(address ?? ''), (await identityOf(phone)).spki)).rejects.toMatchObject({ code: 'not-paired' });
    } finally {
      await played.stop();
    }
  });

  it('is sealed nothing new', async () => {
    const sealed = (await readDevices(owner, 'devices', (await identityOf(laptop)).device, JID)) ?? '';
    const pinOf = (): string => spki;
    const { spki } = await identityOf(laptop);
    await expect(openList(sealed, await identityOf(desktop), pinOf)).rejects.toThrow('is not sealed to this device');
    expect(await openList(sealed, await identityOf(phone), pinOf)).toMatchObject({ revoked: [{ device: (await identityOf(desktop)).device }] });
  });
});

describe('what the server, or a thief with the password, says instead', () => {
  it('counts for nothing where an unpaired device signed it, in a headline or as the word of another', async () => {
    const target = await identityOf(laptop);
    const [mine, theirs] = [await identityOf(desktop), await identityOf(phone)];
    const list = await makeList(desktop, phone, { revoked: [{ device: target.device, by: mine.device, at: Date.now() }] });
    const { address } = (await phone.status()).account;
    await owner.sendHeadline(parseFullJid(address ?? ''), formatDevicesPayload('devices', list));
    await publishDevices(owner, 'devices', target.device, list);
    const heard = await awakened(phone);
    expect(heard.find(({ type }) => type === 'devices-forged')?.words).toContain('the word of laptop on unpaired devices is not believed');
    expect(await namesOf(phone)).toEqual(['laptop']);
    expect(theirs.device).not.toBe(target.device);
  });

  it('is refused and told where it is an old list, and told where there is none any more', async () => {
    const { device } = await identityOf(laptop);
    const old = await makeList(laptop, phone, { counter: 1 });
    await publishDevices(owner, 'devices', device, old);
    const replayed = await awakened(phone);
    expect(replayed.find(({ type }) => type === 'devices-forged')?.words).toContain('is older than one that was read before');
    await owner.iq('set', undefined, deleteNode(device));
    const gone = await awakened(phone, 'devices-missing');
    expect(gone.find(({ type }) => type === 'devices-missing')?.words).toContain('gone from the server');
    expect(await namesOf(phone)).toEqual(['laptop']);
  });
});

describe('the unpaired device', () => {
  it('keeps its repositories, and begins anew with a new key when it is asked to', async () => {
    await desktop.xmpp('daemon', 'start');
    expect((await desktop.xmpp('status')).stdout).toContain('this device was unpaired by laptop on');
    const refused = await desktop.run('git-xmpp', ['pair']);
    expect(refused.stderr).toContain('git xmpp pair --new-identity');
    const before = (await desktop.status()).account.fingerprint;
    const shown = laptop.start('git-xmpp', ['pair']);
    const code = (await shown.line(/^git xmpp pair \d/)).split(' ')[3] ?? '';
    const typed = await desktop.run('git-xmpp', ['pair', '--new-identity', code]);
    expect(typed).toMatchObject({ code: 0 });
    expect((await desktop.status()).account.fingerprint).not.toBe(before);
    expect(await namesOf(laptop)).toEqual(['desktop', 'phone']);
  });
});

describe('a grant for some branches alone', () => {
  it('shows and takes those, by plain git, and is told by peers', async () => {
    const copy = phone.path('notes');
    await laptop.git(notes, 'branch', 'secret');
    await laptop.xmpp('grant', 'phone', 'notes', 'write', '--branches', 'main', 'release/*');
    const listed = (await phone.run('git', ['ls-remote', 'origin'], { cwd: copy })).stdout;
    expect(listed).toContain('refs/heads/main');
    expect(listed).not.toContain('secret');
    await phone.git(copy, 'push', '--quiet', 'origin', 'HEAD:refs/heads/release/1');
    expect(await laptop.git(notes, 'rev-parse', 'release/1')).toBe(await phone.git(copy, 'rev-parse', 'HEAD'));
    const refused = await phone.run('git', ['push', 'origin', 'HEAD:refs/heads/mine'], { cwd: copy });
    expect(refused.stderr).toContain('mine is not among the branches that this device may push to');
    expect((await laptop.xmpp('peers')).stdout).toContain('  notes: write, branches main release/*');
    const { peers } = JSON.parse((await laptop.xmpp('peers', '--json')).stdout) as PeersAnswer;
    expect(peers.find(({ petname }) => petname === 'phone')?.grants).toEqual([{ repo: 'notes', grant: 'write', branches: ['main', 'release/*'] }]);
  });
});
