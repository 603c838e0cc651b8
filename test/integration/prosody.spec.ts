// The server that every other integration spec stands on. Rule: what a spec asks of it is what a client really sees.

import { existsSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startChatClient } from '../helpers/chat-client.ts';
import type { ChatClient } from '../helpers/chat-client.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody, ProsodyOptions } from '../helpers/prosody.ts';

describe('startProsody', () => {
  let server: Prosody;
  beforeAll(async () => {
    server = await startProsody({ hasStanzaLog: true, accounts: { romeo: 'rosaline', juliet: 'r0meo!' } });
  });
  afterAll(() => server.stop());

  const romeo = (to = server): Promise<ChatClient> => startChatClient(to, { name: 'romeo', password: 'rosaline', resource: 'orchard' });

  it('signs in the accounts it was started with, over a certificate of its own CA', async () => {
    const client = await romeo();
    expect(client.jid).toBe('romeo@localhost/orchard');
    await client.close();
  });

  it('offers SCRAM-SHA-256, SCRAM-SHA-1 and PLAIN after STARTTLS only', async () => {
    const features = await readFeatures(server);
    expect(features).toContain('<required/>');
    expect(features).not.toContain('<mechanism>');
    expect(await readMechanisms(server)).toEqual(expect.arrayContaining(['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']));
  });

  it('writes down whole stanzas, one line each', async () => {
    const client = await romeo();
    client.send(`<message to='juliet@localhost/none' type='headline'><x xmlns='urn:test'>two\nlines é</x></message>`);
    await client.settle();
    const line = server.stanzaLog().split('\n').find((text) => text.includes('urn:test'));
    expect(line).toMatch(
      /^c2s\tromeo@localhost\/orchard\t<message [^>]*to='juliet@localhost\/none'[^>]*><x xmlns='urn:test'>two&#10;lines é<\/x><\/message>$/,
    );
    await client.close();
  });

  it('adds and deletes accounts while it runs', async () => {
    await server.addAccount('tybalt', 'cats');
    const tybalt = { name: 'tybalt', password: 'cats', resource: 'street' };
    const client = await startChatClient(server, tybalt);
    await client.close();
    await server.deleteAccount('tybalt');
    await expect(startChatClient(server, tybalt)).rejects.toThrow(/not-authorized/);
  });

  it('keeps accounts and ports over a restart, which ends what was connected', async () => {
    const before = { port: server.port, pid: server.pid };
    const client = await romeo();
    const ended = client.waitFor(/never/);
    const checked = expect(ended).rejects.toThrow('the stream ended');
    await server.restart();
    await checked;
    expect(server.port).toBe(before.port);
    expect(server.pid).not.toBe(before.pid);
    await (await romeo()).close();
  });

  it('lists its SOCKS5 proxy and answers as PEP service', async () => {
    const client = await romeo();
    client.send(`<iq type='get' id='items' to='localhost'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>`);
    await client.waitFor(/proxy\.localhost/);
    client.send(`<iq type='get' id='proxy' to='proxy.localhost'><query xmlns='http://jabber.org/protocol/bytestreams'/></iq>`);
    const [, port] = await client.waitFor(/<streamhost[^>]* port='(\d+)'/);
    expect(Number(port)).toBe(server.proxyPort);
    client.send(PUBLISH);
    const [answer] = await client.waitFor(/<iq [^>]*id='publish'[^>]*>/);
    expect(answer).toContain("type='result'");
    await client.close();
  });

  it('is gone, with its folder, after stop', async () => {
    const other = await start({ domain: 'other.test' });
    const { pid, dir } = other;
    await other.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(dir)).toBe(false);
  });

  it('offers only what its settings say, also after a restart with others', async () => {
    const other = await start({ isPlainOnly: true, hasPep: false, accounts: { romeo: 'rosaline' } });
    expect(await readMechanisms(other)).toEqual(['PLAIN']);
    const client = await romeo(other);
    client.send(PUBLISH);
    await client.waitFor(/id='publish'[^]*service-unavailable/);
    await other.restart({ isPlainOnly: false, hasOnlySha1: true });
    expect(new Set(await readMechanisms(other))).toEqual(new Set(['PLAIN', 'SCRAM-SHA-1']));
  });

  it('lets a client send no faster than its rate, and no longer stanza than its limit', async () => {
    const other = await start({ rate: '10kb/s', stanzaLimit: 20_000, accounts: { romeo: 'rosaline' } });
    const client = await romeo(other);
    const started = performance.now();
    client.send(`<message to='romeo@localhost/none' type='headline'><body>${'x'.repeat(15_000)}</body></message>`);
    await client.settle();
    expect(performance.now() - started).toBeGreaterThan(500);
    client.send(`<message to='romeo@localhost/none' type='headline'><body>${'x'.repeat(30_000)}</body></message>`);
    await client.waitFor(/policy-violation/);
  });

  it('says in its own words why it did not start', async () => {
    await expect(startProsody({ domain: 'no/domain' })).rejects.toThrow(/Prosody for no\/domain ended with 1 .*last lines:\n.*No such file/s);
  });
});

const PUBLISH =
  `<iq type='set' id='publish'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:test'>` +
  `<item id='current'><x xmlns='urn:test'/></item></publish></pubsub></iq>`;

async function start(options: ProsodyOptions): Promise<Prosody> {
  const server = await startProsody(options);
  onTestFinished(() => server.stop());
  return server;
}

/** The mechanisms that are offered under TLS, read off a refused sign-in. */
async function readMechanisms(server: Prosody): Promise<string[]> {
  const socket = tls.connect({ host: server.host, port: server.directTlsPort, servername: server.domain, ca: server.caPem });
  const features = await openStream(socket, server);
  return [...features.matchAll(/<mechanism>([^<]+)</g)].map(([, name = '']) => name).filter((name) => !name.endsWith('-PLUS'));
}

function readFeatures(server: Prosody): Promise<string> {
  return openStream(net.connect(server.port, server.host), server);
}

function openStream(socket: net.Socket, server: Prosody): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.once('error', reject);
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString();
      if (!text.includes('</stream:features>')) return;
      socket.destroy();
      resolve(text);
    });
    socket.write(`<stream:stream to='${server.domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`);
  });
}
