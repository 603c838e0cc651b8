// What `git xmpp status` tells: account, peers, and repository by device (docs/git-xmpp.1). Rule: the same plain data for people and for
// `--json`; every state that is not "in sync" says why, or what ends it.

import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { fingerprintOf } from '../home/fingerprint.ts';
import type { Peer } from '../home/peers.ts';
import { countCommits, isAncestor } from '../git/refs.ts';
import type { LinkStats } from '../link/link-stats.ts';
import type { HubStatus } from './hub-status.ts';
import type { RepoLoop } from './loop.ts';

/** How one branch here stands to the same branch on a peer. */
export interface BranchStatus {
  readonly branch: string;
  readonly state: 'in sync' | 'ahead' | 'behind' | 'diverged';
  /** Commits that the peer lacks, and that are lacking here. */
  readonly ahead: number;
  readonly behind: number;
}

export interface RepoPeerStatus {
  readonly peer: string;
  readonly device: string;
  readonly isOnline: boolean;
  /** `in sync`, `ahead 2`, `behind 1`, `diverged`, `sending`, `unknown` (it has told nothing yet). */
  readonly state: string;
  readonly branches: readonly BranchStatus[];
  /** What waits here, in words. */
  readonly waiting: readonly string[];
  /** What has come of a first transfer that is under way, in bytes; a total of 0 is not known yet. */
  readonly receiving?: { readonly received: number; readonly total: number };
  /** The command that gets there, where there is one. */
  readonly hint?: string;
}

export interface RepoStatus {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  readonly peers: readonly RepoPeerStatus[];
  /** Remotes that are kept in sync; absent while the repository does not run. */
  readonly hubs?: readonly HubStatus[];
}

export interface PeerStatus {
  readonly petname: string;
  /** What it calls itself. */
  readonly name: string;
  readonly jid: string;
  readonly kind: 'own' | 'other';
  readonly device: string;
  readonly fingerprint: string;
  readonly isOnline: boolean;
  /** Milliseconds since 1970. */
  readonly lastSeen?: number;
  /** What the link with it runs on: the one dialled from here, else the one from there. */
  readonly carrier?: LinkStats;
  /** Both links, where there are two. */
  readonly links: readonly LinkStats[];
}

/** Compares branches with what a peer's map says; a peer that was never heard is `unknown`. */
export async function repoPeerStatus(
  loop: RepoLoop,
  { peer, me, isOnline }: { readonly peer: Peer; readonly me: DeviceId; readonly isOnline: boolean },
): Promise<RepoPeerStatus> {
  const { maps } = loop.context;
  const waiting = loop.considering.waiting.filter(({ source }) => source === peer.device).map(({ ref, words }) => `${ref.replace('refs/heads/', '')}: ${words}`);
  const base = { peer: peer.petname, device: peer.device, isOnline, waiting };
  if (maps.signed(peer.device) === undefined) return { ...base, state: 'unknown', branches: [] };
  const branches = await compare(loop, maps.refsOf(me), maps.refsOf(peer.device));
  const owed = loop.engine.owed(peer.device)?.includes(me) ?? false;
  return { ...base, state: summarise(branches, { owed, isOnline }), branches };
}

/** What is told of a peer. */
export function peerStatus(peer: Peer, { isOnline, links }: { readonly isOnline: boolean; readonly links: readonly LinkStats[] }): PeerStatus {
  return {
    petname: peer.petname,
    name: peer.name,
    jid: peer.jid,
    kind: peer.kind,
    device: peer.device,
    fingerprint: fingerprintOf(peer.spki),
    isOnline,
    ...(peer.lastSeen === undefined ? {} : { lastSeen: peer.lastSeen }),
    ...(links[0] === undefined ? {} : { carrier: links[0] }),
    links,
  };
}

function summarise(branches: readonly BranchStatus[], { owed, isOnline }: { readonly owed: boolean; readonly isOnline: boolean }): string {
  const diverged = branches.find(({ state }) => state === 'diverged');
  if (diverged !== undefined) return 'diverged';
  const ahead = branches.reduce((sum, each) => sum + each.ahead, 0);
  const behind = branches.reduce((sum, each) => sum + each.behind, 0);
  if (ahead > 0 && behind > 0) return `ahead ${ahead}, behind ${behind}`;
  if (ahead > 0) return owed && isOnline ? `sending ${ahead}` : `ahead ${ahead}`;
  if (behind > 0) return `behind ${behind}`;
  return owed && isOnline ? 'sending' : 'in sync';
}

async function compare(loop: RepoLoop, ours: ReadonlyMap<RefName, Oid>, theirs: ReadonlyMap<RefName, Oid>): Promise<BranchStatus[]> {
  const shared = [...ours].filter(([ref]) => ref.startsWith('refs/heads/') && theirs.has(ref));
  const result: BranchStatus[] = [];
  for (const [ref, tip] of shared) {
    const other = theirs.get(ref);
    if (other === undefined) continue;
    result.push({ branch: ref.slice('refs/heads/'.length), ...(await relate(loop, tip, other)) });
  }
  return result;
}

async function relate({ context }: RepoLoop, ours: Oid, theirs: Oid): Promise<Omit<BranchStatus, 'branch'>> {
  if (ours === theirs) return { state: 'in sync', ahead: 0, behind: 0 };
  const { runGit, repository } = context;
  const isBehind = await isAncestor(runGit, repository, { older: ours, newer: theirs });
  const isAhead = !isBehind && (await isAncestor(runGit, repository, { older: theirs, newer: ours }));
  const ahead = isBehind ? 0 : await countCommits(runGit, repository, { from: theirs, to: ours });
  const behind = isAhead ? 0 : await countCommits(runGit, repository, { from: ours, to: theirs });
  return { state: isBehind ? 'behind' : isAhead ? 'ahead' : 'diverged', ahead, behind };
}

/** Words such as "last seen 14:02", with the day where it was another; empty for never. */
export function formatSeen(at: number | undefined, now: number): string {
  if (at === undefined) return '';
  const then = new Date(at);
  const time = then.toTimeString().slice(0, 5);
  return `last seen ${now - at < 86_400_000 ? time : `${then.toISOString().slice(0, 10)} ${time}`}`;
}
