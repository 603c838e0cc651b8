// What is served to peers now, so that it ends as soon as it may not go on (docs/git-xmpp.1, `grant`). Rule: a grant that is taken back ends what runs on
// it at once, and both sides are told why.

import type { ServedProcess } from '../link/carry.ts';

interface Running {
  readonly process: ServedProcess;
  readonly mayGoOn: () => boolean;
  isOver: boolean;
}

const WHY = 'git-xmpp: what this device may do with the repository was changed there\n';

/** All git processes that serve peers. */
export class Serving {
  readonly #running = new Set<Running>();

  /** @param mayGoOn asked again whenever grants change; what may not even begin is ended at once */
  add(process: ServedProcess, mayGoOn: () => boolean): ServedProcess {
    const running: Running = { process, mayGoOn, isOver: false };
    this.#running.add(running);
    void process.exit.then(() => this.#running.delete(running));
    this.#check(running);
    return { ...process, stderrTail: () => (running.isOver ? WHY : '') + process.stderrTail() };
  }

  /** Grants have changed. */
  check(): void {
    for (const each of this.#running) this.#check(each);
  }

  #check(running: Running): void {
    if (running.isOver || running.mayGoOn()) return;
    running.isOver = true;
    running.process.kill();
  }
}
