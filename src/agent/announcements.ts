// Announcements as they come in: opened one at a time, and what is news is compared (docs/PROTOCOL.md, "Announcements"). Rule: a flood is dropped, and
// counted in few lines of the log; what is dropped is found by the next digest.

import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import type { Identity } from '../home/identity.ts';
import type { Peers } from '../home/peers.ts';
import type { Element } from '../xmpp/element.ts';
import { openAnnouncement } from './announce.ts';
import type { Announced } from './announce.ts';
import { AnnouncementsMachine } from './announcements-machine.ts';
import type { Events } from './events.ts';
import type { RepoLoop } from './loop.ts';

export interface AnnouncementsParts {
  readonly identity: Identity;
  readonly peers: Peers;
  readonly loops: () => readonly RepoLoop[];
  /** Compares with a peer. */
  readonly contact: (peer: DeviceId) => void;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Opening one costs an exchange of keys: more than so many do not wait for it. */
const MAX_WAITING = 64;

/** Lives as long as the agent: what was heard before a new sign-in is no news after it. */
export class Announcements {
  readonly #parts: AnnouncementsParts;
  readonly #machine = new AnnouncementsMachine();
  readonly #serial = new Serial();
  #waiting = 0;
  /** Those that were unsigned, old, ungranted, from nobody known, or too many. */
  #dropped = 0;

  constructor(parts: AnnouncementsParts) {
    this.#parts = parts;
  }

  /** Takes what came in a headline. Resolves when it was looked at. */
  async hear(payload: Element): Promise<void> {
    if (this.#waiting >= MAX_WAITING) return this.#drop();
    this.#waiting += 1;
    await this.#serial.run(async () => {
      const said = await openAnnouncement(payload, this.#parts.identity, this.#parts);
      this.#waiting -= 1;
      if (said === undefined) this.#drop();
      else this.#take(said);
    });
  }

  #take({ peer, loop, counter, isNews, hub }: Announced): void {
    const { events, clock, contact } = this.#parts;
    if (hub !== undefined) loop.hubs.told(hub);
    if (!isNews) return;
    const { id, name } = loop.context.shared();
    const ms = this.#machine.hear({ peer: peer.device, repo: id, counter }, clock.now());
    if (ms === undefined) return;
    events.emit({ type: 'announced', words: `${peer.petname} announced`, peer: peer.petname, repo: name });
    clock.setTimer(ms, () => {
      this.#machine.due(peer.device, clock.now());
      contact(peer.device);
    });
  }

  /** Told at the first, the second, the fourth, …: a flood fills no log. */
  #drop(): void {
    this.#dropped += 1;
    if (Number.isInteger(Math.log2(this.#dropped))) this.#parts.log.info('dropped an announcement', { inAll: this.#dropped });
  }
}
