// `git xmpp events` (docs/API.md, "Events"). Rule: with --json one object a line, as the agent gives it; whoever stops reading ends it quietly.

import type { AgentEvent } from '../agent/events.ts';
import { realClock } from '../lib/clock.ts';
import type { Door } from './door.ts';
import { formatTime, print } from './out.ts';

/** What happened lately; with `follow`, what happens from now on as well. */
export async function events(door: Door, options: { readonly json?: boolean; readonly follow?: boolean }): Promise<void> {
  for await (const event of door.lines<AgentEvent>('GET', options.follow === true ? '/events?follow=1' : '/events')) {
    if (options.json === true) print(JSON.stringify(event));
    else print(`${formatTime(event.at, realClock.now())}  ${event.type}  ${event.repo === undefined ? '' : `${event.repo}: `}${event.words}`);
  }
}
