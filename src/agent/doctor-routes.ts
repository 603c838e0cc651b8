// What only the agent can tell the doctor: itself, its repositories, and each peer by a real round trip over its link (docs/git-xmpp.1; docs/API.md).
// Rule: lines as they are found, each peer under its own deadline; it asks, and changes nothing but that a link is made where there was none.

import type { ClientHttp2Session } from 'node:http2';
import { asFault, Fault, formatFault } from '../lib/errors.ts';
import type { FaultRecord } from '../lib/errors.ts';
import { withDeadline } from '../lib/clock.ts';
import type { Peer } from '../home/peers.ts';
import type { Routes } from '../control/server.ts';
import type { LinkStats } from '../link/link-stats.ts';
import type { Agent } from './agent.ts';
import type { AccountAnswer } from './answers.ts';
import type { AgentParts } from './parts.ts';

/** A line of `GET /doctor`. */
export type DoctorLine =
  | {
      readonly type: 'agent';
      readonly version: string;
      readonly pid: number;
      readonly account: AccountAnswer;
      /** Lines of each kind that follow, in this order. */
      readonly repositories: number;
      readonly peers: number;
    }
  | {
      readonly type: 'repository';
      readonly name: string;
      readonly path: string;
      /** Why it does not run. */
      readonly problem?: FaultRecord;
      /** What of it the system does not let be watched, in words. */
      readonly unwatched?: string;
    }
  | {
      readonly type: 'peer';
      readonly petname: string;
      readonly jid: string;
      /** Milliseconds since 1970. */
      readonly lastSeen?: number;
      /** Why it cannot be reached. */
      readonly fault?: FaultRecord;
      /** Milliseconds from here to the peer's agent and back, over its link. */
      readonly roundTripMs?: number;
      readonly carrier?: LinkStats;
    };

/** Dialling has five seconds of its own. */
const PEER_MS = 12_000;

export function makeDoctorRoutes(agent: Agent): Routes {
  return {
    'GET /doctor': { kind: 'lines', answer: () => doctorLines(agent.parts) },
  };
}

async function* doctorLines(parts: AgentParts): AsyncGenerator<DoctorLine> {
  const { account, repos, peers, peering } = parts;
  const [shared, paired] = [repos.list(), peers.list()];
  yield { type: 'agent', version: process.env['GIT_XMPP_VERSION'] ?? 'unbuilt', pid: process.pid, account: account.answer(), repositories: shared.length, peers: paired.length };
  for (const { id, name, path } of shared) {
    const fault = peering.repoSet.problem(id) ?? peering.repoSet.byId(id)?.problem;
    const unwatched = peering.repoSet.unwatched(id);
    yield { type: 'repository', name, path, ...(fault === undefined ? {} : { problem: formatFault(fault) }), ...(unwatched === undefined ? {} : { unwatched }) };
  }
  for (const line of paired.map((peer) => tryPeer(parts, peer))) yield await line;
}

/** Never rejects: what went wrong is told. */
async function tryPeer({ peering, clock }: AgentParts, peer: Peer): Promise<DoctorLine> {
  const { petname, jid, lastSeen, device } = peer;
  const known = { type: 'peer', petname, jid, ...(lastSeen === undefined ? {} : { lastSeen }) } as const;
  try {
    const late = (): Fault => new Fault('timeout', `${petname} did not answer within ${PEER_MS / 1000} s`);
    const roundTripMs = await withDeadline(peering.links.ask(device, ping), PEER_MS, clock, late);
    const [carrier] = peering.linkStats(device);
    return { ...known, roundTripMs, ...(carrier === undefined ? {} : { carrier }) };
  } catch (error) {
    return { ...known, fault: formatFault(asFault(error, `asking ${petname}`)) };
  }
}

/** PING of HTTP/2 (RFC 9113 §6.7): the peer's agent answers it, inside pipe and TLS. */
function ping(session: ClientHttp2Session): Promise<number> {
  return new Promise((resolve, reject) => {
    const isSent = session.ping((error, tookMs) => (error === null ? resolve(Math.max(1, Math.round(tookMs))) : reject(error)));
    if (!isSent) reject(new Fault('not-connected', 'the link is over'));
  });
}
