// What the agent tells a program that drives `git xmpp remotedaemon`, and what it does when that asks (docs/API.md, "remotedaemon"). Rule: what the program
// holds ends with its session, however that ends; one that does not read is cut off.

import { asFault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { formatUri } from '../control/remotedaemon-format.ts';
import type { Consumed } from '../control/remotedaemon-format.ts';
import type { DaemonLine } from '../control/remotedaemon-machine.ts';
import type { SharedRepo } from '../home/repos.ts';
import { daemonRemotes } from './daemon-remotes.ts';
import type { DaemonRemote } from './daemon-remotes.ts';
import type { AgentEvent } from './events.ts';
import { urlOf } from './mirror.ts';
import type { AgentParts } from './parts.ts';

/** Events that a person should know of, for this protocol has one word for all of them. */
const WARNINGS = new Set(['not-online', 'lostnet', 'offer-failed', 'offer-refused', 'contact-failed', 'sync-failed', 'look-failed', 'watch-failed', 'hub-waiting', 'hub-declined', 'hubs-failed',
  'hook-failed', 'mirror-failed', 'remote-failed', 'repo-failed', 'recovery-stopped', 'bad-setting', 'commit-waits', 'newer-version', 'twin']);
/** After these the remotes may stand otherwise. */
const OCCASIONS = new Set(['connected', 'disconnected', 'paused', 'unpaused', 'hub-there', 'hub-gone', 'hub-waiting', 'paired', 'unpaired', 'repo-failed']);
const MAX_WAITING = 1000;

/** One session, from its first line until `signal` aborts. */
export class DaemonSession {
  readonly id: string;
  readonly shared: SharedRepo;
  readonly #parts: AgentParts;
  readonly #serial = new Serial();
  readonly #looks = new Serial();
  #lines: DaemonLine[] = [];
  #wake: () => void = () => undefined;
  #remotes: readonly DaemonRemote[] = [];
  #release: (() => Promise<void>) | undefined;
  #hasTold = false;
  #warned = '';
  #isCutOff = false;
  #isOver = false;

  constructor(id: string, shared: SharedRepo, parts: AgentParts) {
    this.id = id;
    this.shared = shared;
    this.#parts = parts;
  }

  /** What is told, in order; the remotes first. */
  async *lines(signal: AbortSignal): AsyncGenerator<DaemonLine, void> {
    const stop = this.#parts.events.listen((event) => this.#hear(event));
    const onAbort = (): void => this.#wake();
    signal.addEventListener('abort', onAbort);
    try {
      await this.#look();
      while (!signal.aborted) {
        const line = this.#lines.shift();
        if (line !== undefined) yield line;
        else if (this.#isCutOff) return;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      stop();
      signal.removeEventListener('abort', onAbort);
      this.#isOver = true;
      await this.#serial.run(() => this.#letGo());
    }
  }

  /** Does what the program asks, one thing after another. Resolves when it is done, and told. */
  obey(asked: Consumed): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#isOver) return;
      const { pauses, peering } = this.#parts;
      const loop = peering.repoSet.byId(this.shared.id);
      if (asked.type === 'PAUSE' || asked.type === 'LOSTNET') {
        const before = this.#release;
        this.#release = await pauses.hold(this.shared, asked.type);
        await before?.();
      } else if (asked.type === 'RESUME') {
        await this.#letGo();
      } else if (asked.type === 'RELOAD') {
        loop?.hint('config');
        await loop?.hubs.reload();
      } else {
        await loop?.look();
      }
      await this.#look();
    });
  }

  async #letGo(): Promise<void> {
    const release = this.#release;
    this.#release = undefined;
    await release?.();
  }

  #hear({ type, repo, peer, words, isGood }: AgentEvent): void {
    // What is about a peer, and no repository of it, is about each.
    if (repo !== undefined && repo !== this.shared.name) return;
    if (type === 'syncing' || type === 'done-syncing') return this.#move(peer ?? '', type === 'syncing' ? undefined : isGood === true);
    if (WARNINGS.has(type)) this.#warn(peer, words, repo !== undefined);
    if (OCCASIONS.has(type)) void this.#look();
  }

  /** @param end how it ended; undefined for a beginning */
  #move(peer: string, end: boolean | undefined): void {
    const known = this.#remotes.filter((remote) => remote.peer === peer);
    // One that has just come: it stands in the configuration by now.
    if (known.length === 0) return void this.#look();
    for (const { name } of known) this.#tell(end === undefined ? { type: 'syncing', remote: name } : { type: 'done-syncing', remote: name, isGood: end });
    // A hub is there when it has answered.
    if (end !== undefined && known.some((remote) => remote.isConnected !== end)) void this.#look();
  }

  /** What is tried again and again fails with the same words: they are told once. Of a peer that is no remote here, only what is about the repository. */
  #warn(peer: string | undefined, words: string, isOfRepo: boolean): void {
    if (words === this.#warned) return;
    this.#warned = words;
    const known = this.#remotes.filter((remote) => remote.peer === peer);
    if (known.length === 0 && (peer === undefined || isOfRepo)) this.#tell({ type: 'warning', words });
    for (const { name } of known) this.#tell({ type: 'warning', remote: name, words });
  }

  /** Tells how all remotes are now, unless that has been told. */
  #look(): Promise<void> {
    return this.#looks.run(async () => {
      try {
        const before = JSON.stringify(this.#remotes);
        this.#remotes = await daemonRemotes(this.#parts, this.shared);
        if (JSON.stringify(this.#remotes) === before && this.#hasTold) return;
        this.#hasTold = true;
        const self = formatUri(urlOf(this.#parts.peering.identity.name, this.shared.name));
        this.#tell({ type: 'remotes', session: this.id, self, gitDir: this.shared.gitDir, remotes: this.#remotes.map(({ peer: _peer, ...remote }) => remote) });
      } catch (error) {
        this.#tell({ type: 'warning', words: asFault(error, 'reading the remotes').message });
      }
    });
  }

  #tell(line: DaemonLine): void {
    if (this.#isCutOff || this.#isOver) return;
    this.#lines.push(line);
    this.#isCutOff = this.#lines.length >= MAX_WAITING;
    this.#wake();
  }
}
