// Short looks at objects through one `git cat-file --batch-command` that waits between them (git-cat-file(1)): starting a process costs more than the look.
// Rule: it only ever saves a process. Whatever it cannot tell (dead, slow, garbled, too long, not here) it leaves open, and a process of its own is asked.

import { realClock, withDeadline } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { Oid } from '../lib/names.ts';
import { batchAnswers, parentsIn } from './batch-format.ts';
import type { BatchAnswer } from './batch-format.ts';
import { inRepository } from './environment.ts';
import type { Repository } from './repository.ts';
import type { GitProcess, StartGit } from './run.ts';

/** A commit, and one that may be a parent of it. */
export interface ParentPair {
  readonly older: Oid;
  readonly newer: Oid;
}

/** An answer that takes longer than a new process would is none. */
const DEADLINE_MS = 2000;
const IDLE_MS = 60_000;
/** After it failed in the middle of an answer it is let be for as long. */
const REST_MS = 10_000;
const MAX_ASKED = 256;
const MAX_KNOWN = 512;

/** One per repository; holds a process only while it was used in the last minute. */
export class ObjectReader {
  readonly #startGit: StartGit;
  readonly #repository: Repository;
  readonly #clock: Clock;
  /** Parents of commits that were read: what an object id names never changes. */
  readonly #known = new Map<Oid, readonly Oid[]>();
  #process: GitProcess | undefined;
  #idle: Timer | undefined;
  #rest: Timer | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(startGit: StartGit, repository: Repository, clock: Clock = realClock) {
    this.#startGit = startGit;
    this.#repository = repository;
    this.#clock = clock;
  }

  /** Whether each `older` is a parent of its `newer`, as the commits themselves say; false too where that cannot be told. Never rejects. */
  async areParents(pairs: readonly ParentPair[]): Promise<boolean> {
    const unknown = [...new Set(pairs.map(({ newer }) => newer))].filter((oid) => !this.#known.has(oid));
    const answers = await this.#ask('contents', unknown);
    if (answers === undefined) return false;
    const read = new Map(answers.map((answer, index) => [unknown[index], parentsIn(answer)]));
    const isSo = pairs.every(({ older, newer }) => (this.#known.get(newer) ?? read.get(newer))?.includes(older) === true);
    for (const [oid, parents] of read) if (oid !== undefined && parents !== undefined) this.#note(oid, parents);
    return isSo;
  }

  /** Bytes of all that `oids` name, what is named twice counted twice; undefined where that cannot be told. Never rejects. */
  async bytesOf(oids: readonly Oid[]): Promise<number | undefined> {
    return (await this.#ask('info', oids))?.reduce((sum, { size }) => sum + size, 0);
  }

  /** What `oids` name, in their order; undefined where that cannot be told, of a large one too. Never rejects. */
  read(oids: readonly Oid[]): Promise<readonly BatchAnswer[] | undefined> {
    return this.#ask('contents', oids);
  }

  /** Ends the process, and starts none any more. */
  close(): void {
    this.#isClosed = true;
    this.#rest?.cancel();
    this.#drop();
  }

  #note(oid: Oid, parents: readonly Oid[]): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(oid, parents);
  }

  /** The answers in the order of `oids`; undefined when there is not one for each. */
  #ask(command: 'contents' | 'info', oids: readonly Oid[]): Promise<readonly BatchAnswer[] | undefined> {
    if (oids.length === 0) return Promise.resolve([]);
    if (oids.length > MAX_ASKED) return Promise.resolve(undefined);
    const answer = this.#turn.then(() => this.#askNow(command, oids));
    this.#turn = answer;
    return answer;
  }

  async #askNow(command: 'contents' | 'info', oids: readonly Oid[]): Promise<readonly BatchAnswer[] | undefined> {
    if (this.#isClosed || this.#rest !== undefined) return undefined;
    this.#idle?.cancel();
    let process: GitProcess | undefined;
    try {
      process = this.#process ??= this.#start();
      const answers = answersOf(process, { command, oids });
      process.stdin.write(oids.map((oid) => `${command} ${oid}\n`).join(''));
      const found = await withDeadline(answers, DEADLINE_MS, this.#clock, () => new Fault('timeout', 'git cat-file did not answer'));
      if (this.#process === process) this.#idle = this.#clock.setTimer(IDLE_MS, () => this.#drop());
      return found;
    } catch {
      process?.kill();
      this.#drop();
      if (!this.#isClosed) this.#rest = this.#clock.setTimer(REST_MS, () => (this.#rest = undefined));
      return undefined;
    }
  }

  #start(): GitProcess {
    // Not in the repository's folder: what waits there would keep a disk from being taken out. What it reads are the objects themselves.
    const { env } = inRepository(this.#repository);
    const process = this.#startGit(['cat-file', '--batch-command'], { env });
    void process.exit.then(() => {
      if (this.#process === process) this.#drop();
    });
    return process;
  }

  /** Its input ends, and so does it. */
  #drop(): void {
    this.#idle?.cancel();
    this.#process?.stdin.end();
    this.#process = undefined;
  }
}

/** @returns undefined when one of them is not here. @throws Fault when it ends before the last answer, or answers what was not asked */
function answersOf(process: GitProcess, asked: { readonly command: 'contents' | 'info'; readonly oids: readonly Oid[] }): Promise<readonly BatchAnswer[] | undefined> {
  return new Promise((resolve, reject) => {
    const parse = batchAnswers(asked);
    const stop = (): void => {
      process.stdout.off('data', take).off('end', ended);
    };
    const take = (chunk: Buffer): void => {
      try {
        const found = parse(chunk);
        if (found === undefined) return;
        stop();
        const here = found.filter((answer) => answer !== 'missing');
        resolve(here.length === found.length ? here : undefined);
      } catch (error) {
        stop();
        reject(error instanceof Error ? error : new Fault('git', 'git cat-file answered something else'));
      }
    };
    const ended = (): void => {
      stop();
      reject(new Fault('git', 'git cat-file ended'));
    };
    process.stdout.on('data', take).once('end', ended);
    if (process.stdout.readableEnded || process.stdout.destroyed) ended();
  });
}
