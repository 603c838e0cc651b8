// What others see of it: the server, chat clients on the same account, contacts, and whoever has the password.
// Rule: the log is the server's own, and each search is first shown to find what it is made to find.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { loadIdentity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import { startChatClient } from '../helpers/chat-client.ts';
import type { ChatClient } from '../helpers/chat-client.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { playDevice } from '../helpers/played-device.ts';
import { showCode } from '../helpers/shown-code.ts';
import { ACCOUNT, PASSWORD, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const JID = `${ACCOUNT}@localhost`;
const FRIEND = { name: 'juliet', password: 'balcony' };

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;

beforeAll(async () => {
  setting = await startTwoDevices({ hasStanzaLog: true }, { [FRIEND.name]: FRIEND.password });
  ({ laptop, desktop } = setting);
});

afterAll(() => setting?.stop());

describe('the server', () => {
  const SECRETS = {
    file: 'quarterly-figures.txt',
    folder: 'acquisition-of-acme',
    branch: 'feature/merger-plan',
    tag: 'before-the-merger',
    message: 'sell everything on monday',
    content: 'nobody must know this line',
    author: 'laptop@example.org',
    repository: 'boardroom',
  };
  let log: string;
  let repo: string;
  let copy: string;

  beforeAll(async () => {
    repo = await laptop.repo(SECRETS.repository, { [`${SECRETS.folder}/${SECRETS.file}`]: `${SECRETS.content}\n`.repeat(3) });
    await laptop.xmppIn(repo, 'share');
    await desktop.xmpp('clone', `laptop/${SECRETS.repository}`);
    copy = desktop.path(SECRETS.repository);
    await laptop.git(repo, 'tag', SECRETS.tag);
    await laptop.git(repo, 'branch', SECRETS.branch);
    for (let round = 0; round < 4; round += 1) {
      await desktop.head(copy, await laptop.commit(repo, { [`${round}-${SECRETS.file}`]: `${SECRETS.content} ${round}\n` }, SECRETS.message));
      await laptop.head(repo, await desktop.commit(copy, { [`${SECRETS.folder}/${round}`]: SECRETS.content }, SECRETS.message));
    }
    await desktop.git(copy, 'push', 'origin', `HEAD:refs/heads/${SECRETS.branch}-2`);
    await desktop.stop();
    const tip = await laptop.commit(repo, { [SECRETS.file]: 'announced' }, SECRETS.message);
    await desktop.xmpp('daemon', 'start');
    await desktop.head(copy, tip);
    log = setting.server.stanzaLog();
  });

  it('has seen a whole run', () => {
    expect(log.length).toBeGreaterThan(50_000);
    expect(log).toContain('http://jabber.org/protocol/ibb');
    expect(log).toContain('urn:git-xmpp:pair:1');
    expect(log).toContain('urn:git-xmpp:announce:1');
    expect(log).toContain(`${JID}/git-xmpp-`);
  });

  it('sees no name and no word of a repository, in the clear or in base64', () => {
    const haystack = new Haystack(log);
    expect(haystack.has(Buffer.from('urn:git-xmpp:pair:1'))).toBe(true);
    const words = [...Object.values(SECRETS), 'refs/heads', 'refs/xmpp', 'git-upload-pack', 'git-receive-pack'];
    expect(words.filter((secret) => haystack.has(Buffer.from(secret)))).toEqual([]);
  });

  it('sees no object id, no object and no piece of a pack', async () => {
    const haystack = new Haystack(log);
    const oids = (await laptop.git(repo, 'rev-list', '--objects', '--no-object-names', '--all')).split('\n');
    expect(oids.length).toBeGreaterThan(20);
    expect(oids.filter((oid) => haystack.has(Buffer.from(oid)) || haystack.has(Buffer.from(oid, 'hex')))).toEqual([]);
    const files = [repo, copy].flatMap((dir) => objectFiles(path.join(dir, '.git/objects')));
    expect(files.some((file) => file.endsWith('.pack'))).toBe(true);
    expect(files.filter((file) => piecesOf(readFileSync(file)).some((piece) => haystack.has(piece)))).toEqual([]);
    expect(haystack.has(Buffer.from('PACK\0\0\0\x02'))).toBe(false);
  });

  it('would be caught if it saw one: the search finds a piece of a pack that is split over blocks', () => {
    const file = objectFiles(path.join(copy, '.git/objects')).find((name) => name.endsWith('.pack')) ?? '';
    const bytes = readFileSync(file);
    const blocks = [bytes.subarray(0, 61), bytes.subarray(61, 200)].map((block) => `c2s\tx\t<iq><data>${block.toString('base64')}</data></iq>\n`);
    expect(new Haystack(log + blocks.join('')).has(bytes.subarray(50, 74))).toBe(true);
    expect(new Haystack(`${log} ${Buffer.from(`x ${SECRETS.message}`).toString('base64')} `).has(Buffer.from(SECRETS.message))).toBe(true);
  });
});

describe('chat clients', () => {
  let repo: string;
  let copy: string;
  const clients: ChatClient[] = [];

  const signIn = async (name: string, password: string, resource: string): Promise<ChatClient> => {
    const client = await startChatClient(setting.server, { name, password, resource });
    clients.push(client);
    return client;
  };

  /** All that an agent does: sync both ways, an announcement, a restart, a code shown and a clone. */
  const work = async (): Promise<void> => {
    await desktop.head(copy, await laptop.commit(repo, { 'a.txt': `${Date.now()}` }, 'here'));
    await laptop.head(repo, await desktop.commit(copy, { 'b.txt': `${Date.now()}` }, 'there'));
    await desktop.stop();
    const tip = await laptop.commit(repo, { 'a.txt': 'while away' }, 'while away');
    await laptop.statusWhen(({ peers }) => peers[0]?.isOnline === false);
    await desktop.xmpp('daemon', 'start');
    await desktop.head(copy, tip);
    await desktop.git(desktop.dir, 'ls-remote', 'xmpp::laptop/plain');
    const shown = laptop.start('git-xmpp', ['pair']);
    await shown.line(/^git xmpp pair/);
    shown.child.kill();
    await shown.ended;
  };

  beforeAll(async () => {
    repo = await laptop.repo('plain');
    await laptop.xmppIn(repo, 'share');
    await desktop.xmpp('clone', 'laptop/plain');
    copy = desktop.path('plain');
  });

  afterAll(() => Promise.all(clients.map((client) => client.close())));

  it('of the same account, with a positive priority and carbons, see no message and no archive entry, and keep their offline messages', async () => {
    const friend = await signIn(FRIEND.name, FRIEND.password, 'phone');
    friend.send(`<message type='chat' to='${JID}'><body>are you there?</body></message>`);
    await friend.settle();
    await work();
    const phone = await signIn(ACCOUNT, PASSWORD, 'phone');
    phone.send("<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq><presence><priority>5</priority></presence>");
    await phone.waitFor(/id='carbons'/);
    await phone.waitFor(/are you there\?/);
    await phone.settle();
    const before = phone.received().length;
    await work();
    await phone.settle();
    expect(phone.received().slice(before)).not.toMatch(/<message/);
    phone.send("<iq type='set' id='archive'><query xmlns='urn:xmpp:mam:2'/></iq>");
    await phone.waitFor(/<fin [^>]*urn:xmpp:mam:2|id='archive'[^>]*>.*<fin/s);
    const archived = phone.received().match(/<result [^>]*urn:xmpp:mam:2/g) ?? phone.received().match(/<result /g) ?? [];
    expect(archived).toHaveLength(1);
    expect(phone.received()).not.toContain('git-xmpp:announce');
  });

  it('of a contact see no presence, no request and no change of the roster', async () => {
    const [phone, friend] = clients;
    if (phone === undefined || friend === undefined) throw new Error('two clients are signed in');
    const [hers, his] = [phone, friend];
    await befriend(his, hers);
    await his.close();
    clients.splice(clients.indexOf(his), 1);
    await hers.settle();
    const before = hers.received().length;
    await work();
    await laptop.stop();
    await laptop.xmpp('daemon', 'start');
    await laptop.inSync('desktop');
    await hers.settle();
    expect(hers.received().slice(before)).not.toMatch(/<presence|<message|jabber:iq:roster/);
  });
});

describe('an agent with the password and no pairing', () => {
  let third: Device;

  beforeAll(async () => {
    await laptop.xmppIn(await laptop.repo('private'), 'share');
    third = await new Device('third').prepare();
    await third.login(setting.server, ACCOUNT, PASSWORD);
  });

  afterAll(() => third?.remove());

  it('guesses a code once, and is named', async () => {
    const { shown, code, wrong, where } = await showCode(laptop);
    const guess = await third.run('git-xmpp', ['pair', wrong, ...where]);
    expect(guess.code).toBe(1);
    const { address = '' } = (await third.status()).account;
    const told = await shown.ended;
    expect(told.code).toBe(1);
    expect(told.stderr).toContain(`${address} tried a wrong code, so this one is spent`);
    expect(await laptop.event(({ type }) => type === 'pair-burnt')).toMatchObject({ by: address });
    const right = await third.run('git-xmpp', ['pair', code, ...where]);
    expect(right.code).toBe(1);
    expect((await third.status()).peers).toEqual([]);
    expect((await laptop.status()).peers).toHaveLength(1);
  });

  it('reads nothing though it knows whom to ask, and is named', async () => {
    await pairDevices(laptop, third);
    expect(await third.run('git', ['ls-remote', 'xmpp::laptop/private'])).toMatchObject({ code: 0 });
    await laptop.xmpp('unpair', 'third');
    await third.event(({ type }) => type === 'unpaired-here');
    const { address = '' } = (await third.status()).account;
    const asked = await third.run('git', ['ls-remote', 'xmpp::laptop/private']);
    expect(asked.code).toBe(128);
    expect(asked.stdout).toBe('');
    expect(asked.stderr).toContain('this device was unpaired by laptop');
    // Its program need not believe that.
    await third.stop();
    const played = await playDevice(third, { server: setting.server, account: ACCOUNT, password: PASSWORD });
    onTestFinished(() => played.stop());
    const { spki } = await loadIdentity(findHome(laptop.env), { name: laptop.name });
    await expect(played.dial(parseFullJid((await laptop.status()).account.address ?? ''), spki)).rejects.toMatchObject({ code: 'not-paired' });
    expect(await laptop.event(({ type }) => type === 'stranger')).toMatchObject({ by: address });
  });
});

/** The log, and whatever base64 in it says, blocks joined as they came from each sender. */
class Haystack {
  readonly #parts: readonly Buffer[];

  constructor(log: string) {
    const streams = new Map<string, Buffer[]>();
    for (const line of log.split('\n')) {
      const [, sender = '', xml = ''] = line.split('\t');
      for (const [text] of xml.matchAll(/[A-Za-z0-9+/_-]{8,}={0,2}/g)) {
        const decoded = Buffer.from(text, 'base64');
        streams.set(sender, [...(streams.get(sender) ?? []), decoded]);
      }
    }
    const loose = [...log.matchAll(/[A-Za-z0-9+/_-]{8,}={0,2}/g)].map(([text]) => Buffer.from(text, 'base64'));
    this.#parts = [Buffer.from(log), ...loose, ...[...streams.values()].map((each) => Buffer.concat(each))];
  }

  has(needle: Buffer): boolean {
    return this.#parts.some((part) => part.includes(needle));
  }
}

/** Loose objects and packs. */
function objectFiles(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && (entry.name.endsWith('.pack') || /^[0-9a-f]{38}$/.test(entry.name)))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

/** Pieces long enough that none is there by chance, one in every 96 bytes. */
function piecesOf(bytes: Buffer): Buffer[] {
  const body = bytes.subarray(16);
  const pieces: Buffer[] = [];
  for (let at = 0; at + 12 <= body.length; at += 96) pieces.push(body.subarray(at, at + 12));
  return pieces;
}

/** Both see each other's presence from then on. */
async function befriend(one: ChatClient, other: ChatClient): Promise<void> {
  const bare = (client: ChatClient): string => client.jid.split('/')[0] ?? '';
  for (const client of [one, other]) client.send("<presence/><iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq>");
  for (const [from, to] of [[one, other], [other, one]] as const) {
    from.send(`<presence type='subscribe' to='${bare(to)}'/>`);
    await to.waitFor(/<presence[^>]*type='subscribe'/);
    to.send(`<presence type='subscribed' to='${bare(from)}'/>`);
    await from.waitFor(/<presence[^>]*type='subscribed'/);
  }
  await one.settle();
  await other.settle();
}
