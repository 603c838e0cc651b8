// Questions at the terminal. Rule: a secret is never echoed, never in an argument, and without a terminal nothing is asked; whoever interrupts a
// question ends the command, with the terminal as it was.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Fault } from '../lib/errors.ts';

/** As a shell says it of a program that SIGINT ended. */
export const INTERRUPTED = 130;

/** Whether somebody can be asked. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks for one line. @throws Fault `wrong-use` when the end of input comes instead */
export async function ask(question: string): Promise<string> {
  return (await askOn(process.stderr, question)).trim();
}

/** Asks for one line that is not shown. @throws Fault as `ask` */
export async function askSecret(question: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await askOn(silent, question);
  process.stderr.write('\n');
  return answer;
}

/** In raw mode Ctrl-C is a character, and it is ours to end the process; left alone, it would end as if all were well. */
async function askOn(echo: NodeJS.WritableStream, question: string): Promise<string> {
  // From here on the terminal is in raw mode; asked before, what is typed at once would be seen.
  const line = createInterface({ input: process.stdin, output: echo, terminal: true });
  try {
    return await new Promise<string>((resolve, reject) => {
      line.once('SIGINT', () => {
        line.close();
        process.stderr.write('\n');
        process.exit(INTERRUPTED);
      });
      line.once('close', () => reject(new Fault('wrong-use', 'nothing was typed, so nothing was done')));
      if (echo !== process.stderr) process.stderr.write(question);
      line.question(question).then(resolve, reject);
    });
  } finally {
    line.close();
  }
}

/** The first line of standard input, at most 8 KiB. @throws Fault `wrong-use` when there is none */
export async function readSecretLine(what: string): Promise<string> {
  let text = '';
  for await (const part of process.stdin) {
    text += String(part);
    if (text.includes('\n') || text.length > 8192) break;
  }
  const line = text.split('\n', 1)[0]?.replace(/\r$/, '') ?? '';
  if (line === '') throw new Fault('wrong-use', `no ${what} came on standard input`);
  return line;
}
