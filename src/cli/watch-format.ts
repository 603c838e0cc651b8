// What `git xmpp status --watch` shows, and when it looks again. Rule: an agent that is away is said first, and what was known of it is shown as old.

import type { StatusAnswer } from '../agent/answers.ts';
import { wrap } from './cells-format.ts';
import type { Row } from './cells-format.ts';
import { completeStatus } from './older-format.ts';
import { formatStatus } from './status-format.ts';
import type { StatusLook } from './status-format.ts';
import { formatTime } from './text-format.ts';

/** What is known: the last answer, and since when there is none. */
export interface Watched {
  readonly answer: StatusAnswer;
  readonly gone?: { readonly since: number; readonly message: string; readonly remedy?: string };
}

/** While something moves, a person looks at it. */
const MOVING_MS = 500;
/** Else the events of the agent say when; this is for what no event tells, such as a delay. */
const IDLE_MS = 5_000;
const GONE_MS = 1_000;

/** Milliseconds until the next look, if nothing happens before: what took long is asked more seldom, ten times as long as that at least. */
export function lookAgainMs({ answer, gone }: Watched, tookMs: number): number {
  if (gone !== undefined) return GONE_MS;
  const isMoving = completeStatus(answer).repos.some(({ peers, hubs = [] }) => peers.some(({ moving }) => moving.length > 0) || hubs.some(({ isBusy }) => isBusy));
  return Math.max(isMoving ? MOVING_MS : IDLE_MS, 10 * tookMs);
}

/** A title with the time, and the status. */
export function frameRows({ answer, gone }: Watched, look: StatusLook): Row[] {
  const { width, now } = look;
  const time = new Date(now).toTimeString().slice(0, 8);
  const title = wrap([{ text: `git xmpp status  ${time}  (Ctrl-C ends)`, style: 'faint' }], { width, indent: 0, hang: 2 });
  if (gone === undefined) return [...title, ...formatStatus(completeStatus(answer), look)];
  const { since, message, remedy } = gone;
  const told = wrap([{ text: `since ${formatTime(since, now)}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`, style: 'bad' }], { width, indent: 0, hang: 2 });
  const old = formatStatus(completeStatus(answer), look).map((row): Row => row.map(({ text }) => ({ text, style: 'faint' })));
  return [...title, ...told, [{ text: 'as it was then:', style: 'faint' }], ...old];
}

/** As many rows as a terminal has, and how many more there are. */
export function fitRows(rows: readonly Row[], height: number): readonly Row[] {
  if (rows.length <= height) return rows;
  const shown = Math.max(0, height - 1);
  return [...rows.slice(0, shown), [{ text: `… ${rows.length - shown} more lines`, style: 'faint' }]];
}
