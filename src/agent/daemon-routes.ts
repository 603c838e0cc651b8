// The door's routes for programs that drive `git xmpp remotedaemon` (docs/API.md, "remotedaemon"). Rule: a session is a request that lasts, and what is asked
// names it: with the request ends all that the program holds.

import { randomUUID } from 'node:crypto';
import { Fault, InputFault } from '../lib/errors.ts';
import { parseConsumed } from '../control/remotedaemon-format.ts';
import type { Consumed } from '../control/remotedaemon-format.ts';
import type { DaemonLine } from '../control/remotedaemon-machine.ts';
import type { Routes } from '../control/server.ts';
import type { Agent } from './agent.ts';
import { DaemonSession } from './daemon-session.ts';
import { json, parsePath, take } from './routing.ts';

const MAX_SESSIONS = 64;

export function makeDaemonRoutes(agent: Agent): Routes {
  const sessions = new Map<string, DaemonSession>();
  async function* session(path: string, signal: AbortSignal): AsyncGenerator<DaemonLine, void> {
    const shared = await agent.shared(path);
    if (sessions.size >= MAX_SESSIONS) throw new Fault('throttled', `${MAX_SESSIONS} programs drive this agent already`);
    const made = new DaemonSession(randomUUID(), shared, agent.parts);
    sessions.set(made.id, made);
    try {
      yield* made.lines(signal);
    } finally {
      sessions.delete(made.id);
    }
  }
  return {
    'GET /remotedaemon': { kind: 'lines', answer: ({ query, signal }) => session(parsePath(query.get('path') ?? ''), signal) },
    'POST /remotedaemon': json(({ body }) => {
      const { id, asked } = take(body, (fields) => ({ id: fields.text('session', String), asked: fields.text('message', parseMessage) }));
      const found = sessions.get(id);
      if (found === undefined) throw new InputFault('session', 'has ended, or never was');
      return found.obey(asked);
    }),
  };
}

/** STOP ends the request, and is nothing to ask. */
function parseMessage(text: string): Consumed {
  const message = parseConsumed(text);
  if (message.type === 'STOP') throw new InputFault('STOP', 'ends the request itself');
  return message;
}
