// `git xmpp`, `git xmpp status`. Rule: what is asked is shown as status-format.ts says, at the width of the terminal, or as JSON.

import type { StatusAnswer } from '../agent/answers.ts';
import { plain, wrap } from './cells-format.ts';
import type { Piece } from './cells-format.ts';
import type { Door } from './door.ts';
import { print, say } from './out.ts';
import { completeStatus } from './older-format.ts';
import { formatStatus, nextCommand } from './status-format.ts';
import { hasColour, lookOf, paint, widthOf } from './terminal.ts';

export interface StatusOptions {
  readonly json?: boolean;
  readonly watch?: boolean;
}

/** Account, peers, repositories, what moves and what waits; with `watch` until it is ended. */
export async function status(door: Door, options: StatusOptions): Promise<void> {
  const answer = await door.ask<StatusAnswer>('GET', '/status');
  if (options.watch === true) return (await import('./watch.ts')).watchStatus(door, answer, { isJson: options.json === true });
  if (options.json === true) return print(JSON.stringify(answer, null, 2));
  show(completeStatus(answer));
}

function show(answer: StatusAnswer): void {
  const isColoured = hasColour(process.stdout);
  for (const row of formatStatus(answer, lookOf(process.stdout))) print(paint(row, isColoured));
}

/** The status, and the next command to type. */
export async function overview(door: Door): Promise<void> {
  const answer = completeStatus(await door.ask<StatusAnswer>('GET', '/status'));
  show(answer);
  const next: Piece[] = [{ text: `next: ${nextCommand(answer)}` }];
  for (const row of wrap(next, { width: widthOf(process.stderr), indent: 0, hang: 6 })) say(plain(row));
}
