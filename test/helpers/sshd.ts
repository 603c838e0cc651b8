// A private OpenSSH server, for measuring beside it and for what the shim hands to the real ssh.
// Rule: keys, port and configuration are its own; nothing of the user's ~/.ssh or of the machine's sshd is read or written.

import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { findFreePorts } from './ports.ts';
import { startProcess } from './processes.ts';

export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly pid: number;
  /** The whole ssh command, with its options and key, quoted for a shell. */
  readonly command: string;
  /** For git: `GIT_SSH_COMMAND`. */
  readonly env: Readonly<Record<'GIT_SSH_COMMAND', string>>;
  /** The URL of a repository at an absolute path. */
  urlOf(repository: string): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Runs instead of what the client asks for (`command=` in authorized_keys); the client's words come in SSH_ORIGINAL_COMMAND. */
  readonly forcedCommand?: string;
}

const run = promisify(execFile);
const HOST = '127.0.0.1';
const PORT_TAKEN = 'Address already in use';

/** @throws when OpenSSH's sshd is not installed, or does not come up within 15 s */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-sshd-'));
  try {
    await writeKeys(dir, options.forcedCommand);
    for (let tries = 1; ; tries += 1) {
      const [port = 0] = await findFreePorts(1, HOST);
      try {
        return await start(dir, port);
      } catch (error) {
        if (tries === 3 || !(error instanceof Error) || !(await isMended(error))) throw error;
      }
    }
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

/** Whether another try may go well: on another port, or after making the empty folder that root's sshd wants and only a boot makes. */
async function isMended(error: Error): Promise<boolean> {
  const [, folder] = /Missing privilege separation directory: (\S+)/.exec(error.message) ?? [];
  if (folder !== undefined) await mkdir(folder, { recursive: true, mode: 0o755 });
  return folder !== undefined || error.message.includes(PORT_TAKEN);
}

async function start(dir: string, port: number): Promise<Sshd> {
  const config = path.join(dir, 'sshd_config');
  await writeFile(config, formatConfig(dir, port));
  const server = await startProcess(findSshd(), ['-D', '-e', '-f', config], {
    name: 'sshd',
    // The session's git is found through the server's own PATH, which SetEnv below hands on.
    env: { PATH: process.env.PATH },
    isReady(output) {
      if (output.includes(PORT_TAKEN)) throw new Error(PORT_TAKEN);
      return output.includes(`Server listening on ${HOST} port ${port}`);
    },
  });
  const user = os.userInfo().username;
  const command = [
    'ssh', '-F', 'none', '-i', quote(path.join(dir, 'user_key')), '-p', String(port),
    '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', quote(`UserKnownHostsFile=${path.join(dir, 'known_hosts')}`),
    '-o', 'GlobalKnownHostsFile=none', '-o', 'StrictHostKeyChecking=yes', '-o', 'LogLevel=ERROR',
  ].join(' ');
  await writeFile(path.join(dir, 'known_hosts'), `[${HOST}]:${port} ${await readFile(path.join(dir, 'host_key.pub'), 'utf8')}`);
  return {
    host: HOST,
    port,
    user,
    pid: server.pid,
    command,
    env: { GIT_SSH_COMMAND: command },
    urlOf: (repository) => `ssh://${encodeURIComponent(user)}@${HOST}:${port}${encodeURI(repository)}`,
    async stop() {
      await server.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function writeKeys(dir: string, forcedCommand: string | undefined): Promise<void> {
  for (const name of ['host_key', 'user_key']) {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'git-xmpp-test', '-f', path.join(dir, name)]);
  }
  const key = await readFile(path.join(dir, 'user_key.pub'), 'utf8');
  const forced = forcedCommand === undefined ? '' : `restrict,command="${forcedCommand.replaceAll('"', String.raw`\"`)}" `;
  await writeFile(path.join(dir, 'authorized_keys'), forced + key);
  await chmod(path.join(dir, 'authorized_keys'), 0o600);
}

function formatConfig(dir: string, port: number): string {
  return [
    `ListenAddress ${HOST}:${port}`,
    `HostKey "${dir}/host_key"`,
    `AuthorizedKeysFile "${dir}/authorized_keys"`,
    `PidFile "${dir}/sshd.pid"`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PubkeyAuthentication yes',
    // The folder lies below the system's temporary folder, which others may write to.
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'AcceptEnv GIT_PROTOCOL',
    `SetEnv "PATH=${process.env.PATH ?? ''}"`,
    'LogLevel INFO',
    '',
  ].join('\n');
}

/** sshd insists on an absolute path. */
function findSshd(): string {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];
  const found = folders.map((folder) => path.join(folder, 'sshd')).find(isExecutable);
  if (found === undefined) throw new Error('sshd is not installed (Debian: openssh-server)');
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
