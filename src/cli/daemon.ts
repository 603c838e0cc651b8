// `git xmpp daemon start | stop | status | run`. Rule: one agent on one home; stopping waits until it has let go of everything, and lets a service
// begin anew only when somebody asks for it.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nap, realClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { AccountAnswer } from '../agent/answers.ts';
import { findService } from '../home/service.ts';
import type { Door, World } from './door.ts';
import { print, say } from './out.ts';
import { telling } from './progress.ts';
import { describeState } from './words-format.ts';

const STOP_DEADLINE_MS = 10_000;

export async function daemon(door: Door, world: World, word: string): Promise<void> {
  switch (word) {
    case 'start':
      if (!(await door.isRunning())) await door.start();
      return say(`the agent runs on ${door.home.dir}`);
    case 'stop':
      return stop(door, world);
    case 'status':
      return tellStatus(door);
    case 'run':
      await import(pathToFileURL(join(world.distDir, 'agent.mjs')).href);
      return;
    default:
      throw new Fault('wrong-use', `"${word}" is none of start, stop, status and run`);
  }
}

async function stop(door: Door, world: World): Promise<void> {
  if (!(await door.isRunning())) return say('no agent runs');
  await stopAgent(door);
  const { isInstalled } = findService(door.home, world.env);
  say(`the agent has stopped${isInstalled ? '; the next command that needs it, or the next sign-in, starts its service again' : ''}`);
}

/** Asks the agent to stop, and waits until it has let go. @throws Fault `timeout` */
export async function stopAgent(door: Door): Promise<void> {
  await door.askRunning('POST', '/stop');
  await telling('the agent lets go of everything', untilStopped(door));
}

/** Resolves when an agent that was told to stop has let go of its home. @throws Fault `timeout` */
export async function untilStopped(door: Door): Promise<void> {
  const until = realClock.now() + STOP_DEADLINE_MS;
  while (await door.isRunning()) {
    if (realClock.now() > until) throw new Fault('timeout', 'the agent did not stop in time');
    await nap(25);
  }
}

async function tellStatus(door: Door): Promise<void> {
  if (!(await door.isRunning())) {
    print('stopped');
    throw new Fault('agent', 'no agent runs', { remedy: 'git xmpp daemon start' });
  }
  print(`running  ${describeState(await door.ask<AccountAnswer>('GET', '/account'))}`);
}
