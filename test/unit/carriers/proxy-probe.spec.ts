import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { probeProxy } from '../../../src/carriers/proxy-probe.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { startStreamhost } from '../../helpers/streamhosts.ts';
import type { Behaviour } from '../../helpers/streamhosts.ts';
import { listenLocally } from '../../helpers/tcp-pair.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const JID = parseFullJid('romeo@example.org/doctor');
const random = (size: number): Uint8Array => new Uint8Array(size).fill(7);
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** The server's half: what it is asked to activate, and what it makes of it. */
function makeConnection(onActivate: (query: Element) => void = () => undefined) {
  const asked: Element[] = [];
  return {
    asked,
    jid: JID,
    iq: async (_type: 'get' | 'set', _to: string | undefined, query: Element): Promise<undefined> => {
      asked.push(query);
      onActivate(query);
    },
  };
}

/** A proxy that joins the two that ask for one stream. */
async function startProxy(): Promise<{ readonly host: string; readonly port: number; readonly sockets: Socket[]; join(): void }> {
  const sockets: Socket[] = [];
  const listening = await listenLocally((socket) => {
    sockets.push(socket);
    socket.once('data', () => {
      socket.write(Uint8Array.of(5, 0));
      socket.once('data', (request) => socket.write(Buffer.concat([Uint8Array.of(5, 0, 0), request.subarray(3)])));
    });
  });
  ends.push(() => listening.close());
  const join = (): void => {
    const [first, second] = sockets;
    if (first !== undefined && second !== undefined) first.pipe(second).pipe(first);
  };
  return { host: listening.host, port: listening.port, sockets, join };
}

describe('probeProxy', () => {
  it('passes a byte each way, and lets both connections go', async () => {
    const proxy = await startProxy();
    const connection = makeConnection(() => proxy.join());
    const tookMs = await probeProxy({ jid: 'proxy.example.org', ...proxy }, { connection, clock: realClock, random });
    expect(tookMs).toBeGreaterThanOrEqual(0);
    expect(connection.asked[0]?.getChildText('activate')).toBe(JID);
    await Promise.all(proxy.sockets.map((socket) => socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve))));
  });

  it('says what the server makes of the activation', async () => {
    const proxy = await startProxy();
    const connection = makeConnection(() => {
      throw new StanzaFault('cancel', 'not-allowed');
    });
    await expect(probeProxy({ jid: 'proxy.example.org', ...proxy }, { connection, clock: realClock, random })).rejects.toMatchObject({ code: 'server', message: 'proxy.example.org did not activate a stream: not-allowed' });
  });

  it.each(['closes at once', 'is no SOCKS5', 'refuses', 'answers for another stream'] as Behaviour[])('says "tcp" of one that %s', async (behaviour) => {
    const host = await startStreamhost(behaviour);
    ends.push(() => host.close());
    await expect(probeProxy({ jid: 'p', host: host.host, port: host.port }, { connection: makeConnection(), clock: realClock, random })).rejects.toMatchObject({ code: 'tcp' });
  });

  it('gives one that takes a byte and passes none on its time', async () => {
    const proxy = await startProxy();
    const clock = new VirtualClock();
    const connection = makeConnection(() => queueMicrotask(() => setImmediate(() => clock.advance(5_000))));
    await expect(probeProxy({ jid: 'p', ...proxy }, { connection, clock, random })).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('passed none on') });
  });
});
