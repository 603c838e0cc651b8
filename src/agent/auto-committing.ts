// Watches one work tree and commits what has settled there, under one policy (docs/decisions/0034-commits-by-itself.md).
// Rule: thin; the machine says when, git says what, and it happens while nothing else of the repository moves.

import { Backoff } from '../lib/backoff.ts';
import type { Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import { SettleMachine } from '../sync/settle-machine.ts';
import type { FileSign, SettleFact, SettleIntention } from '../sync/settle-machine.ts';
import { autoCommit } from '../git/auto-commit.ts';
import type { AutoCommitted } from '../git/auto-commit.ts';
import { checkIgnored } from '../git/ignored.ts';
import { lookAtFiles } from '../git/look.ts';
import type { LeftOut } from '../git/work-changes.ts';
import { WorkWatch } from '../git/work-watch.ts';
import type { AutoCommitParts, AutoCommitStatus } from './auto-commit.ts';
import type { AutoCommitPolicy } from './auto-commit-policy.ts';

/** What was lost on the way is found this much later, in ms; where not all can be watched, sooner. */
const RECONCILE_MS = 600_000;
const RECONCILE_BLIND_MS = 15_000;
/** What status names of a kind at most. */
const SHOWN = 20;
/** A folder is there or it is not; what is in it is told by itself. */
const FOLDER: FileSign = { size: 0, mtimeMs: 0 };

/** One work tree from when it is begun until it is stopped. */
export class AutoCommitting {
  readonly #parts: AutoCommitParts;
  readonly #policy: AutoCommitPolicy;
  readonly #machine: SettleMachine;
  readonly #watch: WorkWatch;
  readonly #backoff = new Backoff({ baseMs: 500, capMs: 30_000 });
  #waiting: string | undefined;
  #leftOut: readonly LeftOut[] = [];
  #wake: { readonly timer: Timer; readonly at: number } | undefined;
  #retry: Timer | undefined;
  #reconcile: Timer | undefined;
  #unwatched: string | undefined;
  #isStopped = false;

  constructor(parts: AutoCommitParts, policy: AutoCommitPolicy) {
    this.#parts = parts;
    this.#policy = policy;
    this.#machine = new SettleMachine({ delayMs: policy.delayMs });
    this.#watch = new WorkWatch(parts.context.runGit, parts.context.repository, {
      onTouched: (path) => this.#tell(path === '' ? { type: 'everything' } : { type: 'touched', path }),
      onProblem: (words) => {
        this.#unwatched = words;
        this.#emit('watch-failed', `${words}; what changes there is found ${RECONCILE_BLIND_MS / 1000} s later`);
      },
    });
  }

  /** Watches what is there now, and commits what changed while nobody looked. */
  async look(): Promise<void> {
    try {
      await this.#watch.refresh();
    } catch (error) {
      this.#emit('watch-failed', `the folder is not watched: ${asFault(error, 'looking for ignored folders').message}`);
    }
    if (this.#isStopped) return;
    this.#tell({ type: 'everything' });
    const waitMs = this.#watch.isWhole ? RECONCILE_MS : RECONCILE_BLIND_MS;
    this.#reconcile?.cancel();
    this.#reconcile = this.#parts.clock.setTimer(waitMs, () => void this.look());
  }

  /** What was in the way may be over. */
  hint(): void {
    if (this.#waiting !== undefined) this.#tell({ type: 'retry' });
  }

  /** What of the work tree cannot be watched, in words. */
  get unwatched(): string | undefined {
    return this.#watch.isWhole ? undefined : this.#unwatched;
  }

  async status(): Promise<AutoCommitStatus> {
    const empty = await this.#watch.emptyFolders(SHOWN);
    const leftOut = [
      ...this.#leftOut.slice(0, SHOWN).map(({ path, words }) => `${path} ${words}`),
      ...this.#machine.unsettled.slice(0, SHOWN).map((path) => `${path} is still being written`),
      ...empty.map((path) => `${path} is empty: git keeps no empty folder`),
    ];
    return { ...(this.#waiting === undefined ? {} : { waiting: this.#waiting }), leftOut };
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch.stop();
    for (const timer of [this.#wake?.timer, this.#retry, this.#reconcile]) timer?.cancel();
  }

  #tell(fact: SettleFact): void {
    if (this.#isStopped) return;
    const now = this.#parts.clock.now();
    for (const intention of this.#machine.receive(fact, now)) this.#carryOut(intention);
    const waitMs = this.#machine.wakeInMs;
    if (waitMs === undefined || (this.#wake !== undefined && this.#wake.at <= now + waitMs)) return;
    this.#wake?.timer.cancel();
    const timer = this.#parts.clock.setTimer(waitMs, () => {
      this.#wake = undefined;
      this.#tell({ type: 'time' });
    });
    this.#wake = { timer, at: now + waitMs };
  }

  #carryOut(intention: SettleIntention): void {
    if (intention.type === 'look') void this.#lookAt(intention.paths);
    else if (intention.type === 'commit') void this.#parts.exclusively(() => this.#commit());
    else this.#emit('unsettled', `${intention.path} is still being written after a minute; what else changed is committed without it`);
  }

  async #lookAt(paths: readonly string[]): Promise<void> {
    const { runGit, repository } = this.#parts.context;
    const asked = checkIgnored(runGit, repository, paths).catch(() => new Set<string>());
    const found = new Map<string, FileSign>();
    const files = paths.map((name) => ({ name, path: Buffer.from(name) }));
    for await (const [{ name }, stats] of lookAtFiles(repository.path, files)) {
      found.set(name, stats?.isDirectory() === true ? FOLDER : stats === undefined ? undefined : { size: stats.size, mtimeMs: stats.mtimeMs });
    }
    const ignored = await asked;
    for (const path of ignored) this.#watch.leaveOut(path);
    if (ignored.size > 0) this.#tell({ type: 'ignored', paths: ignored });
    this.#tell({ type: 'looked', found });
  }

  async #commit(): Promise<void> {
    if (this.#isStopped) return;
    const { context, clock } = this.#parts;
    const { delayMs, maxBytes, message, nobody } = this.#policy;
    const mayGo = (path: string): boolean | undefined => this.#machine.mayGo(path);
    const request = { stateDir: context.stateDir, message, nobody, maxBytes, delayMs, now: clock.now(), mayGo };
    try {
      this.#done(await autoCommit(context, context.repository, request));
    } catch (error) {
      this.#hold(`committing failed: ${asFault(error, 'committing').message}`);
    }
  }

  #done(result: AutoCommitted): void {
    if ('waits' in result) return this.#hold(result.waits.words);
    this.#waiting = undefined;
    this.#backoff.succeed();
    this.#retry?.cancel();
    this.#tellLeftOut(result.leftOut);
    const { commit } = result;
    if (commit !== undefined) {
      const files = commit.paths === 1 ? '1 file' : `${commit.paths} files`;
      this.#emit('committed', `committed ${files} to ${commit.branch.replace('refs/heads/', '')}`, { ref: commit.branch });
      this.#parts.onCommitted();
    }
    this.#tell({ type: 'committed' });
    for (const path of result.young) this.#tell({ type: 'touched', path });
    if (result.hasMore) this.#tell({ type: 'everything' });
  }

  /** Waits until something moves in the repository, or for a while. */
  #hold(words: string): void {
    if (words !== this.#waiting) this.#emit('commit-waits', `what changed is not committed yet: ${words}`);
    this.#waiting = words;
    this.#retry?.cancel();
    this.#retry = this.#parts.clock.setTimer(this.#backoff.fail(this.#parts.random()), () => this.#tell({ type: 'retry' }));
    this.#tell({ type: 'held' });
  }

  #tellLeftOut(leftOut: readonly LeftOut[]): void {
    const known = new Set(this.#leftOut.map(({ path, why }) => `${why} ${path}`));
    this.#leftOut = leftOut;
    for (const { path, words } of leftOut.filter(({ path: each, why }) => !known.has(`${why} ${each}`)).slice(0, SHOWN)) {
      this.#emit('left-out', `${path} ${words}`);
    }
  }

  #emit(type: string, words: string, more: { readonly ref?: string } = {}): void {
    const { name } = this.#parts.context.shared();
    this.#parts.events.emit({ type, words, repo: name, ...more });
  }
}
