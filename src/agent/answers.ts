// What the agent's door answers, as types that the commands share (docs/API.md). Rule: the same words in code, JSON
// and documentation.

import type { FaultRecord } from '../lib/errors.ts';
import type { PauseStatus } from './pauses.ts';
import type { Standstill } from './peer-repos.ts';
import type { PeerStatus, RepoStatus } from './status.ts';

/** `GET /account`. */
export interface AccountAnswer {
  /** `none`: not signed in to any account. */
  readonly state: 'none' | 'connecting' | 'online' | 'offline' | 'stopped' | 'paused';
  readonly jid?: string;
  /** Full JID while online. */
  readonly address?: string;
  /** What keeps it from being online. */
  readonly fault?: FaultRecord;
  /** Milliseconds until the next try. */
  readonly retryInMs?: number;
  readonly device: string;
  readonly name: string;
  readonly fingerprint: string;
}

/** `POST /login`. */
export interface LoginAnswer {
  readonly jid: string;
  readonly address: string;
  /** Who keeps the password: git's credential helper, or a file of ours. */
  readonly keptBy: 'helper' | 'file';
}

/** `GET /status`. */
export interface StatusAnswer {
  readonly account: AccountAnswer;
  /** While everything is paused. */
  readonly pause?: PauseStatus;
  readonly peers: readonly PeerStatus[];
  readonly repos: readonly (RepoStatus & { readonly problem?: FaultRecord })[];
  /** What waits for a person, with the command that mends it. */
  readonly notes: readonly string[];
  /** Since the agent started: streams and blocks in-band, SOCKS5 streams and streamhosts, and links that were refused. The log names each kind once. */
  readonly refused: { readonly inBand: number; readonly socks5: number; readonly links: number };
}

/** `POST /pause` and `POST /resume`. */
export interface PauseAnswer {
  /** Name of the repository; absent for everything. */
  readonly repo?: string;
  /** How it is paused now; absent where it runs. */
  readonly pause?: PauseStatus;
  /** False for `resume` where nothing was paused. */
  readonly hasChanged: boolean;
}

/** A line of `POST /pair`. */
export type PairLine =
  /** `address`: the full JID that has to be typed with it, for the server has no PEP to find it by. */
  | { readonly type: 'code'; readonly code: string; readonly jid: string; readonly address?: string }
  | { readonly type: 'invite'; readonly invite: string; readonly expiresAt: number }
  | { readonly type: 'attempt'; readonly by: string }
  | { readonly type: 'burnt'; readonly by: string; readonly waitMs: number }
  | { readonly type: 'refused'; readonly by: string; readonly words: string }
  | ({ readonly type: 'paired' } & PairedAnswer);

/** `POST /pair/join`, and the last line of `POST /pair`. */
export interface PairedAnswer {
  readonly peer: PeerStatus;
  /** What the other device shows now; empty while it cannot be asked. */
  readonly repos: readonly string[];
  /** It is an own device, and others of one's own are paired with this one by a code, so that it can be introduced to them. */
  readonly hasOthers: boolean;
}

/** `POST /share`. */
export interface ShareAnswer {
  readonly name: string;
  readonly id: string;
  readonly path: string;
  /** What this device is called. */
  readonly device: string;
  readonly how: 'founded' | 'joined' | 'changed';
  readonly words: string;
  readonly peers: readonly string[];
  /** What of it the system does not let be watched, in words. */
  readonly unwatched?: string | undefined;
}

/** A line of `POST /clone`. */
export type CloneLine =
  /** `received` and `total` in bytes, the total once it is known; `carrier` is how they come. */
  | {
      readonly type: 'progress';
      readonly isOnline: boolean;
      readonly received: number;
      readonly total?: number;
      /** Bytes a second, and milliseconds that the rest takes at that rate. */
      readonly rate?: number;
      readonly leftMs?: number;
      readonly carrier?: string;
      /** Why this device itself is not online. */
      readonly down?: string;
    }
  /** Everything is here; what is left is to check out. */
  | { readonly type: 'taken' };

/** `GET /repos`. Of a peer: `head` and `bytes` as it tells them, and no path; `standing` where it does not run there at the moment. */
export interface ReposAnswer {
  readonly repos: readonly { readonly name: string; readonly id: string; readonly path?: string; readonly head?: string; readonly bytes?: number; readonly standing?: Standstill }[];
}
