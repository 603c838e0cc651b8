// Starting the agent, and waiting until it answers: by its service where one is installed, else in the background. Rule: never beside the service;
// one that does not come up is explained in its own last words.

import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readFileSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nap, realClock } from '../lib/clock.ts';
import { asFault, Fault, messageOf, parseFaultLines } from '../lib/errors.ts';
import type { Home } from '../home/paths.ts';
import { findService } from '../home/service.ts';
import type { Service } from '../home/service.ts';
import { ALREADY_RUNNING, BACKGROUND } from '../home/service-format.ts';
import type { World } from './door.ts';
import { say } from './out.ts';

const START_DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 25;
/** A manager of services is asked less often. */
const ASK_EVERY_MS = 500;

export interface StartParts {
  readonly home: Home;
  readonly world: World;
  /** Whether an agent answers on this home. */
  readonly isRunning: () => Promise<boolean>;
}

/** @throws Fault why it did not come up */
export async function startAgent(parts: StartParts): Promise<void> {
  const service = findService(parts.home, parts.world.env);
  if (service.isInstalled && (await startService(service, parts))) return;
  await startInBackground(parts);
}

/** @returns false where its manager cannot be reached */
async function startService(service: Service, { home, isRunning }: StartParts): Promise<boolean> {
  if ((await service.start()) === 'unreachable') {
    say(`the service ${service.name} is installed, and what manages it does not answer: the agent is started without it`);
    return false;
  }
  const isUp = await waitUnless(async () => (await service.state()).isFailing, ASK_EVERY_MS, isRunning);
  if (!isUp) throw explain(home, (await service.lastLines()).join('\n'), `its last words: ${service.logCommand}`);
  return true;
}

async function startInBackground({ home, world, isRunning }: StartParts): Promise<void> {
  const log = openLog(home);
  const { size } = fstatSync(log);
  const { NODE_EXTRA_CA_CERTS: _costly, ...env } = world.env;
  const agent = spawn(process.execPath, [join(world.distDir, 'agent.mjs'), BACKGROUND], {
    detached: true,
    cwd: '/',
    env: { ...env, GIT_XMPP_HOME: home.dir },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let code: number | undefined;
  agent.once('exit', (exit) => (code = exit ?? 1)).once('error', () => (code = 127));
  agent.unref();
  // A second starter loses the lock and ends; the first one's agent still comes up, so one more look decides.
  const isUp = await waitUnless(() => code !== undefined && code !== ALREADY_RUNNING, LOOK_EVERY_MS, isRunning);
  if (!isUp) throw explain(home, readFileSync(home.log).subarray(size).toString('utf8'), `its last words are in ${home.log}`);
}

/** Beside the agent itself the log is the only thing that a command writes in the home. @throws Fault `permissions`, `disk-full`, `bad-config` */
function openLog({ dir, log }: Home): number {
  try {
    mkdirSync(dirname(log), { recursive: true, mode: 0o700 });
    return openSync(log, 'a', 0o600);
  } catch (error) {
    throw unusable(dir, error);
  }
}

/** Why nothing can be written in the home. */
function unusable(dir: string, error: unknown): Fault {
  const fault = asFault(mayNotWrite(dir) ?? error, `writing in the home ${dir}`);
  if (fault.code === 'disk-full') return fault;
  const code = fault.code === 'permissions' ? fault.code : 'bad-config';
  const remedy = `make ${dir} a folder that you may write to, or set GIT_XMPP_HOME to one`;
  return new Fault(code, `the home cannot be used: ${messageOf(fault.cause ?? error)}`, { remedy, cause: error });
}

/** Of a folder that cannot be made, Node says only that it is not there; the nearest one that is there tells more. */
function mayNotWrite(dir: string): unknown {
  const nearest = existsSync(dir) || dirname(dir) === dir ? dir : undefined;
  if (nearest === undefined) return mayNotWrite(dirname(dir));
  try {
    accessSync(nearest, constants.W_OK);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Waits until the agent answers. @returns false once it has ended, or is late */
async function waitUnless(hasEnded: () => boolean | Promise<boolean>, askEveryMs: number, isRunning: () => Promise<boolean>): Promise<boolean> {
  const until = realClock.now() + START_DEADLINE_MS;
  let nextAsk = realClock.now() + askEveryMs;
  while (realClock.now() < until) {
    if (await isRunning()) return true;
    if (realClock.now() >= nextAsk) {
      if (await hasEnded()) return isRunning();
      nextAsk = realClock.now() + askEveryMs;
    }
    await nap(LOOK_EVERY_MS);
  }
  return false;
}

/** Why the agent did not come up. @param where to read on when it said nothing */
function explain(home: Home, words: string, where: string): Fault {
  const said = parseFaultLines(words);
  if (said !== undefined) return new Fault(said.code, `the agent could not be started: ${said.message}`, said);
  // On a full disk not even the log takes its last words.
  if (statfsSync(home.dir).bavail > 0) return new Fault('agent', 'the agent could not be started', { remedy: where });
  return new Fault('disk-full', `the agent could not be started: no space is left on the disk of ${home.dir}`, { remedy: 'free some space, then try again' });
}
