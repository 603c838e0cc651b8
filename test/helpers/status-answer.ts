// Answers of `GET /status` for specs of how they look. Rule: whatever is not said is well.

import type { StatusAnswer } from '../../src/agent/answers.ts';
import type { HubStatus } from '../../src/agent/hub-status.ts';
import type { PeerStatus, RepoPeerStatus } from '../../src/agent/status.ts';

export const LAN = { kind: 'direct', addressClass: 'lan', srttMs: 3, up: 0, down: 0, sent: 1, received: 1, again: 0, changes: 0, lanes: 0, inLanes: 0 } as const;

export function makeAnswer(given: Partial<StatusAnswer> = {}): StatusAnswer {
  return {
    account: { state: 'online', jid: 'romeo@example.org', address: 'romeo@example.org/git-xmpp-7mpo5ey4', device: 'd', name: 'laptop', fingerprint: '0123 4567' },
    peers: [makePeerStatus()],
    repos: [makeRepoStatus()],
    notes: [],
    refused: { inBand: 0, socks5: 0, links: 0 },
    ...given,
  };
}

export function makePeerStatus(given: Partial<PeerStatus> = {}): PeerStatus {
  return { petname: 'desktop', name: 'desktop', jid: 'romeo@example.org', kind: 'own', device: 'e', fingerprint: '89ab', isOnline: true, carrier: LAN, links: [LAN], ...given };
}

export function makeRepoStatus(given: Partial<StatusAnswer['repos'][number]> = {}): StatusAnswer['repos'][number] {
  return { name: 'notes', id: 'i', path: '/home/romeo/notes', peers: [makeRepoPeer()], ...given };
}

export function makeRepoPeer(given: Partial<RepoPeerStatus> = {}): RepoPeerStatus {
  return { peer: 'desktop', device: 'e', isOnline: true, isShared: true, state: 'in sync', ahead: 0, behind: 0, carrier: LAN, moving: [], branches: [], waiting: [], ...given };
}

export function makeHub(given: Partial<HubStatus> = {}): HubStatus {
  return { name: 'origin', mode: 'both', state: 'in sync', isBusy: false, waiting: [], ...given };
}
