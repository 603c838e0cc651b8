// A process of several agents, each on a home of its own: nothing in src is a singleton. Rule: each agent is composed as `src/agent/main.ts` composes its
// one, but for the door and the lock, which belong to a process with one home.

import { realClock } from '../../src/lib/clock.ts';
import { asFault } from '../../src/lib/errors.ts';
import { createLog } from '../../src/lib/log.ts';
import type { Agent } from '../../src/agent/agent.ts';
import { composeAgent } from '../../src/agent/compose.ts';
import { boundHeap } from '../../src/agent/heap-growth.ts';
import { LogFile } from '../../src/home/log-file.ts';
import { findHome } from '../../src/home/paths.ts';
import type { FromHost, ToHost } from './host-words.ts';

const agents: Agent[] = [];

boundHeap();
process.on('message', (words: ToHost) => void act(words).then(say, (error: unknown) => say({ type: 'failed', why: asFault(error, words.type).message })));
process.on('disconnect', () => process.exit(1));
say({ type: 'ready' });

async function act(words: ToHost): Promise<FromHost> {
  switch (words.type) {
    case 'start':
      await startAgent(words);
      return { type: 'started' };
    case 'online': {
      const states = agents.map(({ parts }) => parts.account.answer().state);
      const heard = agents.map(({ parts }) => parts.peers.list().filter(({ device }) => parts.peering.contacts.isOnline(device)).length);
      return { type: 'online', signedIn: states.filter((state) => state === 'online').length, heard: heard.reduce((sum, each) => sum + each, 0) };
    }
    case 'stop':
      await Promise.all(agents.map((agent) => agent.stop()));
      return { type: 'stopped' };
  }
}

async function startAgent({ env, distDir }: Extract<ToHost, { readonly type: 'start' }>): Promise<void> {
  const home = findHome(env);
  const file = new LogFile(home.log);
  const log = createLog((line) => file.write(line), () => 'info', () => realClock.now());
  const agent = await composeAgent({ home, env, log, distDir, debug: undefined });
  agents.push(agent);
  await agent.start();
}

function say(words: FromHost): void {
  process.send?.(words);
}
