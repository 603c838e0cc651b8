// Who can be reached, and how: at most one dialled link to each peer, made when it is asked for (docs/PROTOCOL.md). Rule: everybody who
// asks while a link is being made waits for the same one, under one deadline, and a failure is told in the peer's terms.

import type { ClientHttp2Session } from 'node:http2';
import type { Clock } from '../lib/clock.ts';
import { withDeadline } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import type { DialledLink } from './dialled-link.ts';

/** Makes one link to a peer at an address; see `dial.ts`. */
export type Dial = (peer: DeviceId, address: FullJid) => Promise<DialledLink>;

export interface LinksParts {
  readonly dial: Dial;
  /** Where a peer was last seen, looked up afresh when `isFresh`; undefined when nobody knows. */
  readonly findAddress: (peer: DeviceId, isFresh: boolean) => Promise<FullJid | undefined>;
  readonly nameOf: (peer: DeviceId) => string;
  /** Words such as "last seen 14:02", or nothing. */
  readonly lastSeen: (peer: DeviceId) => string;
  /** Why this device itself is not online; undefined while it is. */
  readonly down?: () => Fault | undefined;
  readonly onUp: (peer: DeviceId) => void;
  readonly onDown: (peer: DeviceId, fault: Fault) => void;
  readonly clock: Clock;
  readonly log: Log;
}

/** A whole dial, address look-up included, takes no longer. */
export const DIAL_DEADLINE_MS = 5_000;
/** A new question waits this long for a link that has just lost its carrier. */
const UNCARRIED_MS = 2_000;

/** A link that is being made. */
interface Attempt {
  readonly peer: DeviceId;
  /** Why it is to end as soon as it is there. */
  unwanted: Fault | undefined;
}

/** All links that this device dialled. */
export class Links {
  readonly #parts: LinksParts;
  readonly #links = new Map<DeviceId, DialledLink>();
  readonly #dialling = new Map<DeviceId, Promise<DialledLink>>();
  /** Also those that nobody waits for any more. */
  readonly #attempts = new Set<Attempt>();

  constructor(parts: LinksParts) {
    this.#parts = parts;
  }

  isUp(peer: DeviceId): boolean {
    return this.#links.has(peer);
  }

  /** Whether the link to a peer runs past the XMPP server. */
  isOnItsOwn(peer: DeviceId): boolean {
    const kind = this.#links.get(peer)?.stats().kind;
    return kind === 'socks5' || kind === 'direct';
  }

  link(peer: DeviceId): DialledLink | undefined {
    return this.#links.get(peer);
  }

  /**
   * The HTTP/2 session of a link to `peer`, dialled when there is none.
   * @throws Fault `peer-offline`, `not-paired`, `timeout` or what else went wrong, in words that name the peer
   */
  async session(peer: DeviceId): Promise<ClientHttp2Session> {
    const link = this.#links.get(peer) ?? (await this.#dial(peer));
    return link.session;
  }

  /**
   * Asks a peer: `ask` gets the session, and has to be answered while the link can be reached. A link from before that turns out to be over (the
   * peer was started anew) is replaced, and `ask` called once more: it must do nothing there that may not be done twice.
   * @throws Fault as `session`, and `peer-offline` when the peer has gone since the link was made
   */
  async ask<T>(peer: DeviceId, ask: (session: ClientHttp2Session) => Promise<T>): Promise<T> {
    const known = this.#links.get(peer);
    const link = known ?? (await this.#dial(peer));
    try {
      return await link.within(ask(link.session), UNCARRIED_MS);
    } catch (error) {
      const isOver = known?.session.destroyed === true && asFault(error, 'asking').code === 'timeout';
      if (!isOver) throw this.#explain(peer, error);
    }
    const fresh = this.#links.get(peer);
    const next = fresh === undefined || fresh === known ? await this.#dial(peer) : fresh;
    return next.within(ask(next.session), UNCARRIED_MS).catch((error: unknown) => {
      throw this.#explain(peer, error);
    });
  }

  /** Ends the link to a peer at once: it was unpaired, or said goodbye. */
  drop(peer: DeviceId, fault: Fault): void {
    for (const attempt of this.#attempts) if (attempt.peer === peer) attempt.unwanted = fault;
    this.#links.get(peer)?.destroy(fault);
  }

  /** Ends all links, politely. */
  async stop(): Promise<void> {
    for (const attempt of this.#attempts) attempt.unwanted = new Fault('not-connected', 'the agent is stopping');
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }

  #dial(peer: DeviceId): Promise<DialledLink> {
    const running = this.#dialling.get(peer);
    if (running !== undefined) return running;
    const { clock } = this.#parts;
    const dialling = withDeadline(this.#attempt(peer), DIAL_DEADLINE_MS, clock, () => this.#offline(peer))
      .catch((error: unknown) => {
        throw this.#explain(peer, error);
      })
      .finally(() => this.#dialling.delete(peer));
    this.#dialling.set(peer, dialling);
    return dialling;
  }

  async #attempt(peer: DeviceId): Promise<DialledLink> {
    const attempt: Attempt = { peer, unwanted: undefined };
    this.#attempts.add(attempt);
    try {
      const link = await this.#reach(peer);
      if (attempt.unwanted === undefined) return this.#keep(peer, link);
      link.destroy(attempt.unwanted);
      throw attempt.unwanted;
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  async #reach(peer: DeviceId): Promise<DialledLink> {
    const { findAddress, dial } = this.#parts;
    const known = await findAddress(peer, false);
    if (known !== undefined) {
      try {
        return await dial(peer, known);
      } catch (error) {
        if (asFault(error, 'dialling').code !== 'peer-offline') throw error;
      }
    }
    const fresh = await findAddress(peer, true);
    if (fresh === undefined || fresh === known) throw this.#offline(peer);
    return dial(peer, fresh);
  }

  #keep(peer: DeviceId, link: DialledLink): DialledLink {
    const { onUp, onDown, log } = this.#parts;
    this.#links.get(peer)?.destroy(new Fault('timeout', 'a newer link took its place'));
    this.#links.set(peer, link);
    link.onClose((fault) => {
      if (this.#links.get(peer) !== link) return;
      this.#links.delete(peer);
      log.info('link ended', { peer: this.#parts.nameOf(peer), why: fault.message });
      onDown(peer, fault);
    });
    onUp(peer);
    return link;
  }

  /** A device that is cut off itself knows nothing of its peers. */
  #offline(peer: DeviceId): Fault {
    const down = this.#parts.down?.();
    if (down !== undefined) {
      const words = `${this.#parts.nameOf(peer)} cannot be reached, for this device is not online: ${down.message}`;
      return new Fault('not-connected', words, { remedy: down.remedy ?? 'git xmpp doctor tells more', cause: down });
    }
    const seen = this.#parts.lastSeen(peer);
    return new Fault('peer-offline', `${this.#parts.nameOf(peer)} is offline${seen === '' ? '' : ` (${seen})`}`, {
      remedy: 'the agent sends what waits when it returns',
    });
  }

  #explain(peer: DeviceId, error: unknown): Fault {
    const fault = asFault(error, `dialling ${this.#parts.nameOf(peer)}`);
    const isOwnAffair = fault.code === 'not-connected' && this.#parts.down?.() !== undefined;
    if (fault.code === 'peer-offline' || isOwnAffair) return this.#offline(peer);
    if (fault.code !== 'not-paired') return fault;
    return new Fault('not-paired', `${this.#parts.nameOf(peer)}: ${fault.message}`, {
      remedy: fault.remedy ?? `run "git xmpp unpair ${this.#parts.nameOf(peer)}" here and pair the two devices again`,
      cause: fault,
    });
  }
}
