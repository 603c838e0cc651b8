// A first clone over each kind of carrier beside OpenSSH and `git daemon`, and what memory the two agents take meanwhile.
// Rule: the sides take turns, round by round; a carrier that is not the named one is told by its own name.

import { Device } from '../helpers/device.ts';
import { makeRandomRepo } from './random-repo.ts';
import { startClonePeers, timeClone } from './clone-peers.ts';
import type { ClonePeers } from './clone-peers.ts';
import { agentPid, carrierOf, rssOf, startPlace } from './place.ts';
import type { Place, Ways } from './place.ts';
import { percentile } from './setting.ts';
import type { Row } from './setting.ts';
import { ending } from './teardown.ts';

const SAMPLE_MS = 200;
/** A carrier this slow is measured once. */
const LONG_MS = 60_000;
const NAMES: Readonly<Record<Ways, string>> = { direct: 'direct', socks5: 'SOCKS5 proxy', 'in-band': 'in-band' };

export interface CloneOptions {
  readonly megabytes: number;
  readonly rounds: number;
  readonly hasMemory: boolean;
}

export async function benchClone(options: CloneOptions): Promise<Row[]> {
  const maker = await new Device('maker').prepare();
  const stopMaker = ending(() => maker.remove());
  const origin = maker.path('big');
  const rows: Row[] = [];
  try {
    await makeRandomRepo(maker, origin, options.megabytes);
    const peers = await startClonePeers(origin);
    for (const ways of ['direct', 'socks5', 'in-band'] as const) {
      rows.push(...(await measureWays(ways, { ...options, origin, peers }).catch((error: unknown) => [failed(ways, options, error)])));
    }
    await peers.stop();
  } finally {
    await stopMaker();
  }
  return rows;
}

interface Origin {
  readonly origin: string;
  readonly peers: ClonePeers;
}

async function measureWays(ways: Ways, options: CloneOptions & Origin): Promise<Row[]> {
  const place = await startPlace(ways);
  try {
    const dir = place.a.path('big');
    // Hard links: nothing is copied, and what sharing writes into a repository stays out of the next place's.
    await place.a.git(place.a.dir, 'clone', '--quiet', options.origin, dir);
    await place.a.xmpp('share', dir);
    // The first clone is a small one, for the carrier that the link ends up on.
    const small = await place.a.repo('small');
    await place.a.xmpp('share', small);
    await timeClone(place.b, 'xmpp::laptop/small');
    const { kind } = await carrierOf(place);
    if (kind !== ways && options.megabytes > 100) return [[label(ways, options), 'not measured', '', `the carrier was ${kind}`, '', '']];
    return await measureRounds(ways, place, options);
  } finally {
    await place.stop();
  }
}

async function measureRounds(ways: Ways, place: Place, { peers, ...options }: CloneOptions & Origin): Promise<Row[]> {
  const memory = options.hasMemory ? sampleMemory(place) : undefined;
  const stopMemory = ending(async () => memory?.stop());
  const [ours, ssh, daemon]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < options.rounds && !ours.some((took) => took > LONG_MS); round += 1) {
    // A clone that fails or is interrupted takes the agents with it: they are looked at no longer.
    try {
      ours.push(await timeClone(place.b, 'xmpp::laptop/big'));
    } finally {
      await stopMemory();
    }
    ssh.push(await peers.overSsh(place.b));
    daemon.push(await peers.fromDaemon(place.b));
  }
  const { kind, words } = await carrierOf(place);
  const name = kind === ways ? label(ways, options) : `${label(ways, options)}: really ${words}`;
  const mine = percentile(ours, 0.5);
  const beside = (peer: string, took: number): Row => [name, seconds(mine), seconds(Math.max(...ours)), peer, seconds(took), (mine / took).toFixed(2)];
  return [beside('OpenSSH', percentile(ssh, 0.5)), beside('git daemon', percentile(daemon, 0.5)), ...(memory?.rows(words) ?? [])];
}

/** Resident memory of both agents while a clone runs. */
function sampleMemory({ a, b }: Place): { stop(): void; rows(carrier: string): Row[] } {
  const agents = [
    { who: 'serving agent', pid: agentPid(a), seen: [] as number[] },
    { who: 'asking agent', pid: agentPid(b), seen: [] as number[] },
  ];
  const look = (): void => agents.forEach(({ pid, seen }) => seen.push(...rssOf(pid)));
  look();
  const timer = setInterval(look, SAMPLE_MS);
  return {
    stop: () => clearInterval(timer),
    rows: (carrier) =>
      agents.map(({ who, seen }) => {
        const [peak, grown] = [Math.max(...seen), (seen.at(-1) ?? 0) - (seen[0] ?? 0)];
        return [`memory of the ${who}, ${carrier}`, `peak ${peak.toFixed(0)} MiB`, `grew ${grown.toFixed(0)} MiB`, 'before it', `${(seen[0] ?? 0).toFixed(0)} MiB`, ''];
      }),
  };
}

function label(ways: Ways, { megabytes }: { readonly megabytes: number }): string {
  return `clone of ${megabytes} MB, ${NAMES[ways]}`;
}

function failed(ways: Ways, options: CloneOptions, error: unknown): Row {
  return [label(ways, options), 'failed', '', reasonOf(error), '', ''];
}

/** An error in one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ').slice(0, 160);
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}
