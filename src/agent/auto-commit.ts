// Whether a shared repository commits by itself, and under which policy (docs/decisions/0034-commits-by-itself.md).
// Rule: the configuration says, and counts from when it changes; a repository without a work tree never does.

import type { Clock, Timer } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Fault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { readGitConfig } from '../git/repository.ts';
import type { HintKind } from '../git/watch.ts';
import { readAutoCommit } from './auto-commit-policy.ts';
import { AutoCommitting } from './auto-committing.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';

export interface AutoCommitParts {
  readonly context: RepoContext;
  readonly events: Events;
  readonly clock: Clock;
  readonly random: () => number;
  /** What this device is called. */
  readonly deviceName: () => string;
  /** Does work while nothing else of this repository moves. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
  /** A branch has a new commit. */
  readonly onCommitted: () => void;
}

/** What `status` tells of a repository that commits by itself. */
export interface AutoCommitStatus {
  /** Why nothing is committed now, in words. */
  readonly waiting?: string;
  /** What is not committed, and why, in words. */
  readonly leftOut: readonly string[];
}

/** Configuration that lies outside of the repository is read again after this, in ms: a name to commit in is waited for. */
const CONFIG_MS = { on: 60_000, off: 600_000 };

/** Commits by itself in one repository while it is wanted. */
export class AutoCommit {
  readonly #parts: AutoCommitParts;
  readonly #serial = new Serial();
  readonly #told = new Set<string>();
  #running: { readonly policy: string; readonly work: AutoCommitting } | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(parts: AutoCommitParts) {
    this.#parts = parts;
  }

  /** Reads the policy, and begins or ends as it says. */
  start(): void {
    if (this.#isStopped || this.#parts.context.repository.workTree === undefined) return;
    void this.#serial.run(() => this.#readPolicy());
  }

  /** Something moved in the git directory. */
  hint(kind: HintKind): void {
    if (kind === 'config') this.start();
    this.#running?.work.hint();
  }

  get isOn(): boolean {
    return this.#running !== undefined;
  }

  /** What of the work tree cannot be watched, in words. */
  get unwatched(): string | undefined {
    return this.#running?.work.unwatched;
  }

  /** Undefined where nothing is committed by itself. */
  async status(): Promise<AutoCommitStatus | undefined> {
    return this.#running?.work.status();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#running?.work.stop();
  }

  async #readPolicy(): Promise<void> {
    const { context, deviceName, clock } = this.#parts;
    this.#timer?.cancel();
    try {
      const config = await readGitConfig(context.runGit, context.repository);
      const policy = readAutoCommit(config, { device: deviceName(), onProblem: (fault) => this.#complain(fault) });
      const text = JSON.stringify(policy);
      if (this.#isStopped || this.#running?.policy === text) return;
      this.#running?.work.stop();
      this.#running = policy.isOn ? { policy: text, work: new AutoCommitting(this.#parts, policy) } : undefined;
      await this.#running?.work.look();
    } catch (error) {
      // A repository that is gone is told by whoever looks at its branches.
      this.#complain(asFault(error, 'reading the configuration'));
    }
    if (this.#isStopped) return;
    this.#timer = clock.setTimer(this.#running === undefined ? CONFIG_MS.off : CONFIG_MS.on, () => this.start());
  }

  #complain({ message, code }: Fault): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    const words = code === 'bad-input' ? `${message}; its default holds` : message;
    this.#parts.events.emit({ type: 'bad-setting', words, repo: this.#parts.context.shared().name, code });
  }
}
