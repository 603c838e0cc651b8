// Where an agent keeps what it has. Follows the XDG base directory specification, and unix(7) for the length of a socket's path; on Windows, where
// it is untried, the roaming folder and a named pipe. Rule: one home is one folder under one spelling, and nobody but its owner can look into it.

import { constants, lstatSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, chmod, lstat, mkdir, readdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, posix, win32 } from 'node:path';
import type { PlatformPath } from 'node:path';
import { asFault, Fault } from '../lib/errors.ts';

/** Absolute paths of everything that belongs to one agent. */
export interface Home {
  readonly dir: string;
  /** In git-config syntax. */
  readonly config: string;
  readonly lock: string;
  /** The agent's door; outside `dir` when that would make it too long. On Windows the name of a pipe. */
  readonly socket: string;
  readonly log: string;
  /** The password's file, where no credential helper keeps it. */
  readonly credentials: string;
  /** Folder of the device's keys. */
  readonly identity: string;
  /** Folder of peers, repos and all else that changes while the agent runs. */
  readonly state: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Node 20 cuts a longer socket path without a word, so that two homes meet on one socket; sun_path holds 104 to 108 bytes. */
const MAX_SOCKET_BYTES = 100;

/** Where Windows has its named pipes; they are in no folder, and gone with who made them. */
export const PIPES = '\\\\.\\pipe\\';

/** What differs between systems. */
interface Place {
  readonly env: Environment;
  readonly path: PlatformPath;
  readonly isWindows: boolean;
}

/**
 * The home that `env` names: GIT_XMPP_HOME, else `git-xmpp` in XDG_CONFIG_HOME or ~/.config; on Windows in APPDATA. Makes nothing.
 * @throws Fault `bad-config` when no place gives a socket path short enough, `permissions` when home or socket are somebody else's
 */
export function findHome(env: Environment, platform: NodeJS.Platform = process.platform): Home {
  const isWindows = platform === 'win32';
  const place = { env, path: isWindows ? win32 : posix, isWindows };
  const dir = settle(nonEmpty(env['GIT_XMPP_HOME']) ?? place.path.join(configHome(place), 'git-xmpp'), place);
  const inside = (name: string): string => place.path.join(dir, name);
  return {
    dir,
    config: inside('config'),
    lock: inside('lock'),
    socket: chooseSocket(dir, place),
    log: inside('agent.log'),
    credentials: inside('credentials'),
    identity: inside('identity'),
    state: inside('state'),
  };
}

function configHome({ env, path, isWindows }: Place): string {
  const named = nonEmpty(env['XDG_CONFIG_HOME']);
  // The specification has a relative path ignored.
  if (named !== undefined && path.isAbsolute(named)) return named;
  const roaming = isWindows ? nonEmpty(env['APPDATA']) : undefined;
  return roaming ?? path.join(nonEmpty(env['HOME']) ?? homedir(), '.config');
}

/** The one absolute spelling of a path: links are followed as far as the path exists. */
function settle(given: string, { path }: Place): string {
  const whole = path.resolve(given);
  const missing: string[] = [];
  for (let at = whole; ; at = path.dirname(at)) {
    try {
      return path.join(realpathSync(at), ...missing);
    } catch {
      if (at === path.dirname(at)) return whole;
      missing.unshift(path.basename(at));
    }
  }
}

function chooseSocket(dir: string, { env, path, isWindows }: Place): string {
  if (isWindows) return `${PIPES}git-xmpp-${hashOf(dir)}`;
  const usual = path.join(dir, 'agent.sock');
  if (Buffer.byteLength(usual) <= MAX_SOCKET_BYTES) return unforeign(dir, usual);
  const name = `${hashOf(dir)}.sock`;
  const runtime = nonEmpty(env['XDG_RUNTIME_DIR']);
  const choices = [
    // Left over from another user (su(1)), say: the specification has it be one's own.
    ...(runtime !== undefined && path.isAbsolute(runtime) && isSafeIn(runtime) ? [path.join(runtime, 'git-xmpp', name)] : []),
    path.join(tmpdir(), `git-xmpp-${ownUid()}`, name),
  ];
  const found = choices.find((choice) => Buffer.byteLength(choice) <= MAX_SOCKET_BYTES);
  if (found !== undefined) return own(found);
  throw new Fault('bad-config', `the path of the agent's socket would be longer than ${MAX_SOCKET_BYTES} bytes: ${usual}`, {
    remedy: 'set GIT_XMPP_HOME to a folder with a shorter path',
  });
}

/** Who listens in a home is told the password, and who made it may have led the log elsewhere: neither may be somebody else. */
function unforeign(dir: string, socket: string): string {
  for (const path of [dir, socket]) {
    const found = look(path);
    if (found !== undefined && found.uid !== ownUid()) throw refused(path, 'belongs to another user');
  }
  return socket;
}

/** What is there; what cannot be looked at cannot be connected to either. */
function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Whether nobody else can take away what is one's own in that folder: it is one's own, or everybody's and sticky (chmod(2)). */
function isSafeIn(dir: string): boolean {
  const found = statSync(dir, { throwIfNoEntry: false });
  if (found === undefined) return true;
  const [isOpen, isSticky] = [(found.mode & 0o022) !== 0, (found.mode & 0o1000) !== 0];
  return (found.uid === ownUid() || found.uid === 0) && (!isOpen || isSticky);
}

/** A folder that others may make too has to be one's own: who listens in it is told the password. */
function own(socket: string): string {
  const dir = dirname(socket);
  const found = lstatSync(dir, { throwIfNoEntry: false });
  const isOwn = found === undefined || (found.isDirectory() && found.uid === ownUid() && (found.mode & 0o022) === 0);
  if (isOwn && isSafeIn(dirname(dir))) return unforeign(dirname(socket), socket);
  throw new Fault('permissions', `${dir} is not a folder of your own that nobody else may write to`, { remedy: `remove it, or set GIT_XMPP_HOME to a folder with a shorter path` });
}

/** Few homes need it: node:crypto is loaded no sooner, since every command begins here. */
function hashOf(dir: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(dir).digest('hex').slice(0, 16);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function ownUid(): number {
  return process.getuid?.() ?? 0;
}

/**
 * Makes the folders of `home`, for their owner alone; to be called before anything is read, written or connected to there.
 * @throws Fault `permissions` when one is not ours, cannot be written, or is open to others and cannot be closed
 */
export async function prepareHome(home: Home): Promise<void> {
  await prepareFolder(home.dir, { mayClose: holdsNothingForeign });
  for (const dir of [home.identity, home.state]) await prepareFolder(dir, { mayClose: always });
  if (dirname(home.socket) !== home.dir && !home.socket.startsWith(PIPES)) await prepareFolder(dirname(home.socket), { mayClose: always });
}

async function prepareFolder(dir: string, options: { readonly mayClose: (dir: string) => Promise<boolean> }): Promise<void> {
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const stat = await lstat(dir);
    if (!stat.isDirectory()) throw refused(dir, 'is no folder');
    // On Windows a folder is its owner's by the rights of the one that it lies in, which modes do not tell.
    if (process.platform === 'win32') return await access(dir, constants.R_OK | constants.W_OK);
    if (stat.uid !== ownUid()) throw refused(dir, 'belongs to another user');
    if ((stat.mode & 0o077) !== 0) {
      // A home set to an existing folder must not take that folder away from others who use it.
      if (!(await options.mayClose(dir))) throw refused(dir, 'holds other files and is open to others', `chmod 700 '${dir}'`);
      await chmod(dir, 0o700);
    }
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw asFault(error, `preparing ${dir}`);
  }
}

async function holdsNothingForeign(dir: string): Promise<boolean> {
  const names = await readdir(dir);
  return names.length === 0 || names.includes('identity') || names.includes('config');
}

async function always(): Promise<boolean> {
  return true;
}

function refused(dir: string, why: string, command?: string): Fault {
  const other = 'set GIT_XMPP_HOME to a folder of your own';
  return new Fault('permissions', `${dir} ${why}`, { remedy: command === undefined ? other : `${command}, or ${other}` });
}
