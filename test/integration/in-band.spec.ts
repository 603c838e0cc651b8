// In-band streams through a real server.

import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Carrier } from '../../src/carriers/carrier.ts';
import { InBand } from '../../src/carriers/in-band.ts';
import { realClock } from '../../src/lib/clock.ts';
import type { Fault } from '../../src/lib/errors.ts';
import { parseBareJid, parseFullJid } from '../../src/lib/jid.ts';
import { createLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import { TestSource, patternBytes } from '../helpers/carrier-ends.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const log = createLog(() => undefined, 'warn', () => 0);
const MEGABYTE = 1_000_000;

describe('InBand on Prosody', () => {
  let server: Prosody;
  beforeAll(async () => {
    server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' }, hasSmResume: false });
  });
  afterAll(() => server.stop());

  async function signIn(name: string, port = server.port): Promise<{ connection: Connection; inBand: InBand }> {
    const target = { host: server.host, port, isDirectTls: false };
    const connection = await connect({
      account: { jid: parseBareJid(`${name}@localhost`), server: target, ca: server.caPem },
      password: `pw-${name}`,
      resource: `git-xmpp-${randomBytes(4).toString('hex')}`,
      clock: realClock,
      log,
    });
    onTestFinished(() => connection.close());
    return { connection, inBand: new InBand({ connection, clock: realClock, log, random: (size) => randomBytes(size) }) };
  }

  /** Anna opens a stream to Ben; Anna's bytes may pass through `port`. */
  async function openStream(port?: number): Promise<{ there: Carrier; here: Carrier }> {
    const [anna, ben] = [await signIn('anna', port), await signIn('ben')];
    const accepted = new Promise<Carrier>((resolve) => ben.inBand.onCarrier(resolve));
    return { there: await anna.inBand.open(ben.connection.jid), here: await accepted };
  }

  it('carries a megabyte both ways at once, byte for byte', async () => {
    const { there, here } = await openStream();
    const [up, down] = [patternBytes(MEGABYTE, 1), patternBytes(MEGABYTE, 2)];
    const [gotUp, gotDown] = [start(here, down, up.length), start(there, up, down.length)];
    expect(await gotUp.hash).toBe(hashOf(up));
    expect(await gotDown.hash).toBe(hashOf(down));
    expect(there.stats).toMatchObject({ bytesIn: MEGABYTE, bytesOut: MEGABYTE });
    await there.close();
    expect((await gotUp.closed).message).toContain('closed the in-band stream');
  });

  it('ends at both ends when the connection of one is cut in mid-stream', async () => {
    const cable = await layCable(server);
    const { there, here } = await openStream(cable.port);
    const up = patternBytes(20 * MEGABYTE);
    const [receiver, sender] = [start(here, up, Infinity), start(there, up, Infinity)];
    await receiver.reached(MEGABYTE / 2);
    cable.cut();
    expect((await sender.closed).code).toBe('tcp');
    expect((await receiver.closed).code).toBe('peer-offline');
  });

  it('knows a resource that is not there', async () => {
    const { inBand } = await signIn('anna');
    await expect(inBand.open(parseFullJid('ben@localhost/nobody'))).rejects.toMatchObject({ code: 'peer-offline' });
  });

  it('keeps the wait short where the server lets 10 kB a second through', async () => {
    await server.restart({ rate: '10kb/s' });
    const { there, here } = await openStream();
    const up = patternBytes(60_000);
    const [receiver] = [start(here, new Uint8Array(0), up.length), start(there, up, 0)];
    expect(await receiver.hash).toBe(hashOf(up));
    expect(there.stats.srttMs).toBeLessThan(2500);
  });
});

interface Running {
  /** SHA-256 of what came in, when all of it has. */
  readonly hash: Promise<string>;
  readonly closed: Promise<Fault>;
  /** Resolves when so many bytes have come in. */
  reached(length: number): Promise<void>;
}

/** Sends `bytes` over `carrier` and takes in what comes. */
function start(carrier: Carrier, bytes: Uint8Array, expected: number): Running {
  const source = new TestSource();
  source.write(bytes);
  const digest = createHash('sha256');
  const waiting: { readonly length: number; readonly resolve: () => void }[] = [];
  let length = 0;
  const reached = (wanted: number): Promise<void> => new Promise((resolve) => waiting.push({ length: wanted, resolve }));
  const hash = reached(expected).then(() => digest.digest('hex'));
  const closed = new Promise<Fault>((resolve) => {
    const receive = async (part: Uint8Array): Promise<void> => {
      digest.update(part);
      length += part.length;
      for (const one of waiting) if (length >= one.length) one.resolve();
    };
    carrier.start(source, { receive, closed: resolve });
  });
  return { hash, closed, reached };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A TCP relay to the server that can be cut. */
async function layCable(server: Prosody): Promise<{ readonly port: number; cut(): void }> {
  const sockets: net.Socket[] = [];
  const relay = net.createServer((near) => {
    const far = net.connect({ port: server.port, host: server.host });
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void relay.close());
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  return {
    port: address.port,
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}
