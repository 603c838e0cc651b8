// The composition root: the only place that makes the agent's objects and joins them (docs/ARCHITECTURE.md). Rule: it decides nothing; what it
// joins is named after what it does.

import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../lib/clock.ts';
import type { Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { parseRepoId } from '../lib/names.ts';
import { prepareHavesDir, prepareHooks } from '../git/hooks.ts';
import { MountWatch } from '../git/mounts.ts';
import { createRunGit, createStartGit } from '../git/run.ts';
import { Config } from '../home/config.ts';
import { loadIdentity } from '../home/identity.ts';
import type { Home } from '../home/paths.ts';
import { Peers } from '../home/peers.ts';
import { removeHalfWritten } from '../home/private-file.ts';
import { runProgram } from '../home/program.ts';
import { Repos } from '../home/repos.ts';
import { ServerCertificateFile } from '../home/server-certificate.ts';
import { Settings } from '../home/settings.ts';
import { removeAbandoned } from '../home/spool.ts';
import { AccountKeeper } from './account.ts';
import { Agent } from './agent.ts';
import { DeviceBook } from './device-book.ts';
import { Events } from './events.ts';
import { Hooks } from './hooks.ts';
import { InviteStore } from './invites.ts';
import { OFFERS_DIR } from './offer.ts';
import { Pauses } from './pauses.ts';
import { Pausing } from './pausing.ts';
import { Showing } from './pair-show.ts';
import { interfacesOfMachine, routesOfMachine } from './network.ts';
import { Peering } from './peering.ts';
import { ServerCertificates } from './server-certificate.ts';
import { DEFAULT_QUOTA, parseBytes, Quota } from './quota.ts';
import { Stanzas } from './stanzas.ts';
import { Transfers } from './transfers.ts';
import { Troubles } from './troubles.ts';
import { Exchanges } from './exchanges.ts';
import { Wake } from './wake.ts';

export interface ComposeOptions {
  readonly home: Home;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Folder of the built executables: hooks name them. */
  readonly distDir: string;
  /** Where stanzas are shown (`--debug`), secrets and payloads hidden. */
  readonly debug: ((text: string) => void) | undefined;
}

/** Makes an agent on a home that is prepared and locked. */
export async function composeAgent(options: ComposeOptions): Promise<Agent> {
  const { home, env, log, debug } = options;
  const clock = realClock;
  const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
  const chance = (): number => randomInt(2 ** 32) / 2 ** 32;
  const runGit = createRunGit(env);
  const startGit = createStartGit(env);
  const config = new Config(home.config, runGit);
  await config.load();
  const identity = await loadIdentity(home, { name: hostname().split('.', 1)[0] ?? 'device' });
  const peers = await Peers.open(join(home.dir, 'peers.json'));
  const repos = await Repos.open(join(home.dir, 'repos.json'));
  const events = new Events(clock, log.scope('events'));
  const onProblem = ({ message, code }: Fault): void => events.emit({ type: 'bad-setting', words: `${message}; its default holds`, code });
  const settings = new Settings({ config, runGit, clock, onProblem });
  await settings.refresh();
  const quota = await Quota.open(join(home.state, 'quota.json'), parseBytes(config.get('xmpp.quota') ?? String(DEFAULT_QUOTA)));
  const serve = { ...(await prepareServing(options)), quota };
  const showing = new Showing(clock, random);
  const invites = new InviteStore(join(home.state, 'invites.json'), clock);
  const newId = (): ReturnType<typeof parseRepoId> => parseRepoId(randomUUID());
  const mounts = new MountWatch({ onProblem: (words) => events.emit({ type: 'no-mount-watch', words }) });
  const transfers = new Transfers({ clock, events });
  const pauses = await Pauses.open(join(home.state, 'pauses.json'), { clock, events });
  const exchanges = new Exchanges(events);
  const book = await DeviceBook.open(join(home.dir, 'devices.json'));
  const common = { home, config, settings, runGit, startGit, peers, repos, events, clock, log, random, chance, newId, transfers, pauses, exchanges };
  const peering = new Peering({ ...common, identity, serve, showing, mounts, book });
  const stanzas = new Stanzas(debug);
  const account = new AccountKeeper({
    home,
    config,
    runGit,
    identity: () => peering.identity,
    clock,
    log,
    random: chance,
    pauses,
    hasNetwork: () => wake.hasNetwork,
    certificates: new ServerCertificates({ file: new ServerCertificateFile(home), clock, log }),
    onUp: (connection) => void peering.up(connection),
    onDown: (fault) => peering.down(fault),
    trace: (direction, element) => stanzas.pass(direction, element),
  });
  const pausing = new Pausing({ pauses, repos, exchanges, peering, account });
  pauses.onChange = () => pausing.apply();
  const onChange = (): void => {
    pauses.look();
    account.reconnectNow();
    void peering.lookAround();
  };
  const wake: Wake = new Wake({ clock, interfaces: interfacesOfMachine(), routes: routesOfMachine(), events, onChange, onLost: () => account.lostNetwork() });
  const hooks = new Hooks({ ...common, loops: () => peering.repoSet.all(), log: log.scope('hooks'), env, run: runProgram });
  return new Agent({ ...common, stanzas, troubles: new Troubles(events), peering, account, showing, invites, wake, hooks });
}

/** Our hooks for people's pushes, and the empty alternate for `.have` lines. */
async function prepareServing({ home, distDir }: ComposeOptions): Promise<{
  readonly hooksPath: string;
  readonly havesDir: string;
  readonly hookEnv: Readonly<Record<string, string>>;
}> {
  const hooksPath = join(home.state, 'hooks');
  const havesDir = join(home.state, 'haves');
  await prepareHooks(hooksPath, { ask: [process.execPath, join(distDir, 'git-xmpp.cjs'), 'push-to-checkout'] });
  await prepareHavesDir(havesDir);
  await removeAbandoned(join(home.state, 'spool'), realClock.now());
  await rm(join(home.state, OFFERS_DIR), { recursive: true, force: true });
  for (const dir of [home.dir, home.state]) await removeHalfWritten(dir);
  return { hooksPath, havesDir, hookEnv: { GIT_XMPP_HOME: home.dir } };
}
