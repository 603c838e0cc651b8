// A terminal that is drawn over again and again: the other screen of xterm's (ctlseqs, "Alt Screen"), which is left as it was found. Rule: whatever ends the
// process, and while it is stopped by Ctrl-Z, the terminal is the person's own.

import type { Row } from './cells-format.ts';
import { fitRows } from './watch-format.ts';
import { paint } from './terminal.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const TO_LINE_END = '\u001b[K';
const TO_SCREEN_END = '\u001b[J';

export class Screen {
  readonly #out: NodeJS.WriteStream;
  readonly #onChange: () => void;
  #isEntered = false;
  readonly #leave = (): void => {
    if (this.#isEntered) this.#out.write(LEAVE);
    this.#isEntered = false;
  };
  readonly #stop = (): void => {
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  };
  readonly #goOn = (): void => {
    this.#enter();
    this.#onChange();
  };

  /** @param onChange it has another size, or has to be drawn anew */
  constructor(out: NodeJS.WriteStream, onChange: () => void) {
    this.#out = out;
    this.#onChange = onChange;
    this.#enter();
    out.on('resize', onChange);
    process.on('exit', this.#leave);
    // Windows has no such signals, and refuses to hear of them.
    if (process.platform === 'win32') return;
    process.on('SIGTSTP', this.#stop);
    process.on('SIGCONT', this.#goOn);
  }

  /** In one write, so that nothing half drawn is seen; not at all while the terminal still takes in what was written. */
  draw(rows: readonly Row[], isColoured: boolean): void {
    if (!this.#isEntered || this.#out.writableNeedDrain) return;
    const shown = fitRows(rows, this.#out.rows > 0 ? this.#out.rows : rows.length);
    this.#out.write(HOME + shown.map((row) => paint(row, isColoured) + TO_LINE_END).join('\r\n') + TO_SCREEN_END);
  }

  close(): void {
    this.#out.off('resize', this.#onChange);
    process.off('exit', this.#leave);
    process.off('SIGTSTP', this.#stop);
    process.off('SIGCONT', this.#goOn);
    this.#leave();
  }

  #enter(): void {
    if (!this.#isEntered) this.#out.write(ENTER);
    this.#isEntered = true;
  }
}
