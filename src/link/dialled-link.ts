// A dialled link that is up: its session, what it has carried, and its end (docs/PROTOCOL.md). Rule: it ends once, whichever of its layers ends first.

import type { ClientHttp2Session } from 'node:http2';
import type { Clock, Timer } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { Ladder } from './ladder.ts';
import { statsOf } from './link-stats.ts';
import type { LinkStats } from './link-stats.ts';
import type { PipeStream } from './pipe-stream.ts';
import type { Reopener } from './reopen.ts';

/** A link that is up. */
export interface DialledLink {
  readonly session: ClientHttp2Session;
  stats(): LinkStats;
  /**
   * Settles as `work` does, or rejects with `peer-offline` once the link has been without a carrier for `graceMs`: for what has only
   * just been asked. What is under way already waits as long as the pipe does.
   */
  within<T>(work: Promise<T>, graceMs: number): Promise<T>;
  /** Called once, when the link has ended. */
  onClose(listener: (fault: Fault) => void): void;
  /** Lets running requests end, then says so to the peer. */
  close(): Promise<void>;
  destroy(fault: Fault): void;
}

const CLOSE_GRACE_MS = 2_000;

export interface LinkParts {
  readonly session: ClientHttp2Session;
  readonly pipe: PipeStream;
  readonly carriers: Reopener;
  readonly ladder: Ladder;
  readonly clock: Clock;
}

/** The link that `dialLink` made. */
export class Link implements DialledLink {
  readonly session: ClientHttp2Session;
  readonly #pipe: PipeStream;
  readonly #carriers: Reopener;
  readonly #ladder: Ladder;
  readonly #clock: Clock;
  #fault: Fault | undefined;
  readonly #listeners: ((fault: Fault) => void)[] = [];

  constructor({ session, pipe, carriers, ladder, clock }: LinkParts) {
    this.session = session;
    this.#pipe = pipe;
    this.#carriers = carriers;
    this.#ladder = ladder;
    this.#clock = clock;
    keepBusy(session, pipe, ladder);
    const ended = (): void => this.#end(new Fault('timeout', 'the link to the other device was lost'));
    session.once('close', ended);
    session.once('goaway', () => session.close());
    pipe.once('error', (error) => this.#end(asFault(error, 'the link')));
    // The other side took leave: neither TLS nor HTTP/2 ends a session for an end to read alone.
    pipe.once('end', ended);
    pipe.once('close', ended);
  }

  stats(): LinkStats {
    const { noBetter } = this.#ladder;
    const stats = statsOf(this.#pipe, this.session);
    return noBetter === undefined ? stats : { ...stats, noBetter };
  }

  within<T>(work: Promise<T>, graceMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined;
      const offline = (): void => reject(new Fault('peer-offline', 'no way to the other device is open'));
      const stop = this.#carriers.watch((isCarried) => {
        timer?.cancel();
        timer = isCarried ? undefined : this.#clock.setTimer(graceMs, offline);
      });
      work.then(resolve, reject).finally(() => {
        timer?.cancel();
        stop();
      });
    });
  }

  onClose(listener: (fault: Fault) => void): void {
    if (this.#fault !== undefined) listener(this.#fault);
    else this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    const timer = this.#clock.setTimer(CLOSE_GRACE_MS, () => this.session.destroy());
    await new Promise<void>((resolve) => {
      if (this.session.destroyed) return resolve();
      this.session.once('close', resolve);
      this.session.close();
    });
    timer.cancel();
    this.#pipe.end();
  }

  destroy(fault: Fault): void {
    this.#end(fault);
    this.session.destroy();
    this.#pipe.destroy();
  }

  #end(fault: Fault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.session.destroy();
    if (!this.#pipe.destroyed) this.#pipe.destroy();
    for (const listener of this.#listeners.splice(0)) listener(fault);
  }
}

/** While a request is open, the pipe looks into silence, and the ladder at what moves. */
function keepBusy(session: ClientHttp2Session, pipe: PipeStream, ladder: Ladder): void {
  let open = 0;
  const request = session.request.bind(session);
  session.request = (headers, requestOptions) => {
    const stream = request(headers, requestOptions);
    open += 1;
    pipe.setBusy(true);
    ladder.setBusy(true);
    stream.once('close', () => {
      open -= 1;
      if (open > 0 || pipe.destroyed) return;
      pipe.setBusy(false);
      ladder.setBusy(false);
    });
    return stream;
  };
}
