// A command on a terminal, with a person before it. Rule: a real terminal, by Python's pty, of as many columns as asked for.

import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Device } from './device.ts';

const PROGRAM = path.join(import.meta.dirname, '../fixtures/programs/terminal.py');
const PATIENCE_MS = 30_000;

/** How a command on a terminal ended. */
export interface TerminalEnd {
  /** `code 130`, `signal 2`. */
  readonly how: string;
  readonly isEchoing: boolean;
  /** All that was shown. */
  readonly shown: string;
}

export interface Terminal {
  /** The command has the terminal: what is typed reaches it. */
  readonly started: Promise<void>;
  /** Waits until that is shown, from what was shown last on. */
  see(pattern: RegExp): Promise<void>;
  type(keys: string): void;
  readonly ended: Promise<TerminalEnd>;
}

/** What a person presses to interrupt, and to end the input. */
export const CTRL_C = '\u0003';
export const CTRL_D = '\u0004';

/** Runs `git-xmpp`, or another command, on a terminal. */
export function onTerminal(device: Device, words: readonly string[], { columns = 80, command = 'git-xmpp' } = {}): Terminal {
  const child = spawn('python3', [PROGRAM, String(columns), command, ...words], { cwd: device.dir, env: { ...device.env, TERM: 'xterm' }, stdio: ['pipe', 'pipe', 'inherit'] });
  let shown = '';
  let seen = 0;
  const waiting = new Set<() => void>();
  child.stdout.on('data', (part: Buffer) => {
    shown += part.toString();
    for (const look of waiting) look();
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<TerminalEnd>((resolve, reject) => {
    const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child.once('close', () => {
      clearTimeout(late);
      const [, how, echo] = /\[ended by (.*), echo (on|off)\]\n$/.exec(shown) ?? [];
      if (how === undefined) reject(new Error(`${words.join(' ')} did not end in time: ${shown}`));
      else resolve({ how, isEchoing: echo === 'on', shown });
    });
  });
  ended.catch(() => undefined);
  const see = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(shown.slice(seen));
        if (found === null) return;
        seen += found.index + found[0].length;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
      void ended.then((end) => reject(new Error(`ended by ${end.how} before ${pattern}: ${end.shown}`)), reject);
    });
  const started = see(/\[on the terminal\]/);
  started.catch(() => undefined);
  return { started, see, type: (keys) => void child.stdin.write(keys), ended };
}
