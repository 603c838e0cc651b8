// `git xmpp log`: what moved by itself, newest first, and what a move left behind (docs/git-xmpp.1). Rule: one line for each, and the
// command that gets back what was left.

import { resolve } from 'node:path';
import type { LogAnswer, LogEntry } from '../agent/repo-log.ts';
import { realClock } from '../lib/clock.ts';
import type { Door } from './door.ts';
import { formatTime, print, say, table } from './out.ts';

export async function log(door: Door, path: string, options: { readonly json?: boolean }): Promise<void> {
  const answer = await door.ask<LogAnswer>('GET', `/log?path=${encodeURIComponent(resolve(path))}`);
  if (options.json === true) return print(JSON.stringify(answer, null, 2));
  if (answer.entries.length === 0) return say(`nothing has moved by itself in ${answer.name} yet`);
  for (const line of table(answer.entries.map(rowOf))) print(line);
}

function rowOf({ at, branch, how, from, to, back }: LogEntry): string[] {
  const range = [from, to].map((oid) => oid?.slice(0, 7) ?? '').join('..');
  return [at === undefined ? '' : formatTime(at, realClock.now()), branch, how, range, ...(back === undefined ? [] : [`was left; get it back: ${back}`])];
}
