// Questions at the terminal. Rule: a secret is never echoed, never in an argument, and without a terminal nothing is asked.

import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Fault } from '../lib/errors.ts';

/** Whether somebody can be asked. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks for one line. */
export async function ask(question: string): Promise<string> {
  const line = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await line.question(question)).trim();
  } finally {
    line.close();
  }
}

/** Asks for one line that is not shown. */
export async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await line.question('');
  } finally {
    line.close();
    process.stderr.write('\n');
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
