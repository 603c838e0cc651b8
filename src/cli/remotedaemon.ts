// `git xmpp remotedaemon`: git-annex's protocol on standard input and output, or on pipes in the repository (docs/API.md, "remotedaemon"). Rule: thin; what is
// said is decided in control/remotedaemon-machine.ts, and everything is asked at the agent's door.

import { Backoff } from '../lib/backoff.ts';
import { delay, realClock } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { formatUri, LineReader } from '../control/remotedaemon-format.ts';
import type { ReadLine } from '../control/remotedaemon-format.ts';
import { RemoteDaemonMachine } from '../control/remotedaemon-machine.ts';
import type { DaemonFact, DaemonLine } from '../control/remotedaemon-machine.ts';
import type { Door } from './door.ts';

/** After the agent went away, it is looked for this often; it is not started, for a person may have stopped it. */
const RETRY = { baseMs: 200, capMs: 1_000 };
/** More than so many questions do not wait. */
const MAX_ASKED = 32;
const PASSING: readonly FaultCode[] = ['agent', 'timeout'];

export interface DriveParts {
  readonly door: Door;
  /** A path in the repository. */
  readonly path: string;
  /** Names or URIs of the remotes that are told of; none for all. */
  readonly remotes: readonly string[];
  /** Tells the controlling program. @returns a promise where it has to be waited for until it reads on */
  readonly say: (line: string) => Promise<void> | undefined;
  /** What the program says is not read on while so much of it waits to be done. */
  readonly reading: () => { pause(): unknown; resume(): unknown } | undefined;
  /** The agent knows the repository. */
  readonly onBegin?: (at: { readonly gitDir: string }) => Promise<void>;
}

/** One session, from `run` until it is stopped, or the controlling program goes. */
export class Driver {
  readonly #parts: DriveParts;
  readonly #machine: RemoteDaemonMachine;
  readonly #asking = new Serial();
  readonly #ending = new AbortController();
  #session = '';
  /** What the program said and what is not done yet. */
  #asked = 0;
  readonly #ended: Promise<void>;
  #full: Promise<void> | undefined;

  constructor(parts: DriveParts) {
    this.#parts = parts;
    this.#machine = new RemoteDaemonMachine(formatUri(`file://${parts.path}`), parts.remotes);
    this.#ended = new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** How it stands, for whoever begins to listen now. */
  get standing(): readonly string[] {
    return this.#machine.standing;
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  lines(lines: readonly ReadLine[]): void {
    for (const line of lines) this.#receive({ type: 'line', line });
  }

  /** The controlling program has gone. */
  eof(): void {
    this.#receive({ type: 'eof' });
  }

  /** Resolves when the session is over. @throws Fault where it cannot begin: no such repository, no agent */
  async run(): Promise<void> {
    const backoff = new Backoff(RETRY);
    let hasBegun = false;
    const ended = new Promise<void>((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
    while (!this.signal.aborted) {
      try {
        await this.#follow(() => {
          hasBegun = true;
          backoff.succeed();
        });
        if (!this.signal.aborted) this.#lose(backoff, 'the agent has stopped, or had to let this session go');
      } catch (error) {
        if (this.signal.aborted) return;
        const fault = asFault(error, 'following the agent');
        if (hasBegun) this.#lose(backoff, fault.message);
        // Not shared any more, say: that is not mended by waiting.
        if (!hasBegun || !PASSING.includes(fault.code)) throw fault;
      }
      // Whoever drives it keeps the process alive meanwhile; its end ends the wait.
      do await Promise.race([delay(backoff.fail(0.5), realClock), ended]);
      while (!this.signal.aborted && !(await this.#isRunning()));
    }
  }

  async #follow(begun: () => void): Promise<void> {
    const { door, path, onBegin } = this.#parts;
    let isFirst = true;
    for await (const told of door.lines<DaemonLine>('GET', `/remotedaemon?path=${encodeURIComponent(path)}`, undefined, this.signal)) {
      if (told.type === 'remotes') this.#session = told.session;
      if (isFirst && told.type === 'remotes') await onBegin?.(told);
      if (isFirst) begun();
      isFirst = false;
      this.#receive({ type: 'told', told });
      // What the program does not read is not asked for either.
      await Promise.race([this.#full, this.#ended]);
    }
  }

  /** Told once for each time that it is lost. */
  #lose(backoff: Backoff, words: string): void {
    if (backoff.failures === 0) this.#receive({ type: 'lost', words });
  }

  async #isRunning(): Promise<boolean> {
    return this.#parts.door.isRunning().catch(() => false);
  }

  #receive(fact: DaemonFact): void {
    for (const intention of this.#machine.receive(fact)) {
      if (intention.type === 'say') this.#full = this.#parts.say(intention.line) ?? this.#full;
      else if (intention.type === 'ask') void this.#ask(intention.message);
      else this.#ending.abort();
    }
  }

  #ask(message: string): Promise<void> {
    this.#asked += 1;
    if (this.#asked >= MAX_ASKED) this.#parts.reading()?.pause();
    return this.#asking.run(async () => {
      try {
        if (this.signal.aborted) return;
        await this.#parts.door.askRunning('POST', '/remotedaemon', { session: this.#session, message });
      } catch (error) {
        this.#receive({ type: 'failed', words: `${message}: ${asFault(error, 'asking the agent').message}` });
      }
      this.#asked -= 1;
      if (this.#asked === 0) this.#parts.reading()?.resume();
    });
  }
}

/** Speaks with the program at standard input and output, until that closes its end or says STOP. */
export async function runForeground(door: Door, path: string, remotes: readonly string[]): Promise<void> {
  const { stdin, stdout } = process;
  const say = (line: string): Promise<void> | undefined => {
    const isFull = !stdout.write(`${line}\n`);
    return isFull ? new Promise((resolve) => stdout.once('drain', resolve)) : undefined;
  };
  const driver = new Driver({ door, path, remotes, say, reading: () => (stdin.destroyed ? undefined : stdin) });
  const reader = new LineReader();
  stdin.on('data', (bytes: Buffer) => driver.lines(reader.receive(bytes)));
  stdin.once('end', () => {
    driver.lines(reader.end());
    driver.eof();
  });
  stdin.once('error', () => driver.eof());
  try {
    await driver.run();
  } finally {
    stdin.destroy();
  }
}
