// What the agent's door answers about devices, as types that the commands share (docs/PROTOCOL.md, "The door"). Rule: the same words in code, JSON and
// documentation.

import type { Grant } from '../lib/names.ts';
import type { PeerStatus } from './status.ts';

/** What a peer may do with one repository. */
export interface GrantStatus {
  readonly repo: string;
  readonly grant: Grant;
  /** Globs of the branches that it is for; absent when it is for all that are shared. */
  readonly branches?: readonly string[];
}

/** `GET /peers`. */
export interface PeersAnswer {
  readonly peers: readonly (PeerStatus & {
    /** The own device that introduced it, by its petname. */
    readonly via?: string;
    /** Milliseconds since 1970. */
    readonly pairedAt: number;
    /** One for each repository that is shared here, `none` included. */
    readonly grants: readonly GrantStatus[];
  })[];
  /** What waits for a person, with the command that mends it. */
  readonly notes: readonly string[];
}

/** `POST /peers/unpair`. Of an own device: which other own devices know it now, and which learn of it at their next sign-in or contact. */
export interface UnpairAnswer {
  readonly kind: 'own' | 'other';
  readonly told: readonly string[];
  readonly later: readonly string[];
  /** Peers that it had introduced. */
  readonly orphans: readonly string[];
}

/** `POST /peers/introduce`. */
export interface IntroduceAnswer {
  readonly told: readonly string[];
  readonly later: readonly string[];
  /** What the others do not take, in words. */
  readonly refused: readonly string[];
}

/** `POST /identity/renew`. */
export interface RenewAnswer {
  /** Peers that knew the old key, and have to be paired again. */
  readonly unpaired: readonly string[];
}
