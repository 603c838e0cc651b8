// `git xmpp status --watch`: the status as it changes, until Ctrl-C. Rule: the events of the agent say when to look, so an idle one is hardly asked; an agent
// that goes away is waited for and never started, and however it ends the terminal is as it was.

import { realClock } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { StatusAnswer } from '../agent/answers.ts';
import type { Door } from './door.ts';
import { print } from './out.ts';
import type { Row } from './cells-format.ts';
import { plain } from './cells-format.ts';
import { frameRows, lookAgainMs } from './watch-format.ts';
import type { Watched } from './watch-format.ts';
import { hasColour, isLive, lookOf } from './terminal.ts';
import { Screen } from './screen.ts';

/** Events come in bursts. */
const BURST_MS = 150;
/** How an agent that went away is asked for again. */
const AGAIN_MS = 1_000;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Where a watch is shown. */
interface View {
  show(watched: Watched): void;
  close(): void;
}

/** @param first what was answered just now */
export async function watchStatus(door: Door, first: StatusAnswer, { isJson }: { readonly isJson: boolean }): Promise<void> {
  const ending = new AbortController();
  let exitCode = 0;
  const end = (code: number) => (): void => {
    exitCode = code;
    ending.abort();
  };
  const handlers = Object.entries(SIGNALS).map(([name, code]) => [name, end(code)] as const);
  for (const [name, handler] of handlers) process.once(name, handler);
  const watch = new Watch(door, first, ending.signal);
  const view = isJson ? jsonView() : isLive(process.stdout) ? new ScreenView(() => watch.redraw()) : plainView();
  try {
    await watch.run(view);
  } finally {
    view.close();
    for (const [name, handler] of handlers) process.off(name, handler);
  }
  process.exitCode = exitCode;
}

class Watch {
  readonly #door: Door;
  readonly #signal: AbortSignal;
  #watched: Watched;
  #view: View | undefined;
  #tookMs = 0;
  #wake: () => void = () => undefined;
  #hasNews = false;

  constructor(door: Door, first: StatusAnswer, signal: AbortSignal) {
    this.#door = door;
    this.#signal = signal;
    this.#watched = { answer: first };
    signal.addEventListener('abort', () => this.#wake());
  }

  redraw(): void {
    this.#view?.show(this.#watched);
  }

  async run(view: View): Promise<void> {
    this.#view = view;
    // Timers alone keep no process alive.
    const alive = setInterval(() => undefined, 1_000_000);
    const following = this.#follow();
    try {
      for (;;) {
        this.redraw();
        await this.#pause(lookAgainMs(this.#watched, this.#tookMs), true);
        if (this.#hasNews) await this.#pause(BURST_MS, false);
        if (this.#signal.aborted) break;
        this.#hasNews = false;
        await this.#look();
      }
      await following;
    } finally {
      clearInterval(alive);
    }
  }

  async #look(): Promise<void> {
    const from = realClock.now();
    try {
      this.#watched = { answer: await this.#door.running<StatusAnswer>('/status', this.#signal) };
    } catch (error) {
      const { message, remedy } = asFault(error, 'asking the agent');
      this.#watched = { answer: this.#watched.answer, gone: { since: this.#watched.gone?.since ?? realClock.now(), message, ...(remedy === undefined ? {} : { remedy }) } };
    }
    this.#tookMs = Math.max(0, realClock.now() - from);
  }

  /** Whatever happens in the agent is a reason to look; that it went away, too. */
  async #follow(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        for await (const _event of this.#door.runningLines('/events?follow=1', this.#signal)) this.#news();
      } catch {
        // The next look says what is wrong.
      }
      this.#news();
      await this.#pause(AGAIN_MS, false);
    }
  }

  #news(): void {
    this.#hasNews = true;
    this.#wake();
  }

  /** @param isEndedByNews whether to wait no longer than until something happens */
  async #pause(ms: number, isEndedByNews: boolean): Promise<void> {
    if (this.#signal.aborted || (isEndedByNews && this.#hasNews)) return;
    await new Promise<void>((resolve) => {
      const onEnd = (): void => {
        timer.cancel();
        this.#signal.removeEventListener('abort', onEnd);
        resolve();
      };
      const timer = realClock.setTimer(ms, onEnd);
      this.#signal.addEventListener('abort', onEnd);
      if (isEndedByNews) this.#wake = onEnd;
    });
  }
}

/** Drawn in place. */
class ScreenView implements View {
  readonly #screen: Screen;
  #last: readonly Row[] = [];

  constructor(onChange: () => void) {
    this.#screen = new Screen(process.stdout, onChange);
  }

  show(watched: Watched): void {
    const look = lookOf(process.stdout);
    // The last cell of a line is left free: to clear behind it would clear it.
    this.#last = frameRows(watched, { ...look, width: Math.max(1, look.width - 1) });
    this.#screen.draw(this.#last, hasColour(process.stdout));
  }

  /** What was seen last stays on the terminal. */
  close(): void {
    this.#screen.close();
    for (const row of this.#last) print(plain(row));
  }
}

/** Where nothing can be drawn over: the whole of it again whenever something has changed. */
function plainView(): View {
  let last = '';
  return {
    show(watched) {
      const [title, ...rows] = frameRows(watched, lookOf(process.stdout)).map(plain);
      if (rows.join('\n') === last) return;
      last = rows.join('\n');
      print([title, ...rows, ''].join('\n'));
    },
    close: () => undefined,
  };
}

/** One object a line whenever something has changed; nothing while no agent runs. */
function jsonView(): View {
  let last = '';
  return {
    show({ answer, gone }) {
      const text = JSON.stringify(answer);
      if (gone !== undefined || text === last) return;
      last = text;
      print(text);
    },
    close: () => undefined,
  };
}
