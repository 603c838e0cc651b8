// What is paused: the whole agent or single repositories, by a person until a time or until they end it, and by programs that drive `git xmpp remotedaemon`
// (docs/decisions/0040-a-paused-repository-does-not-run.md). Rule: a person's pause is on the disk before it holds and outlives the agent; a program's goes with it.

import type { Clock, Timer } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { RepoId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { StateFile } from '../home/state.ts';
import type { Events } from './events.ts';
import { expire, nextEnd, NOTHING_PAUSED, parsePauses, withAll, withRepo } from './pauses-format.ts';
import type { Pause, PausesState } from './pauses-format.ts';

/** Why a program holds a repository: remotedaemon's words. */
export type HoldWord = 'PAUSE' | 'LOSTNET';

/** How a pause is told. */
export interface PauseStatus {
  /** Milliseconds since 1970; absent for one without an end. */
  readonly until?: number;
  /** `person`: by `git xmpp pause`; `program`: by one that drives `git xmpp remotedaemon`. */
  readonly by: 'person' | 'program';
  /** Such as `paused until 14:30`. */
  readonly words: string;
}

/** A shared repository, as far as it matters here. */
export interface PausedRepo {
  readonly id: RepoId;
  readonly name: string;
}

/** The end of a pause is looked for this often, by the wall clock: a timer stands still while the machine sleeps. */
const LOOK_MS = 10_000;

/** All pauses of one agent. */
export class Pauses {
  readonly #file: StateFile<PausesState>;
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'emit'>;
  #state = NOTHING_PAUSED;
  readonly #serial = new Serial();
  readonly #holds = new Map<RepoId, Set<{ readonly word: HoldWord }>>();
  #timer: Timer | undefined;
  /** What is paused has changed. Resolves when that is carried out. */
  onChange: () => Promise<void> = () => Promise.resolve();
  /** A shared repository by its id. */
  find: (id: RepoId) => { readonly name: string; readonly path: string } | undefined = () => undefined;

  private constructor(path: string, { clock, events }: { readonly clock: Clock; readonly events: Pick<Events, 'emit'> }) {
    this.#file = new StateFile(path, parsePauses, () => NOTHING_PAUSED);
    this.#clock = clock;
    this.#events = events;
  }

  /** What ended while no agent ran has ended. @throws Fault `bad-config` */
  static async open(path: string, parts: { readonly clock: Clock; readonly events: Pick<Events, 'emit'> }): Promise<Pauses> {
    const pauses = new Pauses(path, parts);
    pauses.#state = expire(await pauses.#file.read(), parts.clock.now()).state;
    pauses.#wait();
    return pauses;
  }

  /** The pause of the whole agent. */
  get all(): PauseStatus | undefined {
    return this.#state.all === undefined ? undefined : this.#told(this.#state.all);
  }

  /** Why a repository is paused, if it is. */
  of(id: RepoId): PauseStatus | undefined {
    const own = this.#state.repos.find(({ repo }) => repo === id);
    if (this.all !== undefined || own !== undefined) return this.all ?? (own === undefined ? undefined : this.#told(own));
    const [hold] = this.#holds.get(id) ?? [];
    if (hold === undefined) return undefined;
    const words = hold.word === 'PAUSE' ? 'paused by the program that drives it' : 'paused: the program that drives it says that the network is lost';
    return { by: 'program', words };
  }

  /** What is told to whoever asks for something that is paused. */
  fault(id: RepoId): Fault | undefined {
    const pause = this.of(id);
    if (pause === undefined) return undefined;
    const repo = this.find(id);
    if (this.all !== undefined || repo === undefined) return new Fault('paused', `git-xmpp is ${pause.words}`, { remedy: 'git xmpp resume' });
    const remedy = pause.by === 'person' ? `git xmpp resume --repo ${repo.path}` : 'RESUME in the program that drives its "git xmpp remotedaemon"; to end that ends the pause';
    return new Fault('paused', `${repo.name} is ${pause.words}`, { remedy });
  }

  /** @throws Fault `paused` while the repository is, or the whole agent; without `id` only for the latter */
  requireRunning(id?: RepoId): void {
    const { all } = this;
    if (all !== undefined) throw new Fault('paused', `git-xmpp is ${all.words}`, { remedy: 'git xmpp resume' });
    const fault = id === undefined ? undefined : this.fault(id);
    if (fault !== undefined) throw fault;
  }

  /**
   * Pauses one repository, or everything, and resolves once it stands still.
   * @param ms for how long; undefined for until `resume`
   */
  async pause(repo: PausedRepo | undefined, ms: number | undefined): Promise<PauseStatus> {
    const since = this.#clock.now();
    const pause: Pause = ms === undefined ? { since } : { since, until: since + ms };
    await this.#save((state) => (repo === undefined ? withAll(state, pause) : withRepo(state, repo.id, pause)));
    const told = this.#told(pause);
    await this.onChange();
    this.#emit('paused', repo, told.words);
    return told;
  }

  /** Ends the pause of one repository, or every pause that a person made. @returns whether there was one */
  async resume(repo: PausedRepo | undefined): Promise<boolean> {
    const { all, repos } = this.#state;
    if (repo !== undefined) this.requireRunning();
    const hasOne = repo === undefined ? all !== undefined || repos.length > 0 : repos.some((each) => each.repo === repo.id);
    if (!hasOne) return false;
    await this.#save((state) => (repo === undefined ? NOTHING_PAUSED : withRepo(state, repo.id, undefined)));
    await this.onChange();
    this.#emit('unpaused', repo, 'runs again');
    return true;
  }

  /** A program holds a repository. @returns what ends it; both resolve once it stands still, or runs again */
  async hold(repo: PausedRepo, word: HoldWord): Promise<() => Promise<void>> {
    const hold = { word };
    const holds = this.#holds.get(repo.id) ?? new Set();
    this.#holds.set(repo.id, holds.add(hold));
    const release = async (): Promise<void> => {
      if (!holds.delete(hold)) return;
      await this.onChange();
      this.#emit('unpaused', repo, 'its program lets it go on');
    };
    await this.onChange();
    this.#emit('paused', repo, `paused by a program (${word})`);
    return release;
  }

  /** Not shared any more: nothing of it is remembered. */
  async forget(id: RepoId): Promise<void> {
    this.#holds.delete(id);
    if (this.#state.repos.some(({ repo }) => repo === id)) await this.#save((state) => withRepo(state, id, undefined));
    await this.onChange();
  }

  /** Ends what is due; called after sleep too. */
  look(): void {
    const { state, hasAllEnded, ended } = expire(this.#state, this.#clock.now());
    this.#timer?.cancel();
    if (hasAllEnded || ended.length > 0) {
      this.#state = state;
      // What the disk does not take now is found to be over when it is read.
      void this.#file.write(this.#state).catch(() => undefined);
      const names = [...(hasAllEnded ? [undefined] : []), ...ended.map((id) => ({ id, name: this.find(id)?.name ?? '' }))];
      void this.onChange().catch(() => undefined).then(() => names.forEach((repo) => this.#emit('unpaused', repo, 'the pause is over')));
    }
    this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** On the disk first. */
  #save(change: (state: PausesState) => PausesState): Promise<void> {
    return this.#serial.run(async () => {
      const state = change(this.#state);
      await this.#file.write(state);
      this.#state = state;
      this.#wait();
    });
  }

  #wait(): void {
    this.#timer?.cancel();
    const end = nextEnd(this.#state);
    if (end !== undefined) this.#timer = this.#clock.setTimer(Math.min(LOOK_MS, Math.max(0, end - this.#clock.now())), () => this.look());
  }

  #told({ until }: Pause): PauseStatus {
    const words = until === undefined ? 'paused' : `paused until ${formatTimeOf(until, this.#clock.now())}`;
    return { by: 'person', words, ...(until === undefined ? {} : { until }) };
  }

  #emit(type: string, repo: PausedRepo | undefined, words: string): void {
    this.#events.emit({ type, words: repo === undefined ? `everything: ${words}` : words, ...(repo === undefined ? {} : { repo: repo.name }) });
  }
}

/** `14:30`, with the day where it is another. */
function formatTimeOf(at: number, now: number): string {
  const [then, today] = [new Date(at), new Date(now)];
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  return then.toDateString() === today.toDateString() ? time : `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}
