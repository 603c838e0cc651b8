// A command and an agent of different versions: after an upgrade of the package, or where there are two installations (docs/git-xmpp.1).
// Rule: an agent whose program was replaced goes over to the new one before it is asked anything; any other is named, with what to do.

import { nap, realClock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import { isAgentAbsent } from '../control/client.ts';
import type { ControlClient } from '../control/client.ts';
import { say } from './out.ts';

/** What an agent takes to stop, and a little. */
const LET_GO_MS = 8_000;

export interface Meeting {
  /** This command's version. */
  readonly own: string;
  /** Starts an agent, and waits until it answers. */
  readonly restart: () => Promise<void>;
}

/** @throws Fault `agent` when none runs */
export async function meetAgent(client: ControlClient, meeting: Meeting): Promise<void> {
  const { own } = meeting;
  const running = await ask(client, 'GET', '/version');
  if (running?.['version'] === own) return;
  const answer = running === undefined ? undefined : await ask(client, 'POST', '/upgrade');
  if (answer?.['upgrade'] === 'now') return comeBack(client, meeting);
  const theirs = typeof running?.['version'] === 'string' ? `version ${running['version']}` : 'another version';
  if (answer?.['upgrade'] === 'busy') {
    return say(`the agent is still ${theirs}: it goes over to ${own} as soon as nothing is moving`);
  }
  const where = typeof running?.['program'] === 'string' ? ` (${running['program']})` : '';
  say(`the agent is ${theirs}${where}, this command is ${own}; "git xmpp daemon stop" ends it, and the next command starts its own`);
}

/** Undefined from an agent that does not know the question. */
async function ask(client: ControlClient, method: 'GET' | 'POST', path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const answer = await client.request(method, path);
    return typeof answer === 'object' && answer !== null ? { ...answer } : undefined;
  } catch (error) {
    if (isAgentAbsent(error)) throw error;
    if (!['wrong-use', 'bad-input'].includes(asFault(error, 'asking').code)) throw error;
    return undefined;
  }
}

/** Waits until the new one answers, and starts it where nothing does any more. */
async function comeBack(client: ControlClient, { own, restart }: Meeting): Promise<void> {
  say(`the agent goes over to version ${own}`);
  const until = realClock.now() + LET_GO_MS;
  while (realClock.now() < until) {
    try {
      if ((await ask(client, 'GET', '/version'))?.['version'] === own) return;
    } catch (error) {
      // One that goes away while it is asked is as good as gone.
      if (!isAgentAbsent(error) && asFault(error, 'asking').code !== 'agent') throw error;
      return restart();
    }
    await nap(10);
  }
  throw new Fault('timeout', 'the agent did not go over to the new version in time', { remedy: 'git xmpp daemon stop' });
}
