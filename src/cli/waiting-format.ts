// What a command says while it waits. Rule: it names what is waited for, and at a sync what still moves.

import type { StatusAnswer } from '../agent/answers.ts';
import { movingLine, verbOf } from './moving-format.ts';
import type { Look } from './moving-format.ts';

/** Of a question to the agent's door. */
export function waitingFor(method: string, path: string): string {
  const [route = '', query = ''] = path.split('?');
  const peer = new URLSearchParams(query).get('peer');
  if (route === '/repos' && peer !== null) return `asking ${peer} what it shares`;
  return WORDS[`${method} ${route}`] ?? 'waiting for the agent';
}

const WORDS: Readonly<Record<string, string>> = {
  'POST /login': 'signing in',
  'POST /logout': 'saying goodbye to the other devices',
  'POST /pair': 'asking the server for a place where the other device finds this one',
  'POST /pair/join': 'waiting for the device that shows the code',
  'POST /clone': 'joining the repository of the other device',
  'POST /share': 'asking your other devices whether they share it already',
  'POST /sync': 'comparing with the other devices',
  'GET /log': 'reading what moved',
  'GET /status': 'looking at the repositories',
};

/** What a sync waits for now. */
export function syncing({ repos, account }: StatusAnswer, look: Look): string {
  if (account.state === 'connecting') return 'signing in';
  for (const { name, peers } of repos) {
    for (const { peer, moving } of peers) {
      const [first] = moving;
      if (first === undefined) continue;
      const words = first.direction === 'up' ? `${verbOf(first)} ${name} to ${peer}` : `${verbOf(first)} ${name} from ${peer}`;
      return movingLine(words, first, look);
    }
  }
  const busy = repos.flatMap(({ name, peers }) => peers.filter(({ state }) => state.startsWith('sending')).map(({ peer }) => `${peer} takes in ${name}`));
  const hubs = repos.flatMap(({ name, hubs: all = [] }) => all.filter(({ isBusy }) => isBusy).map((hub) => `asking ${hub.name} for ${name}`));
  return [...busy, ...hubs][0] ?? 'comparing with the other devices';
}
