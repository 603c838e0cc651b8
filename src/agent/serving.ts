// What is served to peers now, so that it ends as soon as it may not go on (docs/git-xmpp.1, `grant`). Rule: a grant that is taken back ends what runs on
// it at once: what git has written and no carrier has taken is not sent any more.

import type { ServedProcess } from '../link/carry.ts';

interface Running {
  readonly process: ServedProcess;
  readonly mayGoOn: () => boolean;
  isOver: boolean;
  /** Drops what waits to be sent, once it is known how. */
  cut: () => void;
}

/** All git processes that serve peers. */
export class Serving {
  readonly #running = new Set<Running>();

  /** @param mayGoOn asked again whenever grants change; what may not even begin is ended at once */
  add(process: ServedProcess, mayGoOn: () => boolean): ServedProcess {
    const running: Running = { process, mayGoOn, isOver: false, cut: () => undefined };
    this.#running.add(running);
    void process.exit.then(() => this.#running.delete(running));
    this.#check(running);
    const onCut = (cut: () => void): void => {
      running.cut = cut;
      if (running.isOver) cut();
    };
    return { ...process, onCut };
  }

  /** Grants have changed. */
  check(): void {
    for (const each of this.#running) this.#check(each);
  }

  #check(running: Running): void {
    if (running.isOver || running.mayGoOn()) return;
    running.isOver = true;
    running.cut();
    running.process.kill();
  }
}
