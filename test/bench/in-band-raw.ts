// One in-band carrier between two clients of a real Prosody, with no pipe, TLS or git on it.
// Rule: the first tenth is not counted, for in it the window and the blocks still grow.

import { randomBytes } from 'node:crypto';
import type { Carrier, CarrierSink } from '../../src/carriers/carrier.ts';
import { InBand } from '../../src/carriers/in-band.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import type { Prosody } from '../helpers/prosody.ts';

export interface Raw {
  /** Bytes a second that arrived, over all but the first tenth. */
  readonly rate: number;
  readonly srttMs: number;
  /** Processor time of this process for each second, both ends together; the server's is not in it. */
  readonly cpu: number;
}

interface End {
  readonly connection: Connection;
  readonly inBand: InBand;
}

/** Sends `bytes` from one signed-in client to another through `server`. */
export async function measureRaw(server: Prosody, bytes: number, blockSize = 4096): Promise<Raw> {
  const [from, to] = [await signIn(server, 'anna'), await signIn(server, 'ben')];
  try {
    const accepted = new Promise<Carrier>((resolve) => to.inBand.onCarrier(resolve));
    const there = await from.inBand.open(to.connection.jid, { blockSize });
    const here = await accepted;
    const { rate, cpu } = await carry(there, here, bytes);
    return { rate, cpu, srttMs: there.stats.srttMs };
  } finally {
    await Promise.all([from.connection.close(), to.connection.close()]);
  }
}

async function carry(there: Carrier, here: Carrier, bytes: number): Promise<{ rate: number; cpu: number }> {
  const data = randomBytes(Math.min(bytes, 1 << 20));
  let left = bytes;
  const source = {
    takeOutgoing: (max: number): Uint8Array => {
      const size = Math.min(max, left, data.length);
      left -= size;
      return data.subarray(0, size);
    },
  };
  const none = { takeOutgoing: () => new Uint8Array(0) };
  let got = 0;
  let first: { at: number; bytes: number; cpu: NodeJS.CpuUsage } | undefined;
  return new Promise((resolve, reject) => {
    const sink: CarrierSink = {
      receive: (part) => {
        got += part.length;
        if (first === undefined && got >= bytes / 10) first = { at: performance.now(), bytes: got, cpu: process.cpuUsage() };
        if (got === bytes && first !== undefined) {
          const ms = performance.now() - first.at;
          const { user, system } = process.cpuUsage(first.cpu);
          resolve({ rate: ((got - first.bytes) / ms) * 1000, cpu: (user + system) / 1000 / ms });
        }
        return Promise.resolve();
      },
      closed: reject,
    };
    here.start(none, sink);
    there.start(source, { receive: () => Promise.resolve(), closed: reject });
  });
}

async function signIn(server: Prosody, name: string): Promise<End> {
  const connection = await connect({
    account: { jid: parseBareJid(`${name}@localhost`), server: { host: server.host, port: server.port, isDirectTls: false }, ca: server.caPem },
    password: `pw-${name}`,
    resource: `git-xmpp-${randomBytes(4).toString('hex')}`,
    clock: realClock,
    log: silentLog,
  });
  const inBand = new InBand({ connection, clock: realClock, log: silentLog, random: (size) => randomBytes(size) });
  return { connection, inBand };
}
