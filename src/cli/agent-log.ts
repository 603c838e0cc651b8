// `git xmpp log --agent`: what the agent wrote down of itself. Rule: read from its files, so that it can be read when no agent runs, and by nobody but their owner;
// a follower misses nothing when one file takes the place of the other.

import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { Fault } from '../lib/errors.ts';
import { nap } from '../lib/clock.ts';
import { olderLog } from '../home/log-file.ts';
import { parseLogLevel } from '../home/settings-format.ts';
import { lastLines, LogPicker } from './agent-log-format.ts';
import type { LogLine } from './agent-log-format.ts';
import type { Door } from './door.ts';
import { print, say } from './out.ts';
import { hasColour, paint } from './terminal.ts';

const DEFAULT_LINES = 100;
const LOOK_EVERY_MS = 250;
const CHUNK_BYTES = 256 * 1024;

export interface AgentLogOptions {
  readonly follow?: boolean;
  readonly level?: string;
  readonly lines?: string;
}

/** The last lines of the log; with `follow` those to come, too, until `signal`, or for ever. */
export async function agentLog({ home }: Pick<Door, 'home'>, options: AgentLogOptions, signal?: AbortSignal): Promise<void> {
  const picker = new LogPicker(options.level === undefined ? 'debug' : parseLogLevel('--level', options.level));
  const count = parseCount(options.lines);
  if (!existsSync(home.log) && options.follow !== true) return say(`no agent has written a log yet; it will be ${home.log}`);
  const tail = new Tail(home.log);
  const before = existsSync(olderLog(home.log)) ? readFileSync(olderLog(home.log), 'utf8') : '';
  const last = lastLines(before + tail.read(), picker, count);
  if (last.length === 0 && options.follow !== true) return say('the log of the agent holds nothing of that');
  for (const line of last) show(line);
  const isWanted = (): boolean => options.follow === true && signal?.aborted !== true;
  while (isWanted()) {
    await nap(LOOK_EVERY_MS);
    for (const line of tail.read().split('\n')) show(picker.pick(line));
  }
}

function show(line: LogLine | undefined): void {
  if (line !== undefined) print(paint([line], hasColour(process.stdout)));
}

function parseCount(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LINES;
  if (!/^(?:0|[1-9]\d{0,8})$/.test(text)) throw new Fault('wrong-use', `--lines ${text.slice(0, 40)} is no number of lines`);
  return Number(text);
}

/** Reads a file that grows, whole lines only. */
class Tail {
  readonly #path: string;
  #offset = 0;
  #ino = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** What is new, to the end of the last whole line. */
  read(): string {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there === undefined) return '';
    let text = '';
    // Emptied: its end is in the file before.
    if (this.#ino === there.ino && there.size < this.#offset) text += this.#from(olderLog(this.#path));
    if (this.#ino !== there.ino || there.size < this.#offset) this.#offset = 0;
    this.#ino = there.ino;
    text += this.#from(this.#path);
    const end = text.lastIndexOf('\n') + 1;
    const whole = this.#rest + text.slice(0, end);
    if (end === 0) this.#rest += text;
    else this.#rest = text.slice(end);
    return end === 0 ? '' : whole;
  }

  #from(path: string): string {
    if (!existsSync(path)) return '';
    const fd = openSync(path, 'r');
    try {
      const parts: Buffer[] = [];
      const until = fstatSync(fd).size;
      while (this.#offset < until) {
        const part = Buffer.alloc(Math.min(CHUNK_BYTES, until - this.#offset));
        const length = readSync(fd, part, 0, part.length, this.#offset);
        if (length === 0) break;
        parts.push(part.subarray(0, length));
        this.#offset += length;
      }
      return Buffer.concat(parts).toString('utf8');
    } finally {
      closeSync(fd);
    }
  }
}
