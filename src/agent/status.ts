// What `git xmpp status` tells: account, peers, and repository by device (docs/git-xmpp.1). Rule: the same plain data for people and for
// `--json`; every state that is not "in sync" says why, or what ends it.

import type { DeviceId } from '../lib/names.ts';
import type { Policy } from '../sync/plan.ts';
import { fingerprintOf } from '../home/fingerprint.ts';
import type { Peer } from '../home/peers.ts';
import type { LinkStats } from '../link/link-stats.ts';
import type { AutoCommitStatus } from './auto-commit.ts';
import { compareBranches } from './branch-status.ts';
import type { BranchStatus } from './branch-status.ts';
import type { HubStatus } from './hub-status.ts';
import type { RepoLoop } from './loop.ts';
import type { PauseStatus } from './pauses.ts';
import { describePolicies, HOOK_EVENTS } from './policies-format.ts';
import type { HookEvent, Policies } from './policies-format.ts';
import type { TransferStatus } from './transfers.ts';
import type { Trouble } from './troubles.ts';

/** How a repository here stands to the same repository on one peer. */
export interface RepoPeerStatus {
  readonly peer: string;
  readonly device: string;
  readonly isOnline: boolean;
  /** Whether it has told that it has the repository; false as well while nothing has been heard of it yet. */
  readonly isShared: boolean;
  /** `in sync`, `ahead 2`, `behind 1`, `diverged`, `sending`, `to be sent` (once it is there), `unknown` (it has told nothing yet), `paused`, `paused until 14:30`. */
  readonly state: string;
  /** Commits of all branches that both have: those that it lacks, and those that are lacking here. */
  readonly ahead: number;
  readonly behind: number;
  /** Milliseconds since 1970: when it was last heard of; absent while it is there, and where it never was. */
  readonly offlineSince?: number;
  /** What the link runs over; absent where there is none. */
  readonly carrier?: LinkStats;
  /** What moves now between the two. */
  readonly moving: readonly TransferStatus[];
  /** What went wrong last, until it works again. */
  readonly error?: Trouble;
  readonly branches: readonly BranchStatus[];
  /** What waits here, in words. */
  readonly waiting: readonly string[];
  /** What has come of a first transfer that is under way, in bytes; a total of 0 is not known yet. */
  readonly receiving?: { readonly received: number; readonly total: number };
}

export interface RepoStatus {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  /** While it is paused: then it does not run, and each peer's `state` says so too. */
  readonly pause?: PauseStatus;
  readonly peers: readonly RepoPeerStatus[];
  /** Where what changes is committed by itself. */
  readonly autoCommit?: AutoCommitStatus;
  /** What is set for it, and what cannot be used of that; absent while it cannot be read. */
  readonly policies?: PoliciesStatus;
  /** Remotes that are kept in sync; absent while the repository does not run. */
  readonly hubs?: readonly HubStatus[];
}

export interface PoliciesStatus extends Policy {
  /** Globs of `xmpp.branches`; none when all are synced. */
  readonly branches: readonly string[];
  /** Hooks that are set. */
  readonly hooks: readonly HookEvent[];
  /** What is not as it is by default, such as `merge=none`. */
  readonly words: readonly string[];
  readonly problems: readonly string[];
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
  /** What went wrong last between the two, until it works again. */
  readonly error?: Trouble;
}

/** Compares branches with what a peer's map says; a peer that was never heard is `unknown`. */
export async function repoPeerStatus(
  loop: RepoLoop,
  { peer, me, isOnline, carrier, error }: { readonly peer: Peer; readonly me: DeviceId; readonly isOnline: boolean; readonly carrier: LinkStats | undefined; readonly error: Trouble | undefined },
): Promise<RepoPeerStatus> {
  const { maps, transfers, shared } = loop.context;
  const waiting = loop.considering.waiting.filter(({ source }) => source === peer.device).map(({ ref, words }) => `${ref.replace('refs/heads/', '')}: ${words}`);
  const { device, petname, lastSeen } = peer;
  const base = {
    peer: petname,
    device,
    isOnline,
    waiting,
    moving: transfers.list(shared().id, device),
    ...(isOnline || lastSeen === undefined ? {} : { offlineSince: lastSeen }),
    ...(carrier === undefined ? {} : { carrier }),
    ...(error === undefined ? {} : { error }),
  };
  if (maps.signed(device) === undefined) return { ...base, isShared: loop.engine.owed(device) !== undefined, state: 'unknown', ahead: 0, behind: 0, branches: [] };
  const branches = await compareBranches(loop, { ours: maps.refsOf(me), theirs: maps.refsOf(device), peer });
  const owed = loop.engine.owed(device)?.includes(me) ?? false;
  const count = { ahead: sum(branches.map(({ ahead }) => ahead)), behind: sum(branches.map(({ behind }) => behind)) };
  return { ...base, state: summarise(branches, { ...count, isOwed: owed, isOnline }), ...count, isShared: true, branches };
}

/** What is told of a peer. */
export function peerStatus(peer: Peer, { isOnline, links, error }: { readonly isOnline: boolean; readonly links: readonly LinkStats[]; readonly error?: Trouble | undefined }): PeerStatus {
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
    ...(error === undefined ? {} : { error }),
  };
}

function summarise(branches: readonly BranchStatus[], { ahead, behind, isOwed, isOnline }: { readonly ahead: number; readonly behind: number; readonly isOwed: boolean; readonly isOnline: boolean }): string {
  const isSending = isOwed && isOnline;
  if (branches.some(({ state }) => state === 'diverged')) return 'diverged';
  if (ahead > 0 && behind > 0) return `ahead ${ahead}, behind ${behind}`;
  if (ahead > 0) return isSending ? `sending ${ahead}` : `ahead ${ahead}`;
  if (behind > 0) return `behind ${behind}`;
  // A branch that the other has not at all counts in neither.
  return isSending ? 'sending' : isOwed ? 'to be sent' : 'in sync';
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, each) => all + each, 0);
}

/** What is set for a repository, as it is shown. */
export function policiesStatus(policies: Policies): PoliciesStatus {
  const { policy, synced, hooks, problems } = policies;
  return { ...policy, branches: synced.globs, hooks: HOOK_EVENTS.filter((event) => hooks[event] !== undefined), words: describePolicies(policies), problems };
}

/** Words such as "last seen 14:02", with the day where it was another; empty for never. */
export function formatSeen(at: number | undefined, now: number): string {
  if (at === undefined) return '';
  const then = new Date(at);
  const time = then.toTimeString().slice(0, 5);
  return `last seen ${Math.abs(now - at) < 86_400_000 ? time : `${then.toISOString().slice(0, 10)} ${time}`}`;
}
