// The door's place in the file system: unix(7); on Windows a named pipe, which ends with who made it (untried). Rule: a socket file is taken over only
// when nobody answers behind it.

import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import { checkSocketPath } from './door-format.ts';

/**
 * Lets `server` listen on `path`, mode 0600; what a dead agent left there is removed.
 * @throws Fault `already-running` when an agent answers there, `exists` when the path is no socket
 */
export async function listenOn(server: Server, path: string): Promise<void> {
  checkSocketPath(path);
  try {
    await listen(server, path);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw asFault(error, `listening on ${path}`);
    if (isPipe(path)) throw answeredFault(path);
    await removeStale(path);
    await listen(server, path).catch((again: unknown) => {
      throw asFault(again, `listening on ${path}`);
    });
  }
  if (!isPipe(path)) await chmod(path, 0o600);
}

function isPipe(path: string): boolean {
  return path.startsWith('\\\\.\\pipe\\');
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

async function removeStale(path: string): Promise<void> {
  const stat = await lstat(path);
  if (!stat.isSocket()) throw new Fault('exists', `${path} is in the way: it is no socket`, { remedy: 'move it away' });
  if (await isAnswered(path)) throw answeredFault(path);
  await unlink(path);
}

function answeredFault(path: string): Fault {
  return new Fault('already-running', `an agent already answers on ${path}`, { remedy: 'see it with: git xmpp daemon status' });
}

/** Whether somebody accepts connections behind a socket file; the kernel says so at once. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true));
    socket.once('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED' && codeOf(error) !== 'ENOENT'));
    socket.once('connect', () => socket.destroy());
  });
}
