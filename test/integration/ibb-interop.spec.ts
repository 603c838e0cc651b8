// In-band streams with slixmpp, another implementation of XEP-0047. Runs where XMPP_INTEROP=slixmpp says that
// Debian's python3-slixmpp is installed; then a missing one fails.

import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { InBand } from '../../src/carriers/in-band.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { createLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import { TestSink, TestSource, patternBytes } from '../helpers/carrier-ends.ts';
import { startProcess } from '../helpers/processes.ts';
import { startProsody } from '../helpers/prosody.ts';

const PROGRAM = path.join(import.meta.dirname, '../fixtures/programs/slixmpp-ibb.py');
const log = createLog(() => undefined, 'warn', () => 0);

describe.runIf(process.env['XMPP_INTEROP'] === 'slixmpp')('InBand with slixmpp', () => {
  it.each([
    ['blocks of 4096 bytes', 8192],
    ['the smaller blocks that it wants', 2048],
  ])('sends, receives and accepts a stream with %s', async (_, maxBlock) => {
    const server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' } });
    onTestFinished(() => server.stop());
    const target = { host: server.host, port: server.port, isDirectTls: false };
    const connection = await connect({
      account: { jid: parseBareJid('anna@localhost'), server: target, ca: server.caPem },
      password: 'pw-anna',
      resource: 'git-xmpp-aaaaaaaa',
      clock: realClock,
      log,
    });
    const inBand = new InBand({ connection, clock: realClock, log, random: (size) => randomBytes(size) });
    onTestFinished(() => connection.close());
    const accepted = new Promise<Carrier>((resolve) => inBand.onCarrier(resolve));

    const sent = patternBytes(300_000);
    const peer = await startProcess('/usr/bin/python3', [PROGRAM], {
      name: 'slixmpp',
      env: {
        PATH: process.env['PATH'],
        JID: 'ben@localhost/desk',
        PASSWORD: 'pw-ben',
        HOST: server.host,
        PORT: String(server.port),
        CA_FILE: server.caFile,
        SIZE: String(sent.length),
        MAX_BLOCK: String(maxBlock),
        TARGET: connection.jid,
      },
      isReady: (output) => output.includes('ready '),
    });
    onTestFinished(() => peer.stop());

    const source = new TestSource();
    source.write(sent);
    const echo = await run(await inBand.open(parseFullJid('ben@localhost/desk')), source);
    expect(hashOf(echo.bytes)).toBe(hashOf(sent));
    const own = await run(await accepted, new TestSource());
    expect(own.length).toBe(50_000);
    await expect.poll(() => peer.output()).toContain(`sent ${hashOf(own.bytes)}`);
  });
});

/** Runs `carrier` until the other side closes it. */
function run(carrier: Carrier, source: TestSource): Promise<TestSink> {
  return new Promise((resolve) => {
    const sink = new TestSink();
    carrier.start(source, { receive: (bytes) => sink.receive(bytes), closed: () => resolve(sink) });
  });
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
