// `git xmpp log`: what moved by itself, newest first, and what a move left behind; with --agent or --stanzas, what the agent tells of itself (docs/git-xmpp.1).
// Rule: one line for each, and the command that gets back what was left.

import { resolve } from 'node:path';
import type { LogAnswer, LogEntry } from '../agent/repo-log.ts';
import { realClock } from '../lib/clock.ts';
import type { Door } from './door.ts';
import type { StanzaLine } from '../agent/stanzas.ts';
import { Fault } from '../lib/errors.ts';
import { agentLog } from './agent-log.ts';
import type { AgentLogOptions } from './agent-log.ts';
import { formatTime, print, say, table } from './out.ts';

export interface LogOptions extends AgentLogOptions {
  readonly json?: boolean;
  readonly agent?: boolean;
  readonly stanzas?: boolean;
}

/** @param path of a repository; undefined for the one at `here` */
export async function log(door: Door, { path, here }: { readonly path: string | undefined; readonly here: string }, options: LogOptions): Promise<void> {
  const { agent, stanzas, follow, level, lines, json } = options;
  if (agent !== true && (follow ?? level ?? lines) !== undefined) throw new Fault('wrong-use', '--follow, --level and --lines are for --agent', { remedy: 'git xmpp help log' });
  if ((agent === true || stanzas === true) && (path !== undefined || json === true)) {
    throw new Fault('wrong-use', 'the agent has one log, of all repositories and of text', { remedy: 'git xmpp help log' });
  }
  if (stanzas === true) return showStanzas(door);
  return agent === true ? agentLog(door, options) : repoLog(door, path ?? here, json === true);
}

/** As `daemon run --debug` does: on stderr, in and out, until Ctrl-C. */
async function showStanzas(door: Door): Promise<void> {
  say('stanzas of the agent, without secrets and payloads; Ctrl-C ends');
  for await (const { text } of door.lines<StanzaLine>('GET', '/stanzas')) say(text);
}

async function repoLog(door: Door, path: string, isJson: boolean): Promise<void> {
  const answer = await door.ask<LogAnswer>('GET', `/log?path=${encodeURIComponent(resolve(path))}`);
  if (isJson) return print(JSON.stringify(answer, null, 2));
  if (answer.entries.length === 0) return say(`nothing has moved by itself in ${answer.name} yet`);
  for (const line of table(answer.entries.map(rowOf))) print(line);
}

function rowOf({ at, branch, how, from, to, back }: LogEntry): string[] {
  const range = [from, to].map((oid) => oid?.slice(0, 7) ?? '').join('..');
  return [at === undefined ? '' : formatTime(at, realClock.now()), branch, how, range, ...(back === undefined ? [] : [`was left; get it back: ${back}`])];
}
