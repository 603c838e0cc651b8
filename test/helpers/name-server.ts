// A DNS server of the test's own (RFC 1035, UDP), for what must not be asked of the machine's resolver.
// Rule: it knows the names it was told, and answers NXDOMAIN to every other.

import dgram from 'node:dgram';
import dnsPacket from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';

export interface NameServer {
  /** `127.0.0.1:port`, as `Resolver.setServers` takes it. */
  readonly address: string;
  /** `127.0.0.1@port`, as libunbound takes it. */
  readonly unboundAddress: string;
  /** Names that were asked for so far, in lower case, each as `TYPE name`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/** Answers with those of `records` whose type and name are asked for. */
export async function startNameServer(records: readonly Answer[]): Promise<NameServer> {
  const asked: string[] = [];
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, from) => {
    const query = dnsPacket.decode(message);
    for (const { type, name } of query.questions ?? []) asked.push(`${type} ${name.toLowerCase()}`);
    socket.send(dnsPacket.encode(answer(query, records)), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  return {
    address: `127.0.0.1:${port}`,
    unboundAddress: `127.0.0.1@${port}`,
    asked,
    stop: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** The SRV record of a service (RFC 2782). */
export function srv(name: string, port: number, target: string): Answer {
  return { type: 'SRV', name, ttl: 60, data: { priority: 5, weight: 0, port, target } };
}

function answer(query: DecodedPacket, records: readonly Answer[]): dnsPacket.Packet {
  const [question] = query.questions ?? [];
  const named = records.filter((record) => record.name.toLowerCase() === question?.name.toLowerCase());
  const isKnown = named.length > 0;
  return {
    type: 'response',
    id: query.id ?? 0,
    flags: dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | (isKnown ? 0 : NXDOMAIN),
    questions: query.questions ?? [],
    answers: named.filter((record) => record.type === question?.type),
  };
}

const NXDOMAIN = 3;
