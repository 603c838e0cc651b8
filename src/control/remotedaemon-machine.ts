// One session of git-annex's remotedaemon protocol: what the controlling program says and what the agent tells come in, lines and questions to the agent come
// out (docs/API.md, "remotedaemon"). Rule: pure; SYNCING is always followed by DONESYNCING, and a line that is no message gets a WARNING and changes nothing.

import { asFault } from '../lib/errors.ts';
import { formatConsumed, formatEmitted, parseConsumed } from './remotedaemon-format.ts';
import type { Emitted, ReadLine } from './remotedaemon-format.ts';

/** A remote of the repository. */
export interface RemoteState {
  /** Its name in the repository's configuration. */
  readonly name: string;
  /** Its URL, percent-encoded. */
  readonly uri: string;
  readonly isConnected: boolean;
  readonly isSyncing: boolean;
}

/** What the agent tells of the repository, in order. */
export type DaemonLine =
  /** All remotes as they are now; `self` is the repository's own URI, as its peers know it, and `gitDir` where it keeps its refs. */
  | { readonly type: 'remotes'; readonly session: string; readonly self: string; readonly gitDir: string; readonly remotes: readonly RemoteState[] }
  | { readonly type: 'syncing'; readonly remote: string }
  | { readonly type: 'done-syncing'; readonly remote: string; readonly isGood: boolean }
  /** Without a remote it is about the repository. */
  | { readonly type: 'warning'; readonly remote?: string; readonly words: string };

export type DaemonFact =
  | { readonly type: 'line'; readonly line: ReadLine }
  /** The controlling program has gone. */
  | { readonly type: 'eof' }
  | { readonly type: 'told'; readonly told: DaemonLine }
  /** The agent went away, or could not do what it was asked. */
  | { readonly type: 'lost' | 'failed'; readonly words: string };

export type DaemonIntention =
  /** Tell the controlling program, without the line break. */
  | { readonly type: 'say'; readonly line: string }
  /** Ask the agent, in the same words. */
  | { readonly type: 'ask'; readonly message: string }
  /** The session is over; nothing follows. */
  | { readonly type: 'end' };

export class RemoteDaemonMachine {
  readonly #only: readonly string[];
  readonly #remotes = new Map<string, RemoteState>();
  #self: string;
  /** What the program has said and not taken back. */
  #held: 'PAUSE' | 'LOSTNET' | undefined;
  /** Until the agent has told its remotes, what it is asked waits. */
  #isThere = false;
  #hasEnded = false;

  /**
   * @param self the repository's own URI until the agent tells it
   * @param only names or URIs of the remotes that are told of; none for all
   */
  constructor(self: string, only: readonly string[] = []) {
    this.#self = self;
    this.#only = only;
  }

  /** How it stands, for whoever begins to listen now. */
  get standing(): readonly string[] {
    return [...this.#remotes.values()].flatMap(({ uri, isConnected, isSyncing }) => [
      ...(isConnected ? [formatEmitted({ type: 'CONNECTED', remote: uri })] : []),
      ...(isSyncing ? [formatEmitted({ type: 'SYNCING', remote: uri })] : []),
    ]);
  }

  receive(fact: DaemonFact): DaemonIntention[] {
    if (this.#hasEnded) return [];
    switch (fact.type) {
      case 'line':
        return this.#obey(fact.line);
      case 'eof':
        return this.#end();
      case 'told':
        return this.#hear(fact.told);
      case 'failed':
        return [this.#warn(fact.words)];
      case 'lost':
        return this.#lose(fact.words);
    }
  }

  #obey(line: ReadLine): DaemonIntention[] {
    if (line === undefined) return [this.#warn('a line is too long, or no UTF-8')];
    try {
      const message = parseConsumed(line);
      switch (message.type) {
        case 'STOP':
          return this.#end();
        case 'PAUSE':
        case 'LOSTNET':
          this.#held = message.type;
          break;
        case 'RESUME':
          this.#held = undefined;
          break;
      }
      // Before there is an agent only what holds is not in vain: its own beginning reads, compares and offers.
      return this.#isThere ? [{ type: 'ask', message: formatConsumed(message) }] : [];
    } catch (error) {
      return [this.#warn(asFault(error, 'reading').message)];
    }
  }

  #hear(told: DaemonLine): DaemonIntention[] {
    switch (told.type) {
      case 'remotes':
        return this.#compare(told);
      case 'syncing':
        return this.#sync(told.remote, true, false);
      case 'done-syncing':
        return this.#sync(told.remote, false, told.isGood);
      case 'warning': {
        const remote = told.remote === undefined ? undefined : this.#remotes.get(told.remote);
        if (told.remote !== undefined && remote === undefined) return [];
        return [this.#say({ type: 'WARNING', remote: remote?.uri ?? this.#self, words: told.words })];
      }
    }
  }

  #compare({ self, remotes }: Extract<DaemonLine, { readonly type: 'remotes' }>): DaemonIntention[] {
    this.#self = self;
    const named = remotes.filter(({ name, uri }) => this.#only.length === 0 || this.#only.includes(name) || this.#only.includes(uri));
    // Two remotes of one URL are one here: there is nothing to tell them apart by.
    const wanted = named.filter(({ uri }, place) => named.findIndex((each) => each.uri === uri) === place);
    const out: DaemonIntention[] = [];
    for (const known of this.#remotes.values()) {
      if (!wanted.some(({ name, uri }) => name === known.name && uri === known.uri)) out.push(...this.#forget(known));
    }
    for (const now of wanted) out.push(...this.#note(now));
    // What was said before the agent could be asked, or before it was started anew, holds.
    const held = this.#isThere || this.#held === undefined ? [] : [{ type: 'ask', message: this.#held } as const];
    const unknown = this.#isThere ? [] : this.#only.filter((each) => !remotes.some(({ name, uri }) => name === each || uri === each));
    this.#isThere = true;
    return [...held, ...out, ...unknown.map((each) => this.#warn(`there is no remote ${each} that is kept in sync`))];
  }

  /** A remote as it is now: what it does is told between its connection and the loss of that. */
  #note(now: RemoteState): DaemonIntention[] {
    const before = this.#remotes.get(now.name) ?? { ...now, isConnected: false, isSyncing: false };
    this.#remotes.set(now.name, now);
    const { uri: remote } = now;
    const out: DaemonIntention[] = [];
    if (now.isConnected && !before.isConnected) out.push(this.#say({ type: 'CONNECTED', remote }));
    if (now.isSyncing && !before.isSyncing) out.push(this.#say({ type: 'SYNCING', remote }));
    if (!now.isSyncing && before.isSyncing) out.push(this.#say({ type: 'DONESYNCING', remote, isGood: false }));
    if (!now.isConnected && before.isConnected) out.push(this.#say({ type: 'DISCONNECTED', remote }));
    return out;
  }

  #forget(known: RemoteState): DaemonIntention[] {
    const out = this.#note({ ...known, isConnected: false, isSyncing: false });
    this.#remotes.delete(known.name);
    return out;
  }

  #sync(name: string, isSyncing: boolean, isGood: boolean): DaemonIntention[] {
    const known = this.#remotes.get(name);
    if (known === undefined || known.isSyncing === isSyncing) return [];
    this.#remotes.set(name, { ...known, isSyncing });
    return [this.#say(isSyncing ? { type: 'SYNCING', remote: known.uri } : { type: 'DONESYNCING', remote: known.uri, isGood })];
  }

  #lose(words: string): DaemonIntention[] {
    this.#isThere = false;
    return [...[...this.#remotes.values()].flatMap((known) => this.#forget(known)), this.#warn(words)];
  }

  #end(): DaemonIntention[] {
    this.#hasEnded = true;
    const running = [...this.#remotes.values()].filter(({ isSyncing }) => isSyncing);
    return [...running.map(({ uri }) => this.#say({ type: 'DONESYNCING', remote: uri, isGood: false })), { type: 'end' }];
  }

  #warn(words: string): DaemonIntention {
    return this.#say({ type: 'WARNING', remote: this.#self, words });
  }

  #say(message: Emitted): DaemonIntention {
    return { type: 'say', line: formatEmitted(message) };
  }
}
