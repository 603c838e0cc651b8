// Programs that set-up looks for, and how each package manager calls them.
// Rule: a program counts as there when it can be run; what is missing is asked for in one go.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import path from 'node:path';

const FOLDERS = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin', '/opt/homebrew/sbin'];

/** @typedef {{ name: string, isThere: () => boolean, packages: { apt: string, dnf: string, brew: string } }} Tool */

/** What a private server needs. @type {readonly Tool[]} */
export const SERVER_TOOLS = [
  tool('prosody', { apt: 'prosody', dnf: 'prosody', brew: 'prosody/prosody/prosody' }),
  tool('openssl', { apt: 'openssl', dnf: 'openssl', brew: 'openssl' }),
];

/** What the tests need beside it: servers that find each other need lua-unbound. @type {readonly Tool[]} */
export const TEST_TOOLS = [
  { name: 'lua-unbound', isThere: hasUnbound, packages: { apt: 'lua-unbound', dnf: 'lua-unbound', brew: 'unbound' } },
  tool('sshd', { apt: 'openssh-server', dnf: 'openssh-server', brew: 'openssh' }),
  tool('python3', { apt: 'python3', dnf: 'python3', brew: 'python' }),
  tool('zsh', { apt: 'zsh', dnf: 'zsh', brew: 'zsh' }),
  tool('fish', { apt: 'fish', dnf: 'fish', brew: 'fish' }),
  tool('ssh', { apt: 'openssh-client', dnf: 'openssh-clients', brew: 'openssh' }),
  {
    name: 'docker-compose',
    isThere: () => findCompose() !== undefined,
    packages: { apt: 'docker-compose', dnf: 'docker-compose', brew: 'docker-compose' },
  },
];

/** What the long run needs beside those: another server, networks and clocks of its own, another client library. @type {readonly Tool[]} */
export const LONG_RUN_TOOLS = [
  tool('ejabberdctl', { apt: 'ejabberd', dnf: 'ejabberd', brew: 'ejabberd' }),
  tool('ip', { apt: 'iproute2', dnf: 'iproute', brew: 'iproute2mac' }),
  tool('faketime', { apt: 'faketime', dnf: 'libfaketime', brew: 'libfaketime' }),
  tool('nft', { apt: 'nftables', dnf: 'nftables', brew: 'nftables' }),
  { name: 'slixmpp', isThere: () => succeeds('/usr/bin/python3', '-c', 'import slixmpp'), packages: { apt: 'python3-slixmpp', dnf: 'python3-slixmpp', brew: 'slixmpp' } },
];

/** The full path of a program, or undefined. */
export function findProgram(name) {
  return FOLDERS.map((folder) => path.join(folder, name)).find(isExecutable);
}

/** Whether a command runs and succeeds within ten seconds. */
export function succeeds(command, ...args) {
  return spawnSync(command, args, { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

/** The command of Docker's compose that works here: the plugin, or the program of its own. */
export function findCompose() {
  return ['docker compose', 'docker-compose'].find(
    (command) => findProgram(command.split(' ')[0]) !== undefined && succeeds(...command.split(' '), 'version'),
  );
}

/**
 * Installs what is missing by the system's package manager.
 * @param {readonly Tool[]} tools
 * @throws when there is no package manager we know, or no right to use it
 */
export function install(tools) {
  const names = tools.map(({ name }) => name).join(', ');
  const manager = ['apt-get', 'dnf', 'brew'].find((name) => findProgram(name) !== undefined);
  if (manager === undefined) throw new Error(`${names} missing, and no apt-get, dnf or brew is here to install it: please install it yourself.`);
  const mayInstall = manager === 'brew' || process.getuid?.() === 0 || succeeds('sudo', '-n', 'true');
  const packages = [...new Set(tools.map((tool) => tool.packages[manager === 'apt-get' ? 'apt' : manager]))];
  if (!mayInstall) throw new Error(`${names} missing: please run "sudo ${manager} install ${packages.join(' ')}".`);
  const asRoot = manager === 'brew' || process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args) => {
    const [command, ...rest] = [...asRoot, ...args];
    if (spawnSync(command, rest, { stdio: ['ignore', 2, 2], env }).status !== 0) throw new Error(`"${args.join(' ')}" failed.`);
  };
  if (manager === 'apt-get') {
    run('apt-get', 'update', '--quiet');
    run('apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', ...packages);
    stopService(asRoot, packages);
  } else {
    run(manager, 'install', ...(manager === 'dnf' ? ['--assumeyes'] : []), ...packages);
  }
  const still = tools.filter(({ isThere }) => !isThere()).map(({ name }) => name);
  if (still.length > 0) throw new Error(`${manager} installed ${packages.join(' ')}, and ${still.join(', ')} is still not to be found.`);
}

/** Debian starts what it installs; a server that nobody asked for is stopped again. */
function stopService(asRoot, packages) {
  for (const [name, service] of [['prosody', 'prosody'], ['openssh-server', 'ssh'], ['ejabberd', 'ejabberd']]) {
    const [command, ...args] = [...asRoot, 'service', service, 'stop'];
    if (packages.includes(name)) spawnSync(command, args, { stdio: 'ignore' });
  }
}

function tool(name, packages) {
  return { name, isThere: () => findProgram(name) !== undefined, packages };
}

/** Whether Prosody's own Lua finds libunbound, without which it asks the machine's DNS. */
function hasUnbound() {
  const prosody = findProgram('prosody');
  if (prosody === undefined) return false;
  const [, interpreter = 'lua'] = /^#!\s*(?:\S*\/env\s+)?(\S+)/.exec(readFileSync(prosody, 'utf8')) ?? [];
  return succeeds(interpreter, '-e', 'require "lunbound"');
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
