// `git xmpp daemon start | stop | status | run`. Rule: one agent on one home; stopping waits until it has let go of everything.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { delay, realClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { AccountAnswer } from '../agent/answers.ts';
import type { Door, World } from './door.ts';
import { print, say } from './out.ts';
import { describeState } from './words-format.ts';

const STOP_DEADLINE_MS = 10_000;

export async function daemon(door: Door, world: World, word: string): Promise<void> {
  switch (word) {
    case 'start':
      if (!(await door.isRunning())) await door.start();
      return say(`the agent runs on ${door.home.dir}`);
    case 'stop':
      return stop(door);
    case 'status':
      return tellStatus(door);
    case 'run':
      await import(pathToFileURL(join(world.distDir, 'agent.mjs')).href);
      return;
    default:
      throw new Fault('wrong-use', `"${word}" is none of start, stop, status and run`);
  }
}

async function stop(door: Door): Promise<void> {
  if (!(await door.isRunning())) return say('no agent runs');
  await door.askRunning('POST', '/stop');
  const until = realClock.now() + STOP_DEADLINE_MS;
  const alive = setInterval(() => undefined, 1_000);
  try {
    while (await door.isRunning()) {
      if (realClock.now() > until) throw new Fault('timeout', 'the agent did not stop in time');
      await delay(25, realClock);
    }
  } finally {
    clearInterval(alive);
  }
  say('the agent has stopped');
}

async function tellStatus(door: Door): Promise<void> {
  if (!(await door.isRunning())) {
    print('stopped');
    throw new Fault('agent', 'no agent runs', { remedy: 'git xmpp daemon start' });
  }
  print(`running  ${describeState(await door.ask<AccountAnswer>('GET', '/account'))}`);
}
