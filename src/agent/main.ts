// The agent's process: one home, one lock, one door. Rule: it ends on a signal or when asked, lets go of everything, and never dies of
// an error in one part.

import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asFault, formatFaultLines } from '../lib/errors.ts';
import { realClock } from '../lib/clock.ts';
import { createLog } from '../lib/log.ts';
import { startControl } from '../control/server.ts';
import { acquireLock } from '../home/lock.ts';
import { LogFile } from '../home/log-file.ts';
import { findHome, prepareHome } from '../home/paths.ts';
import type { Agent } from './agent.ts';
import { composeAgent } from './compose.ts';
import { boundHeap } from './heap-growth.ts';
import { LogLevelNow } from './log-level.ts';
import { handOver, logWriter, markOf, startedBy } from './process.ts';
import { makeRoutes } from './routes.ts';
import { countUnderWay } from './under-way.ts';
import { UpgradeWatch } from './upgrade.ts';
import { makeUpgradeRoutes } from './upgrade-routes.ts';

export { examination } from './doctor.ts';

const STOP_GRACE_MS = 5_000;
/** Bytes a second, both ways, above what links say to stay alive. */
const MOVING_RATE = 1_000;

async function main(): Promise<void> {
  // A log that nobody takes any more (the journal's end went away) is no reason to end.
  process.stderr.on('error', () => undefined);
  boundHeap();
  const { env } = process;
  const isDebug = env['GIT_XMPP_DEBUG'] === '1';
  const home = findHome(env);
  await prepareHome(home);
  const lock = await acquireLock(home.lock);
  const level = new LogLevelNow(isDebug);
  const log = createLog(logWriter(env, new LogFile(home.log)), () => level.level, () => realClock.now());
  // One part's mistake must not take the others down; it is told, and the rest goes on.
  process.on('unhandledRejection', (error) => log.warn('unhandled', { why: asFault(error, 'unhandled').message }));
  // A child that found no descriptor says so once more, after whoever started it was told by run.ts and has let it go.
  process.on('uncaughtException', (error) => {
    if (asFault(error, 'starting a program').code !== 'too-many-files') throw error;
    log.warn('not started', { why: 'too many files are open' });
  });
  const debug = isDebug ? (text: string): void => void process.stderr.write(`${text}\n`) : undefined;
  const program = fileURLToPath(import.meta.url);
  const agent = await composeAgent({ home, env, log, distDir: dirname(program), debug });
  level.follow(agent.parts.settings, realClock);
  let isStopping = false;
  const stop = (end: () => void = () => process.exit(0)): void => {
    if (isStopping) return;
    isStopping = true;
    log.info('stopping');
    realClock.setTimer(STOP_GRACE_MS, end);
    upgrade.stop();
    void agent
      .stop()
      .then(() => control.stop())
      .then(() => lock.release())
      .finally(end);
  };
  const door = countUnderWay(makeRoutes(agent, () => void setImmediate(stop)));
  const upgrade = watchProgram(agent, { isAsked: () => door.count() > 0, endBy: stop });
  await upgrade.start();
  const version = process.env['GIT_XMPP_VERSION'] ?? 'unbuilt';
  log.info('started', { version, node: process.version, by: startedBy(process.argv) });
  const routes = { ...door.routes, ...makeUpgradeRoutes({ version, program }, upgrade) };
  const control = await startControl({ socketPath: home.socket, home: home.dir, routes, version, log: log.scope('door') });
  process.once('SIGTERM', () => stop());
  process.once('SIGINT', () => stop());
  await agent.start();
}

/** Goes over to a newer program by itself; in the foreground, whoever looks on is told. */
function watchProgram(agent: Agent, parts: { readonly isAsked: () => boolean; readonly endBy: (last: () => void) => void }): UpgradeWatch {
  const by = startedBy(process.argv);
  const mayEnd = by !== 'foreground';
  const { events, peers, peering } = agent.parts;
  const isMoving = (): boolean => peers.list().some(({ device }) => peering.linkStats(device).some(({ up, down }) => up + down > MOVING_RATE));
  return new UpgradeWatch({
    look: () => markOf(process.argv[1] ?? ''),
    mayEnd,
    isBusy: () => parts.isAsked() || isMoving(),
    onUpgrade: () => {
      events.emit({ type: 'upgraded', words: `git-xmpp was upgraded: ${mayEnd ? 'the agent starts again' : 'end this agent, and run it again'}` });
      if (mayEnd) parts.endBy(() => handOver(by));
    },
    clock: realClock,
  });
}

// The doctor takes its examination out of the same file, as `agent.mjs?examine`, and runs no agent.
const isAgent = new URL(import.meta.url).search !== '?examine';
if (isAgent) main().catch((error: unknown) => {
  const fault = asFault(error, 'starting the agent');
  // In the form of every command's last words: whoever started the agent finds them at the end of its log.
  process.stderr.write(`${formatFaultLines(fault).join('\n')}\n`);
  process.exit(fault.exitCode);
});
