// How states are called. Rule: the same words in every command; what is not well says why and what ends it.

import type { AccountAnswer } from '../agent/answers.ts';
import type { PeerStatus } from '../agent/status.ts';
import type { LinkStats } from '../link/link-stats.ts';
import { formatTime } from './text-format.ts';

/** The account's state in words, with what is wrong and what to do. */
export function describeState(account: AccountAnswer): string {
  const { state, address, fault } = account;
  if (state === 'online') return `online as ${address ?? ''}`;
  return `${describeAccount(account)}${fault?.remedy === undefined ? '' : ` (${fault.remedy})`}`;
}

/** The same, without the address and what to do. */
export function describeAccount({ state, fault, retryInMs }: AccountAnswer): string {
  if (state === 'online') return 'online';
  if (fault === undefined) return state;
  return `${state}: ${fault.message}${retryInMs === undefined ? '' : `; next try in ${Math.ceil(retryInMs / 1000)} s`}`;
}

/** Whether a peer is there, and over what; or since when not. */
export function presence(peer: Pick<PeerStatus, 'isOnline' | 'carrier' | 'lastSeen'>, now: number): string {
  // The server has not said that it is gone, and it says nothing itself.
  if (peer.isOnline && peer.carrier?.kind === 'none') return `does not answer: ${describeWay(peer.carrier)}`;
  if (peer.isOnline) return peer.carrier === undefined ? 'online' : `online, ${describeWay(peer.carrier)}`;
  return peer.lastSeen === undefined ? 'offline' : `offline since ${formatTime(peer.lastSeen, now)}`;
}

/** Round trip of an in-band link, in milliseconds, from which on something on the way holds its blocks back; and the rate above which nothing does. */
const HELD_BACK = { fromMs: 500, below: 100_000 };

/** What is not well with the way to a peer that is there: throttled, or no better way than through the server; nothing when all is. */
export function describeObstacles(links: readonly LinkStats[]): readonly string[] {
  const inBand = links.filter(({ kind }) => kind === 'in-band');
  const isHeldBack = inBand.some(({ srttMs, up, down }) => srttMs >= HELD_BACK.fromMs && up + down > 0 && up + down < HELD_BACK.below);
  const noBetter = inBand.map((link) => link.noBetter).find((why) => why !== undefined);
  return [
    ...(isHeldBack ? ['the server throttles what goes in-band, or the network is slow: git xmpp doctor measures it'] : []),
    ...(noBetter === undefined ? [] : [`no better way: ${noBetter}`]),
  ];
}

/** `direct (lan), 3 ms`, with a bulk lane beside it where there is one. */
export function describeWay({ kind, addressClass, srttMs, lanes }: LinkStats): string {
  if (kind === 'none') return 'no way to it now';
  return `${kind}${addressClass === undefined ? '' : ` (${addressClass})`}${srttMs > 0 ? `, ${srttMs} ms` : ''}${lanes > 0 ? ', with a bulk lane' : ''}`;
}
