// The command `git xmpp`: words in, words out (docs/git-xmpp.1). Rule: nothing is decided here; each command lives in its own file, and a
// wrong use says which, with exit code 2.

import { dirname } from 'node:path';
import { realpathSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { codeOf, Fault } from '../lib/errors.ts';
import { clone } from './clone.ts';
import { login, logout, needAccount, showAccount } from './account.ts';
import type { LoginOptions } from './account.ts';
import { daemon } from './daemon.ts';
import { Door } from './door.ts';
import type { World } from './door.ts';
import { log } from './log.ts';
import { tellFault } from './out.ts';
import { listPeers, pair, rename, unpair } from './pair.ts';
import type { PairOptions } from './pair.ts';
import { grant, listRepos, share, sync, unshare } from './repos.ts';
import type { ShareOptions } from './repos.ts';
import { events, overview, status } from './status.ts';

const called = process.argv[1] ?? '';
const world: World = { env: process.env, cwd: process.cwd(), distDir: dirname(realpathSync(called)), binDir: dirname(called) };

/** All commands; `makeDoor` is called only by those that need the agent. */
function buildProgram(makeDoor: () => Door): Command {
  const program = new Command('git xmpp')
    .description('Keeps git repositories in sync between machines that cannot reach each other, over any XMPP account.')
    .version(process.env['GIT_XMPP_VERSION'] ?? 'unbuilt', '--version')
    .helpCommand('help [command]', 'how a command is used')
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride();
  addAccountCommands(program, makeDoor);
  addPeerCommands(program, makeDoor);
  addRepoCommands(program, makeDoor);
  addAgentCommands(program, makeDoor);
  // After the commands, which would inherit it: what follows none of them is the name of one that does not exist.
  program.allowExcessArguments().action(() => {
    const [word] = program.args;
    if (word !== undefined) throw new Fault('wrong-use', `there is no command "${word}"`, { remedy: 'git xmpp help lists them' });
    return overview(makeDoor());
  });
  return program;
}

function addAccountCommands(program: Command, makeDoor: () => Door): void {
  program
    .command('login [jid]')
    .description('sign in to an XMPP account')
    .option('--server <host:port>', 'where the server is, when DNS does not tell (xmpps://host:port for TLS from the first byte)')
    .option('--ca <file>', 'certificate of a private CA that the server is signed by')
    .option('--device <name>', 'what this device is called')
    .option('--password-stdin', 'read the password from standard input')
    .action((jid: string | undefined, options: LoginOptions) => login(makeDoor(), jid, options));
  program.command('logout').description('forget the account').action(() => logout(makeDoor()));
  program.command('account').description('which account, and whether it is online').action(() => showAccount(makeDoor()));
}

function addPeerCommands(program: Command, makeDoor: () => Door): void {
  program
    .command('pair [code]')
    .description('pair with another device: shows a code, or takes the one it showed')
    .option('--with <jid>', 'the account of the device that shows the code, when it is not this one')
    .option('--as <name>', 'what to call the other device here')
    .option('--invite', 'show an invite for 24 hours instead of a code')
    .option('--contact', 'make the two accounts contacts, for servers that block strangers')
    .action(async (code: string | undefined, options: PairOptions) => {
      const door = makeDoor();
      await needAccount(door);
      await pair(door, code, options);
    });
  program.command('peers').description('the paired devices').action(() => listPeers(makeDoor()));
  program
    .command('rename <peer> <name>')
    .description('call a peer by another name')
    .action((peer: string, name: string) => rename(makeDoor(), peer, name));
  program.command('unpair <peer>').description('end the pairing with a device').action((peer: string) => unpair(makeDoor(), peer));
}

function addRepoCommands(program: Command, makeDoor: () => Door): void {
  program
    .command('share [path]')
    .description('keep a repository in sync with your other devices')
    .option('--with <peer|jid...>', 'with these accounts or peers too')
    .option('--read', 'they may fetch')
    .option('--offer', 'they may fetch, and offer their own branches (the default)')
    .option('--write', 'they may also push to branches')
    .option('--branches <glob...>', 'show only these branches')
    .option('--join <peer/repo>', 'as the same repository as that one')
    .option('--new', 'as a repository of its own')
    .option('--folder', 'make it a repository first if it is none, and take over new branches')
    .action(async (path: string | undefined, options: ShareOptions) => {
      const door = makeDoor();
      await needAccount(door);
      await share(door, path ?? world.cwd, options);
    });
  program.command('unshare [path]').description('share it no more').action((path?: string) => unshare(makeDoor(), path ?? world.cwd));
  program
    .command('grant <peer> <repo> <level>')
    .description('what a peer may do with a repository: read, offer, write or none')
    .action((peer: string, repo: string, level: string) => grant(makeDoor(), peer, repo, level));
  program.command('repos [peer]').description('what is shared here, or what a peer shows').action((peer?: string) => listRepos(makeDoor(), peer));
  program
    .command('clone <peer/repo> [dir]')
    .description('clone a repository of a peer, and share the clone')
    .action(async (what: string, dir: string | undefined) => {
      const door = makeDoor();
      await needAccount(door);
      await clone(door, world, what, dir);
    });
  program.command('sync [path]').description('compare with all peers now').action((path?: string) => sync(makeDoor(), path));
}

function addAgentCommands(program: Command, makeDoor: () => Door): void {
  program
    .command('status')
    .description('how each repository stands on each device')
    .option('--json', 'for programs')
    .action((options: { json?: boolean }) => status(makeDoor(), options));
  program
    .command('log [path]')
    .description('what moved by itself in a repository, newest first, and what was left and where it is kept')
    .option('--json', 'for programs')
    .action((path: string | undefined, options: { json?: boolean }) => log(makeDoor(), path ?? world.cwd, options));
  program
    .command('events')
    .description('what happened lately')
    .option('--json', 'one JSON object a line')
    .option('--follow', 'and what happens from now on')
    .action((options: { json?: boolean; follow?: boolean }) => events(makeDoor(), options));
  program
    .command('daemon <start|stop|status|run>')
    .description('the agent in the background; commands start it when they need it')
    .option('--debug', 'with run: show stanzas on stderr, without secrets')
    .action((word: string, options: { debug?: boolean }) => {
      if (options.debug === true) process.env['GIT_XMPP_DEBUG'] = '1';
      return daemon(makeDoor(), world, word);
    });
  program
    .command('push-to-checkout <git-dir> <work-tree> <oid>', { hidden: true })
    .action((gitDir: string, workTree: string, oid: string) => makeDoor().ask('POST', '/push-to-checkout', { gitDir, workTree, to: oid }));
}

async function main(): Promise<void> {
  process.stdout.on('error', (error) => process.exit(codeOf(error) === 'EPIPE' ? 0 : 1));
  try {
    await buildProgram(() => new Door(world)).parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else process.exitCode = tellFault(error instanceof Fault ? error : error).exitCode;
  }
}

void main();
