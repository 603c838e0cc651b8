// SOCKS5 bytestreams with slixmpp, another implementation of XEP-0065. Runs where XMPP_INTEROP=slixmpp says that
// Debian's python3-slixmpp is installed; then a missing one fails.

import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DirectMode } from '../../src/home/settings-format.ts';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { Socks5 } from '../../src/carriers/socks5.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { createLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import { TestSink, TestSource, patternBytes } from '../helpers/carrier-ends.ts';
import { startProcess } from '../helpers/processes.ts';
import type { Running } from '../helpers/processes.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PROGRAM = path.join(import.meta.dirname, '../fixtures/programs/slixmpp-socks5.py');
const DESK = parseFullJid('ben@localhost/desk');
const log = createLog(() => undefined, 'warn', () => 0);

async function signIn(mode: DirectMode) {
  const server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' } });
  onTestFinished(() => server.stop());
  const connection = await connect({
    account: { jid: parseBareJid('anna@localhost'), server: { host: server.host, port: server.port, isDirectTls: false }, ca: server.caPem },
    password: 'pw-anna',
    resource: 'git-xmpp-aaaaaaaa',
    clock: realClock,
    log,
  });
  const interfaces = () => ({ lo: [{ address: '127.0.0.1', internal: true }] });
  const socks5 = new Socks5({ connection, clock: realClock, log, random: (size) => randomBytes(size), mode: () => mode, interfaces });
  onTestFinished(() => connection.close());
  return { server, connection, socks5 };
}

async function startSlixmpp(server: Prosody, target?: string): Promise<Running> {
  const peer = await startProcess('/usr/bin/python3', [PROGRAM], {
    name: 'slixmpp',
    env: {
      PATH: process.env['PATH'],
      JID: DESK,
      PASSWORD: 'pw-ben',
      HOST: server.host,
      PORT: String(server.port),
      CA_FILE: server.caFile,
      TARGET: target,
    },
    isReady: (output) => output.includes('ready '),
  });
  onTestFinished(() => peer.stop());
  return peer;
}

describe.runIf(process.env['XMPP_INTEROP'] === 'slixmpp')('Socks5 with slixmpp', () => {
  it.each([
    ['directly', 'private', 'direct'],
    ['through the proxy', 'off', 'socks5'],
  ] as const)('opens a stream to it %s', async (_, mode, kind) => {
    const { server, socks5 } = await signIn(mode);
    const peer = await startSlixmpp(server);
    const offer = await socks5.prepare(DESK);
    const carrier = await offer.open();
    expect(carrier.kind).toBe(kind);
    const [source, sent] = [new TestSource(), patternBytes(300_000)];
    const isTaken = new Promise<void>((resolve) => {
      const takeOutgoing = (max: number): Uint8Array => {
        const bytes = source.takeOutgoing(max);
        if (bytes.length === 0) resolve();
        return bytes;
      };
      source.write(sent);
      carrier.start({ takeOutgoing }, new TestSink());
    });
    await isTaken;
    await carrier.close();
    await expect.poll(() => peer.output()).toContain(`got ${hashOf(sent)}`);
  });

  it('takes a stream that it opens through the proxy', async () => {
    const { server, connection, socks5 } = await signIn('off');
    const taken = new Promise<TestSink>((resolve) => {
      socks5.onCarrier((carrier: Carrier) => {
        const sink = new TestSink();
        carrier.start(new TestSource(), { receive: (bytes) => sink.receive(bytes), closed: () => resolve(sink) });
      });
    });
    socks5.expect(DESK, { sid: 'own', streamhosts: [{ jid: 'proxy.localhost', host: '127.0.0.1', port: server.proxyPort }] }, 30_000);
    const peer = await startSlixmpp(server, connection.jid);
    const sink = await taken;
    expect(sink.length).toBe(50_000);
    await expect.poll(() => peer.output()).toContain(`sent ${hashOf(sink.bytes)}`);
  });
});

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
