// The status of an agent of an older version, which an upgrade leaves running while something moves. Rule: what it does not tell is taken for nothing, and
// what it tells is shown.

import type { StatusAnswer } from '../agent/answers.ts';
import type { RepoPeerStatus } from '../agent/status.ts';

/** The same answer with every field that has to be there. */
export function completeStatus(answer: StatusAnswer): StatusAnswer {
  const repos = answer.repos.map((repo) => ({ ...repo, peers: repo.peers.map(completePeer), hubs: (repo.hubs ?? []).map((hub) => ({ ...LACKING_HUB, ...hub })) }));
  return { ...answer, repos };
}

const LACKING_HUB = { isBusy: false };
const LACKING = { isShared: true, ahead: 0, behind: 0, moving: [], branches: [], waiting: [] } as const;

function completePeer(peer: RepoPeerStatus): RepoPeerStatus {
  return { ...LACKING, ...peer };
}
