// `git xmpp doctor --bundle`: one file to send to whoever helps (docs/git-xmpp.1). Rule: plain text that its owner can read first; for its owner alone; never over
// another file; what the agent does not tell is missing, and the rest is there.

import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import type { StatusAnswer } from '../agent/answers.ts';
import type { DoctorReport } from '../agent/doctor-format.ts';
import type { Examination } from '../agent/doctor.ts';
import type { AgentEvent } from '../agent/events.ts';
import { formatSettings, Scrubber, withoutCommits } from './bundle-format.ts';
import type { KnownNames } from './bundle-format.ts';
import { findService } from '../home/service.ts';
import type { Door, World } from './door.ts';
import { print, say } from './out.ts';

const LOG_BYTES = 256 * 1024;
const MOST_EVENTS = 200;
const WHAT = 'A support file of git-xmpp. It holds no password, key, code or content of a repository.';

export interface BundleParts {
  readonly door: Door;
  readonly examination: Examination;
  readonly report: DoctorReport;
  readonly world: Pick<World, 'cwd' | 'env'>;
}

/** Writes the file, and says what is in it. @throws Fault `exists` when it is there already */
export async function makeBundle({ door, examination, report, world }: BundleParts, options: { readonly file?: string | undefined; readonly names?: boolean; readonly json?: boolean }): Promise<void> {
  const path = resolve(world.cwd, options.file ?? nameFor(report.at));
  const status = (await door.askRunning('GET', '/status').catch(() => undefined)) as StatusAnswer | undefined;
  const events = status === undefined ? [] : await recentEvents(door);
  const settings = await examination.settings();
  const names = namesIn(door, { status, events, settings });
  const scrubber = new Scrubber({ secrets: await examination.secrets(), names, homeDir: homedir(), keepsNames: options.names === true });
  const scrub = (text: string): string => scrubber.text(text);
  const content = {
    what: WHAT,
    names: options.names === true ? 'as they are' : 'replaced: user-1, host-1, peer-1, repo-1, path-1 … mean the same thing wherever they stand',
    versions: { gitXmpp: process.env['GIT_XMPP_VERSION'] ?? 'unbuilt', node: process.version, system: `${process.platform} ${process.arch}` },
    doctor: scrubber.all(report),
    status: scrubber.all(withoutCommits(status) ?? 'no agent runs'),
    events: events.map((event) => scrubber.all(event)),
    settings: formatSettings(settings, scrub),
    log: [...tailOf(door.home.log), ...(await journalOf(door, world))].map((line) => scrubber.logLine(line)),
  };
  write(path, `${JSON.stringify(content, null, 2)}\n`);
  // Beside one object for programs there is room for nothing.
  if (options.json === true) say(path);
  else print(path);
  say(`holds: versions, what the doctor found, status, ${content.events.length} events, ${content.settings.length} settings, ${content.log.length} lines of the log`);
  say(options.names === true ? 'it holds no secrets; it holds names: read it before you send it' : 'it holds no secrets, and names are replaced; read it before you send it');
}

/** Run as a service, the agent writes into the journal. */
async function journalOf({ home }: Door, { env }: Pick<World, 'env'>): Promise<readonly string[]> {
  const service = findService(home, env);
  return service.isInstalled ? service.lastLines().catch(() => []) : [];
}

function nameFor(at: number): string {
  return `git-xmpp-support-${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}.json`;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw new Fault('exists', `${path} is there already`, { remedy: 'git xmpp doctor --bundle <another file>', cause: error });
    if (codeOf(error) === 'ENOENT') throw new Fault('bad-input', `there is no folder ${dirname(path)}`, { remedy: 'git xmpp doctor --bundle <another file>', cause: error });
    throw asFault(error, `writing ${path}`);
  }
}

async function recentEvents(door: Door): Promise<readonly AgentEvent[]> {
  const found: AgentEvent[] = [];
  try {
    for await (const event of door.lines<AgentEvent>('GET', '/events')) found.push(event);
  } catch (error) {
    say(`the events are not in it: ${asFault(error, 'asking for events').message}`);
  }
  return found.slice(-MOST_EVENTS);
}

/** The last lines of a file; none where it cannot be read. The first of them may have lost its beginning, so it is left out. */
function tailOf(path: string): readonly string[] {
  try {
    const file = openSync(path, 'r');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.alloc(Math.min(size, LOG_BYTES));
      const length = readSync(file, bytes, 0, bytes.length, size - bytes.length);
      const lines = bytes.subarray(0, length).toString('utf8').split('\n').filter((line) => line !== '');
      return size > LOG_BYTES ? lines.slice(1) : lines;
    } finally {
      closeSync(file);
    }
  } catch {
    return [];
  }
}

interface Told {
  readonly status: StatusAnswer | undefined;
  readonly events: readonly AgentEvent[];
  readonly settings: readonly (readonly [key: string, value: string])[];
}

/** Every name that is known to be one of the user's. */
function namesIn(door: Door, { status, events, settings }: Told): KnownNames {
  const jids = [status?.account.jid ?? '', ...(status?.peers ?? []).map(({ jid }) => jid)];
  const servers = settings.filter(([key]) => key === 'account.server').map(([, value]) => value.replace(/:\d+$/, ''));
  const repos = status?.repos ?? [];
  const branches = repos.flatMap(({ peers }) => peers.flatMap((peer) => peer.branches.map(({ branch }) => branch)));
  const limits = settings.flatMap(([key]) => /^xmpp\.limit\.peer\.(.+)\.up$/.exec(key)?.[1] ?? []);
  return {
    peer: [status?.account.name ?? '', ...(status?.peers ?? []).flatMap(({ petname, name }) => [petname, name]), ...events.flatMap(({ peer }) => peer ?? []), ...limits],
    repo: [...repos.map(({ name }) => name), ...events.flatMap(({ repo }) => repo ?? [])],
    branch: [...branches, ...events.flatMap(({ ref }) => ref?.replace(/^refs\/(?:heads|tags)\//, '') ?? [])],
    host: [...jids.map((jid) => jid.split('@')[1] ?? ''), ...servers],
    path: [door.home.dir, ...repos.map(({ path }) => path)],
    file: events.flatMap(({ paths }) => paths ?? []),
  };
}
