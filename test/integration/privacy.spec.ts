// What the server, a chat client of the same account, a contact, and a device with only the password get to see (design §7).

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startChatClient } from '../helpers/chat-client.ts';
import type { ChatClient } from '../helpers/chat-client.ts';
import { Device } from '../helpers/device.ts';
import { ACCOUNT, PASSWORD, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const FILE = 'quarterly-figures-unmistakable.txt';
const BRANCH = 'secret-branch-unmistakable';
const MESSAGE = 'an unmistakable commit message';

let two: TwoDevices;
let chat: ChatClient;
let friend: ChatClient;
let thief: Device;

beforeAll(async () => {
  two = await startTwoDevices({ hasStanzaLog: true }, { juliet: 'nightingale' });
  const { server } = two;
  chat = await startChatClient(server, { name: ACCOUNT, password: PASSWORD, resource: 'phone' });
  friend = await startChatClient(server, { name: 'juliet', password: 'nightingale', resource: 'balcony' });
  thief = await new Device('thief').prepare();
  for (const client of [chat, friend]) client.send('<iq type="get" id="roster"><query xmlns="jabber:iq:roster"/></iq><presence><priority>5</priority></presence>');
  await befriend();
  chat.send('<iq type="set" id="carbons"><enable xmlns="urn:xmpp:carbons:2"/></iq>');
  await chat.settle();
});

afterAll(async () => {
  await Promise.all([chat.close(), friend.close()]);
  await thief.remove();
  await two.stop();
});

/** romeo and juliet see each other's presence, as contacts do. */
async function befriend(): Promise<void> {
  chat.send(`<presence type="subscribe" to="juliet@localhost"/>`);
  await friend.waitFor(/type=['"]subscribe['"]/);
  friend.send(`<presence type="subscribed" to="${ACCOUNT}@localhost"/><presence type="subscribe" to="${ACCOUNT}@localhost"/>`);
  await chat.waitFor(/type=['"]subscribe['"]/);
  chat.send('<presence type="subscribed" to="juliet@localhost"/>');
  await friend.waitFor(/subscription=['"]both['"]/);
}

describe('the server', () => {
  it('sees no name, message, object or pack byte of what passes through it, in the clear or in base64', async () => {
    const { laptop, desktop, server } = two;
    const dir = await laptop.repo('figures', { [FILE]: `${'0123456789abcdef'.repeat(64)}\n` });
    await laptop.git(dir, 'switch', '--quiet', '-c', BRANCH);
    for (let index = 0; index < 8; index += 1) {
      await laptop.commit(dir, { [`${FILE}.${index}`]: randomText(index) }, `${MESSAGE} ${index}`);
    }
    await laptop.git(dir, 'switch', '--quiet', 'main');
    expect((await laptop.xmppIn(dir, 'share')).code).toBe(0);
    expect((await desktop.xmppIn(desktop.dir, 'clone', 'laptop/figures')).code).toBe(0);
    const oid = await laptop.commit(dir, { [FILE]: 'changed\n' }, MESSAGE);
    await desktop.head(desktop.path('figures'), oid);

    const log = server.stanzaLog();
    expect(log.length).toBeGreaterThan(50_000);
    const carried = carriedBytes(log);
    expect(carried.length).toBeGreaterThan(10_000);
    const names = [FILE, BRANCH, MESSAGE, 'figures', oid, 'refs/heads', 'refs/xmpp', 'PACK\0\0\0\x02', 'git-receive-pack', 'git-upload-pack'];
    for (const name of names) {
      for (const [where, text] of [['stanzas', log], ['carried bytes', carried]] as const) expect(text.includes(name), `${name} in ${where}`).toBe(false);
      for (const form of base64Forms(name)) expect(log.includes(form), `${name} as ${form}`).toBe(false);
    }
    const pieces = await packPieces(laptop, dir);
    expect(pieces.length).toBeGreaterThan(20);
    for (const piece of pieces) expect(carried.includes(piece)).toBe(false);
  });
});

describe('a chat client with positive priority and carbons on the same account', () => {
  it('gets no message and no carbon, finds no archive entry, and keeps its offline messages', async () => {
    chat.send('<iq type="set" id="archive"><query xmlns="urn:xmpp:mam:2" queryid="all"/></iq>');
    await chat.waitFor(/<fin [^]*?<\/fin>|<fin [^>]*\/>/);
    expect(chat.received()).not.toMatch(/<message[^]*?git-xmpp/);
    expect(chat.received()).not.toMatch(/<(?:result|forwarded)[^]*?<\/(?:result|forwarded)>/);
    friend.send(`<message to="${ACCOUNT}@localhost" type="chat" id="hello"><body>are you there?</body></message>`);
    await chat.waitFor(/are you there\?/);
  });
});

describe('a contact', () => {
  it('sees no presence, no request and no roster entry of an agent', async () => {
    await friend.settle();
    expect(friend.received()).not.toContain('git-xmpp-');
    expect(friend.received().match(/type=['"]subscribe['"]/g) ?? []).toHaveLength(1);
  });
});

describe('a third agent with the password and no pairing', () => {
  it('reads nothing, guesses once, and is named in the events', async () => {
    const { laptop, server } = two;
    await thief.login(server, ACCOUNT, PASSWORD);
    const shown = laptop.start('git-xmpp', ['pair']);
    const number = (await shown.line(/^git xmpp pair \d/)).split(' ')[3]?.split('-')[0] ?? '';
    const guess = await thief.run('git-xmpp', ['pair', `${number}-abandon-ability`]);
    expect(guess.code).toBe(1);
    const end = await shown.ended;
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('tried a wrong code');
    const again = await thief.run('git-xmpp', ['pair', `${number}-abandon-able`]);
    expect(again.code).toBe(1);
    const burnt = await laptop.event(({ type }) => type === 'pair-burnt');
    const { account } = await thief.status();
    expect(burnt.by).toBe(account.address);
    expect((await thief.run('git', ['ls-remote', 'xmpp::laptop/figures'])).code).not.toBe(0);
    expect((await thief.status()).peers).toEqual([]);
  });
});

/** Text that no compression makes alike. */
function randomText(seed: number): string {
  let state = seed + 1;
  const words = Array.from({ length: 2000 }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state.toString(36);
  });
  return `${words.join(' ')}\n`;
}

/** What the in-band blocks carried, decoded, byte for byte as characters. */
function carriedBytes(log: string): string {
  const blocks = [...log.matchAll(/<data [^>]*>([A-Za-z0-9+/=]+)<\/data>/g)].map(([, text = '']) => Buffer.from(text, 'base64').toString('latin1'));
  return blocks.join('');
}

/** How a text looks within base64, at each of the three places it may begin; only what is certain of it. */
function base64Forms(text: string): string[] {
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.from(`${'\0'.repeat(shift)}${text}`).toString('base64');
    return whole.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + Buffer.byteLength(text)) * 4) / 3) - 1);
  });
}

/** Pieces of the pack that git makes of a whole repository: what a clone would carry in the clear. */
async function packPieces(device: Device, dir: string): Promise<string[]> {
  const file = device.path('whole');
  await device.git(dir, 'repack', '-a', '-d', '-q');
  await device.git(dir, 'bundle', 'create', '--quiet', file, '--all');
  const bytes = readFileSync(file);
  const start = bytes.indexOf('PACK') + 64;
  const count = Math.floor((bytes.length - start - 64) / 400);
  return Array.from({ length: count }, (_, index) => bytes.subarray(start + index * 400, start + index * 400 + 24).toString('latin1'));
}
