// The connection against a real Prosody: what a server that behaves does, and what the network does to it.

import { Resolver } from 'node:dns/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { parseDeviceId } from '../../src/lib/names.ts';
import { publishAddress, readAddress } from '../../src/xmpp/address.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { ConnectOptions, Connection } from '../../src/xmpp/connection.ts';
import { xml } from '../../src/xmpp/element.ts';
import type { Element } from '../../src/xmpp/element.ts';
import { NS_DISCO_INFO, NS_PING, NS_VERSION } from '../../src/xmpp/namespaces.ts';
import { publish, read, remove } from '../../src/xmpp/pep.ts';
import { SignIn } from '../../src/xmpp/sign-in.ts';
import { startChatClient } from '../helpers/chat-client.ts';
import { srv, startNameServer } from '../helpers/name-server.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const ANNA = parseBareJid('anna@localhost');
const BEN = parseBareJid('ben@localhost');
const CARA = parseBareJid('cara@localhost');
const ACCOUNTS = { anna: 'secret-of-anna', ben: 'secret-of-ben', cara: 'pässwörd ‰' };
const DEVICE = parseDeviceId('0123456789abcdef0123456789abcdef');

let server: Prosody;
const open: Connection[] = [];

beforeAll(async () => {
  server = await startProsody({ accounts: { anna: ACCOUNTS.anna, ben: ACCOUNTS.ben } });
  await server.addAccount('cara', ACCOUNTS.cara);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

afterAll(async () => {
  await server.stop();
});

function optionsFor(name: keyof typeof ACCOUNTS, changes: Partial<ConnectOptions> = {}): ConnectOptions {
  return {
    account: {
      jid: parseBareJid(`${name}@localhost`),
      server: { host: server.host, port: server.port, isDirectTls: false },
      ca: server.caPem,
    },
    password: ACCOUNTS[name],
    resource: `git-xmpp-${name}`,
    clock: realClock,
    log: silentLog,
    ...changes,
  };
}

async function signIn(name: keyof typeof ACCOUNTS, changes: Partial<ConnectOptions> = {}): Promise<Connection> {
  const connection = await connect(optionsFor(name, changes));
  open.push(connection);
  return connection;
}

function ended(connection: Connection): Promise<{ code: string }> {
  return new Promise((resolve) => connection.onClose(resolve));
}

function ask(words?: string): Element {
  return xml('ask', { xmlns: 'urn:x' }, words);
}

/** Answers "ask" with what was asked. */
function echo(connection: Connection): void {
  connection.handleIq('urn:x', 'ask', async ({ payload }) => xml('told', { xmlns: 'urn:x' }, payload.getText()));
}

describe('connect', () => {
  it.each([true, false])('signs in by SCRAM-SHA-256 (direct TLS: %s)', async (isDirectTls) => {
    const mechanisms: string[] = [];
    const { account } = optionsFor('anna');
    const port = isDirectTls ? server.directTlsPort : server.port;
    const connection = await signIn('anna', {
      account: { ...account, server: { host: server.host, port, isDirectTls } },
      onMechanism: (name) => mechanisms.push(name),
    });
    expect(connection.jid).toBe('anna@localhost/git-xmpp-anna');
    expect(mechanisms.map((name) => name.replace('-PLUS', ''))).toEqual(['SCRAM-SHA-256']);
  });

  it('signs in with a password beyond ASCII', async () => {
    expect((await signIn('cara')).isOpen).toBe(true);
  });

  it('finds the server by SRV records', async () => {
    const names = await startNameServer([
      srv('_xmpps-client._tcp.localhost', server.directTlsPort, 'localhost'),
      srv('_xmpp-client._tcp.localhost', 1, 'localhost'),
    ]);
    const resolver = new Resolver();
    resolver.setServers([names.address]);
    const connection = await signIn('anna', { account: { jid: ANNA, ca: server.caPem }, resolver, random: () => 0 });
    expect(connection.isOpen).toBe(true);
    await names.stop();
  });

  it('refuses a certificate that this machine does not trust', async () => {
    const { account } = optionsFor('anna');
    await expect(signIn('anna', { account: { ...account, ca: undefined } })).rejects.toMatchObject({ code: 'tls' });
  });

  it('refuses a server of another domain, by STARTTLS and by direct TLS', async () => {
    const { account } = optionsFor('anna');
    await expect(signIn('anna', { account: { ...account, jid: parseBareJid('anna@other.example') } })).rejects.toMatchObject({
      code: 'server',
    });
    const directTls = { host: server.host, port: server.directTlsPort, isDirectTls: true };
    await expect(
      signIn('anna', { account: { ...account, jid: parseBareJid('anna@other.example'), server: directTls } }),
    ).rejects.toMatchObject({
      code: 'tls',
    });
  });

  it('says "wrong-password" for one', async () => {
    await expect(signIn('anna', { password: 'guess' })).rejects.toMatchObject({ code: 'wrong-password' });
  });

  it('refuses a weaker mechanism than before, and a plain password always', async () => {
    await server.restart({ hasOnlySha1: true });
    const mechanisms: string[] = [];
    await signIn('anna', { onMechanism: (name) => mechanisms.push(name) });
    expect(mechanisms.map((name) => name.replace('-PLUS', ''))).toEqual(['SCRAM-SHA-1']);
    await expect(signIn('anna', { strongestMechanism: 'SCRAM-SHA-256' })).rejects.toMatchObject({ code: 'no-mechanism' });
    await server.restart({ hasOnlySha1: false, isPlainOnly: true });
    await expect(signIn('anna')).rejects.toMatchObject({ code: 'no-mechanism' });
    await server.restart({ isPlainOnly: false });
  });
});

describe('Connection', () => {
  it('carries requests and answers between accounts', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    echo(ben);
    expect((await anna.iq('set', ben.jid, ask('é€😀'.repeat(1000))))?.getText()).toBe('é€😀'.repeat(1000));
    await expect(anna.iq('get', ben.jid, xml('unknown', { xmlns: 'urn:x' }))).rejects.toMatchObject({
      condition: 'service-unavailable',
    });
  });

  it('answers ping, disco#info and version', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    const query = (namespace: string): Promise<Element | undefined> =>
      anna.iq('get', ben.jid, xml('query', { xmlns: namespace }));
    await anna.iq('get', ben.jid, xml('ping', { xmlns: NS_PING }));
    expect((await query(NS_DISCO_INFO))?.getChild('identity')?.attrs).toMatchObject({
      category: 'client',
      type: 'bot',
      name: 'git-xmpp',
    });
    expect((await query(NS_VERSION))?.getChildText('name')).toBe('git-xmpp');
    await expect(anna.iq('get', ben.jid, xml('query', { xmlns: NS_DISCO_INFO, node: 'x' }))).rejects.toMatchObject({
      condition: 'item-not-found',
    });
  });

  it('learns at once that an address is gone', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    await ben.close();
    await expect(anna.iq('get', ben.jid, ask())).rejects.toMatchObject({ code: 'peer-offline' });
  });

  it('delivers headlines to full addresses, and only there', async () => {
    const chat = await startChatClient(server, { name: 'ben', password: ACCOUNTS.ben, resource: 'phone' });
    chat.send('<presence><priority>50</priority></presence>');
    await chat.settle();
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    const heard = new Promise<string>((resolve) =>
      ben.onHeadline('urn:x', (from, payload) => resolve(`${from} ${payload.getText()}`)),
    );
    await anna.sendHeadline(ben.jid, xml('news', { xmlns: 'urn:x' }, 'moved'));
    await anna.sendHeadline(parseFullJid('ben@localhost/nobody'), xml('news', { xmlns: 'urn:x' }, 'lost'));
    expect(await heard).toBe('anna@localhost/git-xmpp-anna moved');
    await chat.settle();
    expect(chat.received()).not.toContain('urn:x');
    await chat.close();
  });

  it('keeps the older of two connections on one resource down, and says "conflict"', async () => {
    const first = await signIn('anna');
    const lost = ended(first);
    const second = await signIn('anna');
    expect(await lost).toMatchObject({ code: 'conflict' });
    expect([first.isOpen, second.isOpen, second.jid]).toEqual([false, true, first.jid]);
  });

  it('keeps nothing of 3000 stanzas sent without a pause', async () => {
    const asked: number[] = [];
    let sent = 0;
    const anna = await signIn('anna', {
      trace: (direction, element) => {
        if (direction === 'out' && element.name === 'message') sent += 1;
        if (direction === 'in' && element.name === 'a') asked.push(Number(element.attrs['h']));
      },
    });
    const ben = await signIn('ben');
    let heard = 0;
    const all = new Promise<void>((resolve) => {
      ben.onHeadline('urn:x', () => {
        heard += 1;
        if (heard === 3000) resolve();
      });
    });
    for (let count = 0; count < 3000; count += 1) await anna.sendHeadline(ben.jid, xml('news', { xmlns: 'urn:x' }));
    await all;
    await anna.iq('get', 'localhost', xml('ping', { xmlns: NS_PING }));
    expect(sent).toBe(3000);
    expect(asked).toHaveLength(187);
    expect(asked.at(-1)).toBe(2992);
  });

  it('stays up when a stanza is too long for it, where the server would have ended the stream', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    echo(ben);
    await expect(anna.iq('set', ben.jid, ask('A'.repeat(300_000)))).rejects.toMatchObject({ code: 'too-large' });
    expect((await anna.iq('set', ben.jid, ask('A'.repeat(60_000))))?.getText()).toHaveLength(60_000);
  });

  it('notices a black hole with a full send buffer', async () => {
    const hole = await startTcpProxy({ host: server.host, port: server.port });
    const clock = new VirtualClock();
    const { account } = optionsFor('anna');
    const anna = await signIn('anna', {
      clock,
      account: { ...account, server: { host: hole.host, port: hole.port, isDirectTls: false } },
    });
    hole.stall();
    const gone: FullJid = parseFullJid('ben@localhost/nobody');
    // More than the kernels on both sides hold.
    const stuck = Array.from({ length: 400 }, () =>
      anna.sendHeadline(gone, xml('news', { xmlns: 'urn:x' }, 'A'.repeat(60_000))).catch(() => 'failed'),
    );
    const answer = anna
      .iq('get', 'localhost', xml('ping', { xmlns: NS_PING }), { timeoutMs: 600_000 })
      .catch(({ code }: { code: string }) => code);
    const lost = ended(anna);
    clock.advance(150_000);
    clock.advance(20_000);
    expect(await lost).toMatchObject({ code: 'timeout' });
    expect(await answer).toBe('not-connected');
    expect(await Promise.all(stuck)).toContain('failed');
    await hole.stop();
  });

  it('notices a connection that is cut', async () => {
    const network = await startTcpProxy({ host: server.host, port: server.port });
    const { account } = optionsFor('anna');
    const anna = await signIn('anna', {
      account: { ...account, server: { host: network.host, port: network.port, isDirectTls: false } },
    });
    const lost = ended(anna);
    network.cut();
    expect(await lost).toMatchObject({ code: 'tcp' });
    await network.stop();
  });
});

describe('SignIn', () => {
  it('comes back by itself when the server was restarted, under the same address', async () => {
    const keeper = new SignIn({
      clock: realClock,
      log: silentLog,
      random: () => 0,
      dial: (signal) => connect(optionsFor('anna', { signal })),
    });
    const addresses: string[] = [];
    const came = (): Promise<void> => new Promise((resolve) => keeper.onUp(() => resolve()));
    keeper.onUp(({ jid }) => addresses.push(jid));
    const first = came();
    keeper.start();
    await first;
    const again = came();
    await server.restart();
    await again;
    expect(addresses).toEqual(['anna@localhost/git-xmpp-anna', 'anna@localhost/git-xmpp-anna']);
    await keeper.stop();
  });
});

describe('pep', () => {
  it('lets anybody read an open node, with no subscription, until it is removed', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    await publish(anna, 'urn:x:open', ask('first'), { access: 'open' });
    await publish(anna, 'urn:x:open', ask('second'), { access: 'open' });
    expect((await read(ben, ANNA, 'urn:x:open'))?.getText()).toBe('second');
    await remove(anna, 'urn:x:open');
    await remove(anna, 'urn:x:open');
    expect(await read(ben, ANNA, 'urn:x:open')).toBeUndefined();
  });

  it('closes a node that lay open before, and admits members only while they are named', async () => {
    const [anna, ben, cara] = await Promise.all([signIn('anna'), signIn('ben'), signIn('cara')]);
    await publish(anna, 'urn:x:node', ask('for all'), { access: 'open' });
    await publish(anna, 'urn:x:node', ask('for ben'), { access: 'whitelist', members: [BEN] });
    expect((await read(ben, ANNA, 'urn:x:node'))?.getText()).toBe('for ben');
    expect(await read(cara, ANNA, 'urn:x:node')).toBeUndefined();
    await publish(anna, 'urn:x:node', ask('for cara'), { access: 'whitelist', members: [CARA] });
    expect(await read(ben, ANNA, 'urn:x:node')).toBeUndefined();
    expect((await read(cara, ANNA, 'urn:x:node'))?.getText()).toBe('for cara');
    expect((await read(anna, ANNA, 'urn:x:node'))?.getText()).toBe('for cara');
  });

  it('says so when the server has none', async () => {
    await server.restart({ hasPep: false });
    const anna = await signIn('anna');
    await expect(publish(anna, 'urn:x:node', ask(), { access: 'open' })).rejects.toMatchObject({
      code: 'server',
      message: expect.stringContaining('PEP'),
    });
    expect(await read(anna, BEN, 'urn:x:node')).toBeUndefined();
    await server.restart({ hasPep: true });
  });
});

describe('address record', () => {
  it('tells paired accounts where a device is, and nobody else', async () => {
    const [anna, ben, cara] = await Promise.all([signIn('anna'), signIn('ben'), signIn('cara')]);
    await publishAddress(anna, DEVICE, [BEN]);
    expect(await readAddress(ben, ANNA, DEVICE)).toBe(anna.jid);
    expect(await readAddress(cara, ANNA, DEVICE)).toBeUndefined();
    await remove(anna, `urn:git-xmpp:address:1#${DEVICE}`);
    expect(await readAddress(ben, ANNA, DEVICE)).toBeUndefined();
  });

  it('is not believed when it names another account', async () => {
    const [anna, ben] = await Promise.all([signIn('anna'), signIn('ben')]);
    const forged = xml('address', { xmlns: 'urn:git-xmpp:address:1', device: DEVICE, jid: 'ben@localhost/x' });
    await publish(anna, `urn:git-xmpp:address:1#${DEVICE}`, forged, { access: 'open' });
    await expect(readAddress(ben, ANNA, DEVICE)).rejects.toMatchObject({ code: 'bad-input' });
  });
});
