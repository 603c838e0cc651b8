// `git xmpp service install | uninstall | status` (docs/git-xmpp.1). Rule: done twice is as if done once; what is true afterwards is told, with
// the one command that comes next.

import { userInfo } from 'node:os';
import { Fault } from '../lib/errors.ts';
import { findService } from '../home/service.ts';
import type { Service, ServiceState } from '../home/service.ts';
import { checkLasting, planService } from '../home/service-plan.ts';
import { prepareHome } from '../home/paths.ts';
import { stopAgent } from './daemon.ts';
import type { Door, World } from './door.ts';
import { print, say, table } from './out.ts';

export async function service(door: Door, world: World, word: string): Promise<void> {
  const found = findService(door.home, world.env);
  switch (word) {
    case 'install':
      return install(door, world, found);
    case 'uninstall':
      return uninstall(found);
    case 'status':
      return status(door, world, found);
    default:
      throw new Fault('wrong-use', `"${word}" is none of install, uninstall and status`);
  }
}

async function install(door: Door, world: World, found: Service): Promise<void> {
  const plan = planService({ home: door.home, env: world.env, programDir: world.distDir, node: process.execPath });
  checkLasting(plan);
  await prepareHome(door.home);
  const before = await found.state();
  // One that runs beside the service would keep it out.
  if (!before.isActive && (await door.isRunning())) await stopAgent(door);
  const what = await found.install(plan);
  await door.start();
  say({ new: `the service ${found.name} is installed, and runs`, changed: `the service ${found.name} is written anew, and runs`, same: `the service ${found.name} runs already` }[what]);
  say(`  ${found.file}\n  its log: ${found.logCommand}`);
  tellLingering(await found.state());
}

async function uninstall(found: Service): Promise<void> {
  if (!(await found.uninstall())) return say(`there is no service ${found.name}`);
  say(`the service ${found.name} is removed; commands start the agent as they need it`);
}

async function status(door: Door, world: World, found: Service): Promise<void> {
  if (!found.isInstalled) {
    print('not installed');
    const isRunning = await door.isRunning();
    throw new Fault('service', `no service is installed${isRunning ? '; the agent runs without one' : ''}`, { remedy: 'git xmpp service install' });
  }
  const state = await found.state();
  const rows = [
    ['installed', found.file],
    ['enabled', state.isEnabled ? 'yes' : 'no'],
    ['active', `${state.words}${state.pid === undefined ? '' : `, process ${state.pid}`}`],
    ['lingering', state.lingers === undefined ? 'unknown' : state.lingers ? 'yes' : 'no'],
  ];
  for (const line of table(rows)) print(line);
  const plan = planService({ home: door.home, env: world.env, programDir: world.distDir, node: process.execPath });
  const remedy = remedyFor(state, found, await found.isUpToDate(plan));
  if (remedy !== undefined) throw new Fault('service', remedy.what, { remedy: remedy.todo });
  tellLingering(state);
}

/** What is wrong with a service that is installed, if anything is. */
function remedyFor(state: ServiceState, { name, logCommand }: Service, isUpToDate: boolean): { readonly what: string; readonly todo: string } | undefined {
  if (!isUpToDate) return { what: `${name} runs another program than this command's`, todo: 'git xmpp service install' };
  if (state.isFailing) return { what: `${name} does not stay up`, todo: `its last words: ${logCommand}` };
  if (!state.isEnabled) return { what: `${name} does not begin by itself`, todo: 'git xmpp service install' };
  if (!state.isActive) return { what: `${name} does not run`, todo: 'git xmpp daemon start' };
  return undefined;
}

/** A user's services end with the last session, unless the user lingers (loginctl(1), "enable-linger"). */
function tellLingering({ lingers }: ServiceState): void {
  if (lingers !== false) return;
  say(`it runs while you are signed in; to have it run from boot on, and after you sign out: loginctl enable-linger ${userInfo().username}`);
}
