// What an agent is made of, as the composition root hands it over. Rule: only names what there is; nothing here runs.

import type { Clock } from '../lib/clock.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { RepoId } from '../lib/names.ts';
import type { Home } from '../home/paths.ts';
import type { Peers } from '../home/peers.ts';
import type { Repos } from '../home/repos.ts';
import type { Settings } from '../home/settings.ts';
import type { AccountKeeper } from './account.ts';
import type { Events } from './events.ts';
import type { Hooks } from './hooks.ts';
import type { InviteStore } from './invites.ts';
import type { Pauses } from './pauses.ts';
import type { Showing } from './pair-show.ts';
import type { Peering } from './peering.ts';
import type { Stanzas } from './stanzas.ts';
import type { Transfers } from './transfers.ts';
import type { Troubles } from './troubles.ts';
import type { Exchanges } from './exchanges.ts';
import type { Wake } from './wake.ts';

export interface AgentParts {
  readonly home: Home;
  readonly runGit: RunGit;
  readonly peers: Peers;
  readonly repos: Repos;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: (size: number) => Uint8Array;
  readonly newId: () => RepoId;
  readonly peering: Peering;
  readonly account: AccountKeeper;
  readonly showing: Showing;
  readonly invites: InviteStore;
  readonly wake: Wake;
  readonly hooks: Hooks;
  readonly settings: Settings;
  readonly stanzas: Stanzas;
  readonly transfers: Transfers;
  readonly troubles: Troubles;
  readonly pauses: Pauses;
  readonly exchanges: Exchanges;
}
