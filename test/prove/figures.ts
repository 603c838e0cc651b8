// What of a part's output stands in the report. Rule: bounded, whatever is printed; a failure is named, however much was printed after it.

import { stripVTControlCharacters } from 'node:util';

/** Of a part that failed: what named a failure, and the end. */
const NAMED_LINES = 20;
const LAST_LINES = 40;
/** A spec of vitest, and the words of the other parts. */
const IS_FAILURE = /^\s*(?:×|(?:FAIL|WRONG|NOT CAUGHT|NOT BROKEN)\b)/;

/** Hears the output as it comes. */
export class Figures {
  readonly #leftOut: string;
  readonly #named: string[] = [];
  #last: string[] = [];
  #rest = '';

  /** @param leftOut a line that holds it is left out: it names a temporary file, which says nothing on another machine */
  constructor(leftOut: string) {
    this.#leftOut = leftOut;
  }

  hear(part: string): void {
    const lines = (this.#rest + part).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#hearLine(stripVTControlCharacters(line));
  }

  /** The last lines. */
  last(count: number): string[] {
    this.#flush();
    return this.#last.slice(-count);
  }

  /** What failed by name, then the last lines; none of them twice. */
  ofFailure(): string[] {
    this.#flush();
    return [...this.#named.filter((line) => !this.#last.includes(line)), ...this.#last];
  }

  #flush(): void {
    if (this.#rest !== '') this.hear('\n');
  }

  #hearLine(line: string): void {
    if (line.trim() === '' || line.includes(this.#leftOut)) return;
    if (IS_FAILURE.test(line) && this.#named.length < NAMED_LINES) this.#named.push(line);
    this.#last = [...this.#last, line].slice(-LAST_LINES);
  }
}
