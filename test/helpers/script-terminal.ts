// A command in a terminal of its own (script(1)), of any width. Rule: what is read is what the terminal was sent, escapes and all.

import { stripVTControlCharacters } from 'node:util';
import type { Device, Ongoing } from './device.ts';

/** A command of `git xmpp` that runs in a terminal, and its process. */
export interface InTerminal extends Ongoing {
  /** Of the command itself, not of what holds the terminal. */
  readonly pid: Promise<number>;
  /** Resolves when the terminal is sent `text` from now on. */
  next(text: string): Promise<void>;
}

/** Starts `git xmpp <args>` in a terminal. */
export function startInTerminal(device: Device, args: readonly string[], { columns, env = {} }: { readonly columns: number; readonly env?: Record<string, string> }): InTerminal {
  const command = `stty cols ${columns} rows 40 && echo "pid $$" && exec git-xmpp ${args.join(' ')}`;
  const ongoing = device.start('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], { env: { TERM: 'xterm', ...env } });
  const pid = ongoing.line(/^pid \d+$/).then((line) => Number(line.slice('pid '.length)));
  const next = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      let sent = '';
      ongoing.child.stdout?.on('data', (part: Buffer) => {
        sent += part.toString();
        if (sent.includes(text)) resolve();
      });
      void ongoing.ended.then(() => reject(new Error(`ended before ${text}: ${sent}`)));
    });
  return { ...ongoing, pid, next };
}

/** Lines as they stand there, without what only gives them a look. */
export function seenIn(output: string): string[] {
  return stripVTControlCharacters(output).split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('pid '));
}
