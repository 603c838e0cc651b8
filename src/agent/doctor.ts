// The examination behind `git xmpp doctor` (docs/git-xmpp.1). It runs in the command's own process, so that it can be had where no agent starts.
// Rule: every link is tried for real and under a deadline, nothing of the agent's is disturbed (another resource, no file written), and what stands on a broken
// link is told as not tried.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { asFault, Fault, messageOf } from '../lib/errors.ts';
import type { FaultRecord } from '../lib/errors.ts';
import { realClock } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import type { RunGit } from '../lib/git-run.ts';
import { readAccount } from '../home/account.ts';
import type { Account } from '../home/account.ts';
import { parseGitVersion } from '../home/check-format.ts';
import { lookAtFiles, lookAtWatches } from '../home/check.ts';
import { createRunGit } from '../git/run.ts';
import { Config } from '../home/config.ts';
import { findPassword } from '../home/credentials.ts';
import type { Home } from '../home/paths.ts';
import { findService } from '../home/service.ts';
import type { SrvResolver } from '../xmpp/resolve.ts';
import { broken, judgeFiles, judgeGit, judgeService, judgeWatches, notTried } from './doctor-format.ts';
import type { Check, CheckId } from './doctor-format.ts';
import { readSecrets, readSettings } from './doctor-secrets.ts';
import { examineServer } from './doctor-server.ts';

export interface DoctorParts {
  readonly home: Home;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly runGit: RunGit;
  readonly clock: Clock;
  /** `size` unguessable bytes. */
  readonly random: (size: number) => Uint8Array;
}

/** What the agent says of itself, where one runs. */
export interface AgentFacts {
  readonly pid?: number;
  /** Repositories that it could not watch whole, in its words. */
  readonly unwatched: readonly string[];
  /** Why it is not signed in. */
  readonly fault?: FaultRecord;
}

/** An account with its password, once both were found. */
export interface Known {
  readonly account: Account;
  readonly password: string;
  /** PEM of the account's own authority. */
  readonly ca: string | undefined;
}

const SERVER_CHECKS: readonly CheckId[] = ['dns', 'tcp', 'tls', 'sign-in', 'stream-management', 'limits', 'clock', 'pep', 'proxy', 'in-band'];

/** The two halves of an examination, before and after the agent is asked; what the command needs of this file. */
export interface Examination {
  machine(agent: AgentFacts | undefined): AsyncGenerator<Check>;
  server(agent: AgentFacts | undefined): AsyncGenerator<Check>;
  /** What is set, in the home and of ours in git's own configuration; nothing where it cannot be read. */
  settings(): Promise<readonly (readonly [key: string, value: string])[]>;
  /** Whatever the home keeps secret, so that it can be kept out of a text. */
  secrets(): Promise<readonly string[]>;
}

/** An examination of `home`, with the machine's own clock, DNS and git. */
export function examination(home: Home, env: DoctorParts['env']): Examination {
  const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
  const parts: DoctorParts = { home, env, runGit: createRunGit(env), clock: realClock, random };
  return {
    machine: (agent) => examineMachine(parts, agent),
    server: (agent) => examineChain(parts, agent),
    settings: () => readSettings(parts),
    secrets: () => readSecrets(parts),
  };
}

/** The account, and the whole way to its server. @param resolver another than the machine's, in specs */
export async function* examineChain(parts: DoctorParts, agent: AgentFacts | undefined, resolver?: SrvResolver): AsyncGenerator<Check> {
  let known: Known | undefined;
  yield* examineAccount(parts, agent, (found) => (known = found));
  if (known !== undefined) yield* examineServer(parts, known, resolver);
}

/** What of this machine is looked at: git, the home's files, watched folders, the service. */
export async function* examineMachine(parts: DoctorParts, agent: AgentFacts | undefined): AsyncGenerator<Check> {
  const { home, env, clock } = parts;
  yield await checkGit(parts);
  yield judgeFiles(home.dir, await lookAtFiles(home));
  yield judgeWatches(await lookAtWatches(agent?.pid, clock), agent?.unwatched);
  yield await checkService(home, env);
}

async function checkService(home: Home, env: DoctorParts['env']): Promise<Check> {
  try {
    const service = findService(home, env);
    if (!service.isInstalled) return judgeService(undefined);
    const { name, logCommand } = service;
    return judgeService({ ...(await service.state()), name, logCommand });
  } catch (error) {
    return { ...broken('service', asFault(error, 'asking for the service')), state: 'warn' };
  }
}

async function checkGit({ runGit, home }: DoctorParts): Promise<Check> {
  try {
    const { stdout } = await runGit(['--version'], { deadlineMs: 5_000 });
    return judgeGit(parseGitVersion(stdout));
  } catch (error) {
    return broken('git', asFault(error, `asking git of ${home.dir}`));
  }
}

/**
 * The account and its password, as the agent finds them.
 * @param found is handed both, where they are there
 */
async function* examineAccount(parts: DoctorParts, agent: AgentFacts | undefined, found: (known: Known) => void): AsyncGenerator<Check> {
  const { home, runGit } = parts;
  const config = new Config(home.config, runGit);
  let account: Account | undefined;
  try {
    await config.load();
    account = readAccount(config);
  } catch (error) {
    yield broken('config', asFault(error, `reading ${home.config}`));
    yield* notTried(['account', 'password', ...SERVER_CHECKS], 'the configuration cannot be read');
    return;
  }
  yield { id: 'config', state: 'ok', words: `${home.config} can be read` };
  if (account === undefined) {
    yield broken('account', { code: 'no-account', message: 'this device is signed in to no account', remedy: 'git xmpp login you@example.org' });
    yield* notTried(['password', ...SERVER_CHECKS], 'there is no account');
    return;
  }
  yield { id: 'account', state: 'ok', words: account.jid };
  const known = await findKnown(parts, account, agent);
  yield known.check;
  if (known.password !== undefined) found({ account, password: known.password, ca: known.ca });
  else yield* notTried(SERVER_CHECKS, known.check.words);
}

async function findKnown({ home, runGit }: DoctorParts, account: Account, agent: AgentFacts | undefined): Promise<{ readonly check: Check; readonly password?: string; readonly ca?: string }> {
  try {
    const kept = await findPassword(home, runGit, account.jid);
    const { caFile } = account;
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8').catch((error: unknown) => throwFault(caFile, error));
    const which = kept?.keptBy === 'helper' ? "a credential helper of git's" : home.credentials;
    if (kept !== undefined) return { check: { id: 'password', state: 'ok', words: `kept by ${which}` }, password: kept.password, ...(ca === undefined ? {} : { ca }) };
    return { check: broken('password', missing(account, agent)) };
  } catch (error) {
    return { check: broken('password', asFault(error, 'asking for the password')) };
  }
}

/** One that the server did not accept is kept no more. */
function missing({ jid }: Account, agent: AgentFacts | undefined): FaultRecord {
  if (agent?.fault?.code === 'wrong-password') return { ...agent.fault, remedy: `git xmpp login ${jid}` };
  return { code: 'no-account', message: `no password of ${jid} is kept`, remedy: `git xmpp login ${jid}` };
}

function throwFault(path: string, error: unknown): never {
  throw new Fault('tls', `the certificate file ${path} cannot be read: ${messageOf(error)}`, { remedy: 'git xmpp login again with --ca' });
}
