// Those outside a pairing, against real agents on a real server: a stranger, whoever has the account's password, one who stands between two that
// pair, and a server that says again what was said. docs/THREATS.md has the table; what a server sends that no real one would is in the unit specs.
// Rule: each test ends with the two devices in sync, whatever was tried; in order.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { AgentEvent } from '../../src/agent/events.ts';
import { loadIdentity } from '../../src/home/identity.ts';
import type { Identity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { startChatClient } from '../helpers/chat-client.ts';
import type { ChatClient } from '../helpers/chat-client.ts';
import { Device } from '../helpers/device.ts';
import { playDevice } from '../helpers/played-device.ts';
import { until } from '../helpers/waiting.ts';
import { ACCOUNT, PASSWORD, hasPep, shareNotes, startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

const MALLORY = { name: 'mallory', password: 'pw-mallory' };
const NS_IBB = 'http://jabber.org/protocol/ibb';

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
/** Signed in to the account, and paired with nobody. */
let third: Device;
let notes: string;
let copy: string;
/** Where the agent of the laptop is signed in. */
let address: FullJid;
let files = 0;
let asked = 0;

beforeAll(async () => {
  setting = await startTwoDevices({ hasStanzaLog: true }, { [MALLORY.name]: MALLORY.password });
  ({ laptop, desktop } = setting);
  ({ notes, copy } = await shareNotes(setting));
  third = await new Device('third').prepare();
  await third.login(setting.server, ACCOUNT, PASSWORD);
  address = parseFullJid((await laptop.status()).account.address ?? '');
});

afterAll(async () => {
  await third?.remove();
  await setting?.stop();
});

async function signIn(name: string, password: string, resource: string): Promise<ChatClient> {
  const client = await startChatClient(setting.server, { name, password, resource });
  onTestFinished(() => client.close());
  return client;
}

/** Asks by an IQ; gives the whole answer. */
async function ask(client: ChatClient, to: string, payload: string, type: 'get' | 'set' = 'set'): Promise<string> {
  const id = `ask-${(asked += 1)}`;
  client.send(`<iq type='${type}' to='${to}' id='${id}'>${payload}</iq>`);
  const [answer] = await client.waitFor(new RegExp(`<iq [^>]*id='${id}'[^>]*(?:/>|>.*?</iq>)`, 's'), 30_000);
  return answer;
}

/** Writes what a node of the client's own account holds (XEP-0163). */
function publish(client: ChatClient, node: string, payload: string, access: 'open' | 'whitelist'): Promise<string> {
  const field = (name: string, value: string): string => `<field var='${name}'><value>${value}</value></field>`;
  const options = `${field('FORM_TYPE', 'http://jabber.org/protocol/pubsub#publish-options')}${field('pubsub#access_model', access)}`;
  const item = `<publish node='${node}'><item id='current'>${payload}</item></publish>`;
  return ask(client, client.jid.split('/')[0] ?? '', `<pubsub xmlns='http://jabber.org/protocol/pubsub'>${item}<publish-options><x xmlns='jabber:x:data' type='submit'>${options}</x></publish-options></pubsub>`);
}

/** A commit of each arrives on the other. */
async function bothSync(): Promise<void> {
  files += 1;
  await desktop.head(copy, await laptop.commit(notes, { [`laptop-${files}`]: 'here\n' }, 'from the laptop'));
  await laptop.head(notes, await desktop.commit(copy, { [`desktop-${files}`]: 'there\n' }, 'from the desktop'));
}

function identityOf(device: Device): Promise<Identity> {
  return loadIdentity(findHome(device.env), { name: device.name });
}

/** How often the agent has logged `words` so far. */
function logged(device: Device, words: string): number {
  return readFileSync(findHome(device.env).log, 'utf8').split(words).length - 1;
}

function signIns(device: Device): number {
  return logged(device, 'signed in');
}

/** Memory of the agent, in bytes. */
function memoryOf(device: Device): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${device.agentPid()}/status`, 'utf8'))?.[1]) * 1024;
}

describe('a stranger', () => {
  it('cannot end the connection of an agent by any stanza that the server passes on', async () => {
    const mallory = await signIn(MALLORY.name, MALLORY.password, 'one');
    const before = signIns(laptop);
    const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
    for (const content of [nested(9_000), '<a/>'.repeat(50_000)]) {
      expect(await ask(mallory, address, `<q xmlns='urn:x'>${content}</q>`)).toMatch(/<bad-request|<service-unavailable/);
    }
    // Each of these characters is six when the server writes it.
    expect(await ask(mallory, address, `<q xmlns='urn:x'>${'"'.repeat(250_000)}</q>`)).toContain('<service-unavailable');
    mallory.send(`<message to='${address}' type='headline'><announcement xmlns='urn:git-xmpp:announce:1'>${'"'.repeat(250_000)}</announcement></message>`);
    expect(await ask(mallory, address, "<ping xmlns='urn:xmpp:ping'/>", 'get')).toContain("type='result'");
    expect(signIns(laptop)).toBe(before);
    await bothSync();
  });

  it('is refused whatever it says of others, and nothing of what is known of them changes', async () => {
    const mallory = await signIn(MALLORY.name, MALLORY.password, 'one');
    const [{ device }, peers] = [await identityOf(desktop), (await laptop.status()).peers];
    expect(await ask(mallory, address, `<hello xmlns='urn:git-xmpp:agent:1' device='${device}'/>`)).toContain('<item-not-found');
    expect(await ask(mallory, address, `<bye xmlns='urn:git-xmpp:agent:1' device='${device}'/>`)).toContain("type='result'");
    expect(await ask(mallory, address, `<open xmlns='${NS_IBB}' sid='s' block-size='4096' stanza='iq'/>`)).toContain('<not-acceptable');
    expect(await ask(mallory, address, `<query xmlns='http://jabber.org/protocol/bytestreams' sid='s'><streamhost jid='x' host='127.0.0.1' port='1'/></query>`)).toContain('<not-acceptable');
    expect(await ask(mallory, address, `<pair xmlns='urn:git-xmpp:pair:1' type='hello' version='1' id='1' nonce='${Buffer.alloc(16).toString('base64')}'/>`)).toMatch(/type='error'/);
    expect(await ask(mallory, address, `<query xmlns='jabber:iq:roster'><item jid='${MALLORY.name}@localhost' subscription='both'/></query>`)).toContain('<service-unavailable');
    const after = (await laptop.status()).peers;
    expect(after.map(({ petname, isOnline }) => [petname, isOnline])).toEqual(peers.map(({ petname, isOnline }) => [petname, isOnline]));
    await bothSync();
  });

  it('that asks for streams thousands of times, from many addresses, gets none, and costs no memory', async () => {
    const many = await Promise.all(Array.from({ length: 8 }, (_, at) => signIn(MALLORY.name, MALLORY.password, `many-${at}`)));
    const flood = async (): Promise<void> => {
      for (const [at, client] of many.entries()) {
        for (let sid = 0; sid < 150; sid += 1) client.send(`<iq type='set' to='${address}' id='f${sid}'><open xmlns='${NS_IBB}' sid='s${at}-${sid}' block-size='4096' stanza='iq'/></iq>`);
      }
      await Promise.all(many.map((client) => ask(client, address, "<ping xmlns='urn:xmpp:ping'/>", 'get')));
    };
    await flood();
    const before = memoryOf(laptop);
    await flood();
    await flood();
    expect(memoryOf(laptop) - before).toBeLessThan(100e6);
    await until(() => many.every((client) => client.received().match(/<not-acceptable/g)?.length === 450));
    await bothSync();
  });
});

describe('one in the middle of a pairing', () => {
  // Where there is no PEP, a person types the address.
  it.runIf(hasPep)('passes every word on between the two, and pairs nobody: the code is burnt, and both are told', async () => {
    const mallory = await signIn(MALLORY.name, MALLORY.password, 'middle');
    const shown = laptop.start('git-xmpp', ['pair']);
    const code = (await shown.line(/^git xmpp pair \d/)).split(' ')[3] ?? '';
    const node = `urn:git-xmpp:pair:1:${code.split('-')[0]}`;
    const found = `<pair xmlns='urn:git-xmpp:pair:1' id='${code.split('-')[0]}' jid='${mallory.jid}'/>`;
    expect(await publish(mallory, node, found, 'open')).toContain("type='result'");
    let passed = 0;
    const relay = async (from = 0): Promise<void> => {
      const question = /<iq (?=[^>]*type='set')[^>]*>(?:(?!<\/iq>).)*<pair.*?<\/iq>/s;
      for (let at = from; ; ) {
        await mallory.waitFor(new RegExp(`^[^]{${at}}[^]*?${question.source}`, 's'), 20_000);
        const [whole = ''] = question.exec(mallory.received().slice(at)) ?? [];
        at = mallory.received().indexOf(whole, at) + whole.length;
        const [id, back, words] = [/ id='([^']+)'/, / from='([^']+)'/, /<iq [^>]*>(.*)<\/iq>/s].map((part) => part.exec(whole)?.[1] ?? '');
        const answer = await ask(mallory, address, words ?? '');
        passed += 1;
        mallory.send(`<iq type='${/type='(\w+)'/.exec(answer)?.[1]}' to='${back}' id='${id}'>${/<iq [^>]*>(.*)<\/iq>/s.exec(answer)?.[1] ?? ''}</iq>`);
      }
    };
    const relaying = relay().catch(() => undefined);
    const typed = await third.run('git-xmpp', ['pair', code, '--with', `${MALLORY.name}@localhost`]);
    const told = await shown.ended;
    expect([typed.code, told.code]).toEqual([1, 1]);
    expect(passed).toBeGreaterThan(1);
    expect(told.stderr).toContain(`${mallory.jid} tried a wrong code, so this one is spent`);
    expect((await third.status()).peers).toEqual([]);
    expect((await laptop.status()).peers).toHaveLength(1);
    await mallory.close();
    await relaying;
  });
});

describe('whoever has the password, and no pairing', () => {
  it('can neither write into a stream of others, nor close it, nor open more than a few of its own', async () => {
    const evil = await signIn(ACCOUNT, PASSWORD, 'evil');
    await bothSync();
    // It is told all sids, as the server knows them.
    const opens = setting.server.stanzaLog().split('\n').filter((line) => line.startsWith(`c2s\t${ACCOUNT}@`));
    const sids = new Set(opens.flatMap((line) => /<open [^>]*sid='([^']+)'/.exec(line)?.[1] ?? []));
    expect(sids.size).toBeGreaterThan(0);
    const before = signIns(laptop);
    for (const sid of sids) {
      for (const seq of [0, 1, 65_535]) expect(await ask(evil, address, `<data xmlns='${NS_IBB}' sid='${sid}' seq='${seq}'>AAAA</data>`)).toContain('<item-not-found');
      expect(await ask(evil, address, `<close xmlns='${NS_IBB}' sid='${sid}'/>`)).toContain('<item-not-found');
    }
    const opened = [];
    for (let sid = 0; sid < 20; sid += 1) opened.push(await ask(evil, address, `<open xmlns='${NS_IBB}' sid='evil-${sid}' block-size='4096' stanza='iq'/>`));
    expect(opened.filter((answer) => answer.includes("type='result'"))).toHaveLength(8);
    expect(opened.filter((answer) => answer.includes('<resource-constraint'))).toHaveLength(12);
    await bothSync();
    expect(signIns(laptop)).toBe(before);
  });

  it.each(['a forged hello', ...(hasPep ? ['an address record that it moves'] : [])])('draws a link to itself by %s, and is found out by its key before it is told anything', async (by) => {
    await third.stop();
    let told = 0;
    const tell = (): Promise<never> => Promise.reject(new Error(`told ${(told += 1)}`));
    const evil = await playDevice(third, { server: setting.server, account: ACCOUNT, password: PASSWORD, handlers: { digest: tell, offer: tell, map: tell, repos: tell } });
    onTestFinished(() => evil.stop());
    const { device } = await identityOf(desktop);
    // While the desktop is away, so that there is no link to it and none from it.
    await desktop.stop();
    await laptop.statusWhen(({ peers }) => peers.every(({ isOnline }) => !isOnline));
    if (by === 'a forged hello') await evil.hello(address, device);
    else {
      const owner = await signIn(ACCOUNT, PASSWORD, 'owner');
      const record = `<address xmlns='urn:git-xmpp:address:1' device='${device}' jid='${evil.jid}'/>`;
      expect(await publish(owner, `urn:git-xmpp:address:1#${device}`, record, 'whitelist')).toContain("type='result'");
      // It looks there for whom it does not find where it was.
      await laptop.stop();
      await laptop.xmpp('daemon', 'start');
      await laptop.event(({ type, code }) => type === 'contact-failed' && code === 'not-paired');
    }
    const fetched = await laptop.run('git', ['ls-remote', 'xmpp::desktop/notes']);
    expect(fetched).toMatchObject({ code: 128, stdout: '', stderr: expect.stringContaining('is not the one that was paired') });
    expect(told).toBe(0);
    await desktop.xmpp('daemon', 'start');
    await bothSync();
  });
});

describe('a server that says again what was said', () => {
  it('gains nothing by announcements that are repeated, in any order, also after the agent was started anew', async () => {
    const evil = await signIn(ACCOUNT, PASSWORD, 'evil');
    const to = parseFullJid((await desktop.status()).account.address ?? '');
    const said = (): string[] => [...setting.server.stanzaLog().matchAll(/<announcement xmlns='urn:git-xmpp:announce:1'>[^<]{100,}<\/announcement>/g)].map(([payload]) => payload);
    const before = said().length;
    await desktop.stop();
    let tip = '';
    for (let count = 1; count <= 3; count += 1) {
      tip = await laptop.commit(notes, { [`told-${count}`]: 'news\n' }, 'told');
      await until(() => said().length >= before + count);
    }
    const [first, second, last] = said().slice(before);
    for (const _start of ['after it was away', 'with all of it known']) {
      await desktop.stop();
      await desktop.xmpp('daemon', 'start');
      await desktop.head(copy, tip);
      await desktop.event(({ type }) => type === 'connected');
      const drops = logged(desktop, 'dropped an announcement inAll=4');
      for (const payload of [last, first, second, first, last, last]) evil.send(`<message type='headline' to='${to}'>${payload}</message>`);
      await until(() => logged(desktop, 'dropped an announcement inAll=4') > drops);
      const events: AgentEvent[] = [];
      for await (const event of desktop.client.lines('GET', '/events')) events.push(event as AgentEvent);
      expect(events.filter(({ type }) => type === 'announced')).toEqual([]);
    }
    await bothSync();
  });

  it('stops an agent by letting another program have its address, which it says, with what to do', async () => {
    const take = (): ReturnType<typeof signIn> => signIn(ACCOUNT, PASSWORD, address.split('/')[1] ?? '');
    // Once it takes the address back, as it would from an attempt of its own that came late.
    const first = await take();
    await laptop.statusWhen(({ account: { state } }) => state === 'offline');
    await laptop.statusWhen(({ account: { state } }) => state === 'online', 60_000);
    await first.close();
    // What it still says when the server ends its connection makes TCP reset it, and the server's reason is lost.
    await bothSync();
    const taken = await take();
    const { account } = await laptop.statusWhen(({ account: { state } }) => state === 'stopped' || state === 'offline');
    expect(account.fault).toMatchObject({ code: 'conflict', remedy: expect.stringContaining('one agent per home') });
    expect(account.retryInMs).toBeUndefined();
    await taken.close();
    await laptop.stop();
    await laptop.xmpp('daemon', 'start');
    await bothSync();
  });
});
