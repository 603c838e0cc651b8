// Lines of the agent's log for a person: which of them are wanted, and how they look. Rule: what belongs to a line stays with it, and nothing comes out that the
// log itself would have hidden.

import { LOG_LEVELS, redactLog } from '../lib/log.ts';
import type { LogLevel } from '../lib/log.ts';
import { clean } from '../lib/steering.ts';
import type { Style } from './cells-format.ts';

const LINE = /^(\d{4}-\d\d-\d\dT\S+Z) (debug|info|warn) /;

export interface LogLine {
  readonly text: string;
  readonly style?: Style;
}

/** Picks lines, one after another. */
export class LogPicker {
  readonly #least: LogLevel;
  #isKept = true;

  constructor(least: LogLevel) {
    this.#least = least;
  }

  /** @returns the line as it is shown, or undefined where it is not wanted. What has no level, as the last words of a process, belongs to the line before. */
  pick(line: string): LogLine | undefined {
    const level = LINE.exec(line)?.[2];
    if (level !== undefined) this.#isKept = LOG_LEVELS.findIndex((each) => each === level) >= LOG_LEVELS.indexOf(this.#least);
    if (!this.#isKept || line === '') return undefined;
    const text = clean(redactLog(line));
    return level === 'warn' ? { text, style: 'wait' } : level === 'debug' ? { text, style: 'faint' } : { text };
  }
}

/** The last `count` that are wanted of `text`. */
export function lastLines(text: string, picker: LogPicker, count: number): LogLine[] {
  const kept = text.split('\n').flatMap((line) => picker.pick(line) ?? []);
  return count === 0 ? [] : kept.slice(-count);
}
