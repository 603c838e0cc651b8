// All shared repositories while the agent runs: opened, recovered after a crash, watched, and looked at now and then.
// Rule: a repository that cannot be opened keeps its entry and says why; it never stops the others.

import { join } from 'node:path';
import type { Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import { SerialByKey } from '../lib/serial.ts';
import { Turns } from '../lib/turns.ts';
import { removeStaleIncoming, sweepKilled } from '../git/clean.ts';
import { recoverMove } from '../git/recover.ts';
import { removeStalePartials } from '../git/partials.ts';
import { IsolatedRepo } from '../git/isolated.ts';
import { ObjectReader } from '../git/object-reader.ts';
import type { Repository } from '../git/repository.ts';
import type { StartGit } from '../git/run.ts';
import { removeStaleLocks } from '../git/stale-locks.ts';
import type { Repos, SharedRepo } from '../home/repos.ts';
import type { AnswerParts } from './answer.ts';
import type { RepoContext } from './context.ts';
import { removeOldKept } from './kept.ts';
import { RepoLoop } from './loop.ts';
import type { LoopParts } from './loop-parts.ts';
import { MapStore } from './maps.ts';
import type { Pauses } from './pauses.ts';
import { Presence } from './presence.ts';
import { recoveredWords } from './recovered-format.ts';
import { RefWatching } from './ref-watching.ts';
import { openShared } from './repo-there.ts';
import { SlowLook } from './slow-look.ts';
import { Standing } from './standing.ts';
import { isToldMaps } from './shown-branches.ts';
import type { Transfers } from './transfers.ts';

export interface RepoSetParts extends Omit<LoopParts, 'context'> {
  readonly repos: Repos;
  readonly pauses: Pick<Pauses, 'fault'>;
  readonly runGit: RunGit;
  readonly startGit: StartGit;
  readonly transfers: Transfers;
  /** The home's folder for state. */
  readonly stateDir: string;
  /** A repository that could not be opened runs again: peers know nothing of it meanwhile. */
  readonly onBack: () => void;
}

interface Running {
  readonly loop: RepoLoop;
  readonly watch: RefWatching;
  readonly slow: SlowLook;
}

/** What inotify lost is found this much later. */
const RECONCILE_MS = 60_000;
/** Each takes some ten runs of git, one after another. */
const OPENED_AT_ONCE = 4;

/** Runs one loop for each shared repository. */
export class RepoSet {
  readonly #parts: RepoSetParts;
  readonly #running = new Map<RepoId, Running>();
  readonly #broken = new Map<RepoId, Fault>();
  readonly #opening = new SerialByKey<RepoId>();
  readonly #startedAt: number;
  readonly #presence: Presence;
  /** The loops as those who serve peers see them. */
  readonly view: AnswerParts['loops'];
  #timer: Timer | undefined;

  constructor(parts: RepoSetParts) {
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
    const standing = new Standing({ ...parts, isRunning: (id) => this.#running.has(id) });
    this.view = { all: () => this.all(), byId: (id) => this.byId(id), standing };
    // It closes what has gone, and opens what is there again.
    this.#presence = new Presence({ clock: parts.clock, repos: () => parts.repos.list(), onChange: (id) => void this.open(id) });
  }

  all(): readonly RepoLoop[] {
    return [...this.#running.values()].map(({ loop }) => loop);
  }

  byId(id: RepoId): RepoLoop | undefined {
    return this.#running.get(id)?.loop;
  }

  /** Why a repository is not running. */
  problem(id: RepoId): Fault | undefined {
    return this.#parts.pauses.fault(id) ?? this.#broken.get(id);
  }

  /** What of a repository the system does not let be watched, in words: what changes there is found by the slow look alone. */
  unwatched(id: RepoId): string | undefined {
    const running = this.#running.get(id);
    return running?.watch.problem ?? running?.loop.autoCommit.unwatched;
  }

  async start(): Promise<void> {
    const turns = new Turns(OPENED_AT_ONCE);
    await Promise.all(this.#parts.repos.list().map(({ id }) => turns.run(() => this.open(id))));
    this.#reconcile();
    this.#presence.start();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#presence.stop();
    for (const id of this.#running.keys()) this.close(id);
  }

  /** Opens a repository that is shared, or opens it again after a change. */
  open(id: RepoId): Promise<RepoLoop | undefined> {
    // Two at once would leave one that runs and that nobody knows of.
    return this.#opening.run(id, () => this.#open(id));
  }

  async #open(id: RepoId): Promise<RepoLoop | undefined> {
    const [before, earlier] = [this.#running.get(id)?.loop, this.#broken.get(id)];
    this.close(id);
    // A move that is still under way would be taken for one that a crash broke off.
    await before?.exclusively(() => Promise.resolve());
    const shared = this.#parts.repos.byId(id);
    if (shared === undefined || this.#parts.pauses.fault(id) !== undefined) return undefined;
    try {
      await this.#presence.note(shared);
      const running = await this.#run(shared);
      this.#running.set(id, running);
      // Unshared while it was opened.
      if (this.#parts.repos.byId(id) === undefined) {
        this.close(id);
        return undefined;
      }
      this.#broken.delete(id);
      this.#grantTo(running.loop);
      if (earlier !== undefined) this.#parts.onBack();
      await running.loop.look();
      void running.loop.hubs.start();
      return running.loop;
    } catch (error) {
      this.#breakOff(shared, asFault(error, `opening ${shared.path}`), earlier);
      return undefined;
    }
  }

  /** It is tried again; the same reason is told once. */
  #breakOff({ id, name }: SharedRepo, fault: Fault, earlier: Fault | undefined): void {
    this.#broken.set(id, fault);
    if (fault.message === earlier?.message) return;
    this.#parts.events.emit({ type: 'repo-failed', words: `${name}: ${fault.message}`, repo: name, code: fault.code });
  }

  close(id: RepoId): void {
    const running = this.#running.get(id);
    this.#running.delete(id);
    this.#broken.delete(id);
    running?.watch.stop();
    running?.loop.stop();
    running?.loop.context.objects.close();
  }

  /** Tells every loop which peers hold a grant; called when peers or grants change. */
  grantAll(): void {
    for (const { loop } of this.#running.values()) this.#grantTo(loop);
  }

  /** Signed in, or the network returned: each hub is fetched once, and what it declined is offered again. */
  contactHubs(): void {
    for (const { loop } of this.#running.values()) void loop.hubs.contact();
  }

  /** Nothing of an unpaired peer is wanted any more, nor believed, nor passed on. */
  forget(peer: DeviceId): void {
    for (const { loop } of this.#running.values()) void loop.forget(peer);
  }

  #grantTo(loop: RepoLoop): void {
    for (const peer of this.#parts.peers.list()) void loop.tell({ type: 'granted', peer: peer.device, isGranted: isToldMaps(loop.context.shared(), peer) });
  }

  async #run(shared: SharedRepo): Promise<Running> {
    const { runGit, startGit, stateDir, repos, peers, me, events, transfers } = this.#parts;
    const repository = await openShared(runGit, shared);
    await this.#recover(repository, shared);
    const maps = new MapStore(shared.id, { runGit, repository }, join(stateDir, `maps-${shared.id}.json`));
    await maps.open((device) => (device === me.device ? me.spki : peers.byDevice(device)?.spki));
    const objects = new ObjectReader(startGit, repository);
    const isolated = new IsolatedRepo(runGit, repository, join(stateDir, 'merge', shared.id));
    const found = { repository, maps, runGit, startGit, objects, isolated, stateDir, transfers };
    const context: RepoContext = { me: me.device, ...found, shared: () => repos.byId(shared.id) ?? shared };
    const loop = new RepoLoop({ ...this.#parts, context });
    const onProblem = (words: string): void => events.emit({ type: 'watch-failed', words: `${shared.name}: ${words}`, repo: shared.name });
    const watch = new RefWatching({ repository, onHint: (kind) => loop.hint(kind), onProblem });
    loop.autoCommit.start();
    return { loop, watch, slow: new SlowLook(repository) };
  }

  async #recover(repository: Repository, shared: SharedRepo): Promise<void> {
    const { runGit, startGit, stateDir, events, peers, clock } = this.#parts;
    const isPaired = (device: string): boolean => peers.list().some((peer) => peer.device === device);
    await removeStalePartials({ runGit, repository }, { isPaired, now: clock.now() });
    await removeStaleIncoming(repository, { before: this.#startedAt });
    await removeStaleLocks(repository, clock.now());
    // Of no haste, and nothing that may keep a repository from being synced.
    const onProblem = (words: string): void => events.emit({ type: 'bad-setting', words, repo: shared.name, code: 'bad-input' });
    await removeOldKept({ runGit, repository }, { stateDir, repo: shared.id, now: clock.now(), onProblem }).catch((error: unknown) => onProblem(asFault(error, 'looking after kept tips').message));
    const found = await recoverMove({ runGit, startGit }, repository, { stateDir });
    if (found === undefined) return;
    events.emit({ type: 'stopped' in found ? 'recovery-stopped' : 'recovered', words: `${shared.name}: ${recoveredWords(found)}`, repo: shared.name });
  }

  async #lookSlowly({ loop, watch, slow }: Running): Promise<void> {
    watch.retry();
    void sweepKilled(loop.context.repository, { startedAt: this.#startedAt, now: this.#parts.clock.now() }).catch(() => undefined);
    const isOpen = loop.problem !== undefined || watch.problem !== undefined || loop.autoCommit.isOn || loop.considering.waitingFor.length > 0;
    if ((await slow.isDue()) || isOpen) loop.hint();
  }

  #reconcile(): void {
    this.#timer = this.#parts.clock.setTimer(RECONCILE_MS, () => {
      for (const running of this.#running.values()) void this.#lookSlowly(running);
      for (const id of this.#broken.keys()) void this.open(id);
      this.#reconcile();
    });
  }
}
