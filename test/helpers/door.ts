// A control server on a socket of its own, as the agent opens it.
// Rule: stopped when the spec file is done, whatever the spec did.

import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { startControl, type Control, type Routes } from '../../src/control/server.ts';
import { silentLog } from '../../src/lib/log.ts';
import { makeFolder } from './repo.ts';

export interface TestDoor {
  readonly socketPath: string;
  readonly home: string;
  readonly client: ControlClient;
  readonly control: Control;
}

const doors: Control[] = [];

afterAll(async () => {
  await Promise.all(doors.splice(0).map((door) => door.stop()));
});

/** Opens a door for `routes`, in a folder of its own unless `at` names one. */
export async function openDoor(
  routes: Routes,
  at: { readonly socketPath?: string; readonly home?: string; readonly patienceMs?: number } = {},
): Promise<TestDoor> {
  const home = at.home ?? makeFolder();
  const socketPath = at.socketPath ?? join(home, 'agent.sock');
  const patience = at.patienceMs === undefined ? {} : { patienceMs: at.patienceMs };
  const control = await startControl({ socketPath, home, routes, log: silentLog, ...patience });
  doors.push(control);
  return { socketPath, home, client: new ControlClient({ socketPath, home }), control };
}

/** Says `text` to a socket as it is; all that comes back until the other side closes. */
export function sayRaw(socketPath: string, text: string | Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    socket.on('error', (error) => (answer === '' ? reject(error) : resolve(answer)));
    socket.on('close', () => resolve(answer));
    socket.write(text);
  });
}

/** All bytes that a socket gives until its end, as text. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('latin1');
  for await (const part of socket) text += String(part);
  return text;
}
