// What the loop of a repository is made of. Rule: the same for every repository but its context; `compose.ts` and `peering.ts` join it.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Peers } from '../home/peers.ts';
import type { Links } from '../link/links.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import type { HubsParts } from './hubs.ts';
import type { RepoLoop } from './loop.ts';
import type { Exchanges } from './exchanges.ts';
import type { Offering } from './offering.ts';

export interface LoopParts {
  readonly context: RepoContext;
  readonly me: { readonly device: DeviceId; readonly keyPem: string; readonly spki: string };
  readonly peers: Peers;
  readonly links: Links;
  readonly events: Events;
  readonly exchanges: Exchanges;
  readonly offering: Offering;
  readonly clock: Clock;
  readonly random: () => number;
  /** A link was lost under an offer: whether the peer is still there has to be found out. */
  readonly onLost: (peer: DeviceId) => void;
  /** Sends the announcement of our newest map to peers without a link. */
  readonly announce: (loop: RepoLoop, peers: readonly DeviceId[]) => void;
  /** What hubs need of the agent; `announce` tells every granted peer that a hub has something new. */
  readonly around: Pick<HubsParts, 'mounts' | 'deviceName'> & { readonly announce: (loop: RepoLoop, hash: string) => void };
}
