// What peering is made of, as the composition root hands it over. Rule: only names what there is; nothing here runs.

import type { Clock } from '../lib/clock.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { Log } from '../lib/log.ts';
import type { MountWatch } from '../git/mounts.ts';
import type { StartGit } from '../git/run.ts';
import type { Identity } from '../home/identity.ts';
import type { Home } from '../home/paths.ts';
import type { Peers } from '../home/peers.ts';
import type { Repos } from '../home/repos.ts';
import type { Settings } from '../home/settings.ts';
import type { DeviceBook } from './device-book.ts';
import type { Events } from './events.ts';
import type { Exchanges } from './exchanges.ts';
import type { Showing } from './pair-show.ts';
import type { Pauses } from './pauses.ts';
import type { ServeSettings } from './serve-git.ts';
import type { Transfers } from './transfers.ts';

export interface PeeringParts {
  readonly home: Home;
  readonly identity: Identity;
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly peers: Peers;
  readonly repos: Repos;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: (size: number) => Uint8Array;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly serve: ServeSettings;
  readonly showing: Showing;
  readonly settings: Settings;
  readonly mounts: MountWatch;
  readonly pauses: Pauses;
  readonly exchanges: Exchanges;
  readonly transfers: Transfers;
  readonly book: DeviceBook;
}
