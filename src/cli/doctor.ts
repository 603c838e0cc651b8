// `git xmpp doctor`: every link of the chain tried, and said in one line (docs/git-xmpp.1). Rule: it comes to its end whatever is broken, the agent included; what
// it tried is printed as it is known; exit code 1 says that something is broken.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isAgentAbsent } from '../control/client.ts';
import { realClock, withDeadline } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import { judgeAgent, judgePeer, judgeRepository } from '../agent/doctor-agent-format.ts';
import { broken, notTried } from '../agent/doctor-format.ts';
import type { Check } from '../agent/doctor-format.ts';
import type { DoctorLine } from '../agent/doctor-routes.ts';
import type { AgentFacts, Examination, examination as makeExamination } from '../agent/doctor.ts';
import { makeBundle } from './bundle.ts';
import type { Door, World } from './door.ts';
import { formatCheck, formatVerdict, makeReport } from './doctor-format.ts';
import { print, say } from './out.ts';

export interface DoctorOptions {
  readonly json?: boolean;
  /** Whether a support file is written, and where, when not to one named after the time. */
  readonly bundle?: boolean;
  readonly file?: string | undefined;
  /** Whether a support file keeps names as they are. */
  readonly names?: boolean;
}

/** An agent that runs answers within this. */
const ANSWER_MS = 8_000;
/** All peers at once have twelve. */
const PEERS_MS = 20_000;

/** What the agent said; peers come later, for each takes its round trip. */
interface Asked {
  readonly agent: Extract<DoctorLine, { readonly type: 'agent' }>;
  readonly repositories: readonly Extract<DoctorLine, { readonly type: 'repository' }>[];
  readonly peers: Promise<readonly Extract<DoctorLine, { readonly type: 'peer' }>[]>;
}

/** Tries everything, and prints it. */
export async function doctor(door: Door, world: World, options: DoctorOptions): Promise<void> {
  if (options.bundle !== true && (options.file !== undefined || options.names === true)) throw new Fault('wrong-use', 'a file and --names belong to --bundle', { remedy: 'git xmpp doctor --bundle help-me.json' });
  // Deadlines alone keep no process alive.
  const alive = setInterval(() => undefined, 1_000_000);
  // What was asked and is no longer waited for would keep it alive.
  const end = new AbortController();
  try {
    const examination = await loadExamination(door, world);
    const checks: Check[] = [];
    for await (const check of examineAll(door, examination, end.signal)) {
      checks.push(check);
      if (options.json !== true) for (const line of formatCheck(check)) print(line);
    }
    const report = makeReport(checks, realClock.now());
    if (options.json === true) print(JSON.stringify(report, null, 2));
    else say(formatVerdict(checks));
    if (options.bundle === true) await makeBundle({ door, examination, report, world }, options);
    if (!report.isWell) process.exitCode = 1;
  } finally {
    end.abort();
    clearInterval(alive);
  }
}

/** It lies in the agent's own file, which no other command loads. */
async function loadExamination(door: Door, { distDir, env }: World): Promise<Examination> {
  const url = `${pathToFileURL(join(distDir, 'agent.mjs')).href}?examine`;
  const { examination } = (await import(url)) as { readonly examination: typeof makeExamination };
  return examination(door.home, env);
}

async function* examineAll(door: Door, examination: Examination, signal: AbortSignal): AsyncGenerator<Check> {
  const asked = await ask(door, signal).catch((error: unknown) => asFault(error, 'asking the agent'));
  const facts = asked instanceof Fault ? undefined : factsOf(asked);
  yield* examination.machine(facts);
  let isChainBroken = false;
  for await (const check of examination.server(facts)) {
    isChainBroken ||= check.state === 'broken';
    yield check;
  }
  if (asked instanceof Fault) {
    yield broken('agent', asked);
    return yield* notTried(['repository', 'peer'], 'no agent answers');
  }
  yield judgeAgent(asked.agent, process.env['GIT_XMPP_VERSION'] ?? 'unbuilt', isChainBroken);
  for (const line of asked.repositories) yield judgeRepository(line);
  yield* examinePeers(asked);
}

async function* examinePeers({ agent, peers }: Asked): AsyncGenerator<Check> {
  if (agent.peers === 0) return yield { id: 'peer', state: 'warn', code: 'no-such-peer', words: 'no device is paired yet', remedy: 'git xmpp pair' };
  try {
    const late = (): Fault => new Fault('timeout', 'the agent did not say in time who can be reached');
    for (const line of await withDeadline(peers, PEERS_MS, realClock, late)) yield judgePeer(line, agent.account.state === 'online');
  } catch (error) {
    yield broken('peer', asFault(error, 'asking the agent'));
  }
}

/** Starts the agent where none runs, as every command does. */
async function ask(door: Door, signal: AbortSignal): Promise<Asked> {
  const late = (): Fault => new Fault('agent', 'the agent runs and does not answer', { remedy: `end its process, which ${door.home.lock} names; the next command starts it anew` });
  const within = <T>(work: Promise<T>): Promise<T> => withDeadline(work, ANSWER_MS, realClock, late);
  await within(door.running('/account', signal)).catch((error: unknown) => {
    if (!isAgentAbsent(error)) throw error;
    return door.start();
  });
  const lines = door.runningLines<DoctorLine>('/doctor', signal);
  const agent = (await within(lines.next())).value;
  if (agent?.type !== 'agent') throw new Fault('agent', 'the agent answers something else than this command understands', { remedy: 'git xmpp daemon stop' });
  const take = async <Type extends 'repository' | 'peer'>(count: number, type: Type): Promise<Extract<DoctorLine, { readonly type: Type }>[]> => {
    const found: Extract<DoctorLine, { readonly type: Type }>[] = [];
    for (let at = 0; at < count; at += 1) {
      const { value } = await lines.next();
      if (isOf(value, type)) found.push(value);
    }
    return found;
  };
  const repositories = await within(take(agent.repositories, 'repository'));
  const peers = take(agent.peers, 'peer');
  // Waited for only after the server was tried.
  peers.catch(() => undefined);
  return { agent, repositories, peers };
}

function isOf<Type extends DoctorLine['type']>(line: DoctorLine | void, type: Type): line is Extract<DoctorLine, { readonly type: Type }> {
  return line?.type === type;
}

function factsOf({ agent, repositories }: Asked): AgentFacts {
  const { pid, account } = agent;
  const unwatched = repositories.flatMap((line) => (line.unwatched === undefined ? [] : [line.unwatched]));
  return { pid, unwatched, ...(account.fault === undefined ? {} : { fault: account.fault }) };
}
