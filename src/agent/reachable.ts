// Who is there, as news: `connected` and `disconnected` for each peer, once a change (docs/API.md, "Events"). Rule: contacts know; this only tells what is new.

import type { DeviceId } from '../lib/names.ts';
import type { Peers } from '../home/peers.ts';
import type { Events } from './events.ts';

export interface ReachableParts {
  readonly peers: Pick<Peers, 'list'>;
  readonly isOnline: (device: DeviceId) => boolean;
  readonly events: Pick<Events, 'emit' | 'listen'>;
}

/** After these nobody may be what it was. */
const OCCASIONS = new Set(['offline', 'not-online', 'unpaired']);

/** Tells from the start to the end of the agent. */
export class Reachable {
  readonly #parts: ReachableParts;
  /** Those that are told to be there, by what they were called then. */
  #there = new Map<DeviceId, string>();

  constructor(parts: ReachableParts) {
    this.#parts = parts;
    parts.events.listen(({ type }) => {
      if (OCCASIONS.has(type)) this.look();
    });
  }

  /** Somebody may have come or gone. */
  look(): void {
    const { peers, isOnline, events } = this.#parts;
    const before = this.#there;
    this.#there = new Map(peers.list().filter(({ device }) => isOnline(device)).map(({ device, petname }) => [device, petname]));
    for (const [device, peer] of before) if (!this.#there.has(device)) events.emit({ type: 'disconnected', words: `${peer} cannot be reached`, peer });
    for (const [device, peer] of this.#there) if (!before.has(device)) events.emit({ type: 'connected', words: `${peer} is there`, peer });
  }
}
