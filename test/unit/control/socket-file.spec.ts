import { renameSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { listenOn } from '../../../src/control/socket-file.ts';
import { makeFolder } from '../../helpers/repo.ts';

const servers: Server[] = [];

function makeServer(): Server {
  const server = createServer();
  servers.push(server);
  return server;
}

/** A socket file that nobody listens behind, as a killed agent leaves it: closing a server removes only the name it was given. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = makeServer();
  await listenOn(server, `${path}.first`);
  renameSync(`${path}.first`, path);
  await new Promise((resolve) => server.close(resolve));
}

describe('listenOn', () => {
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  it('makes a socket that only its owner may open', async () => {
    const path = join(makeFolder(), 's');
    await listenOn(makeServer(), path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('takes over a socket that nobody answers behind', async () => {
    const path = join(makeFolder(), 's');
    await leaveStaleSocket(path);
    expect(statSync(path).isSocket()).toBe(true);
    const server = makeServer();
    await listenOn(server, path);
    expect(server.listening).toBe(true);
  });

  it('leaves the socket of an agent that answers alone', async () => {
    const path = join(makeFolder(), 's');
    const first = makeServer();
    await listenOn(first, path);
    await expect(listenOn(makeServer(), path)).rejects.toMatchObject({ code: 'already-running' });
    expect(first.listening).toBe(true);
    expect(statSync(path).isSocket()).toBe(true);
  });

  it('never removes what is no socket', async () => {
    const path = join(makeFolder(), 's');
    writeFileSync(path, 'mine');
    await expect(listenOn(makeServer(), path)).rejects.toMatchObject({ code: 'exists' });
    expect(statSync(path).size).toBe(4);
  });

  it('refuses a path that Node would cut short', async () => {
    await expect(listenOn(makeServer(), join(makeFolder(), 'x'.repeat(100)))).rejects.toMatchObject({ code: 'bad-config' });
  });

  it('names the path when its folder is missing', async () => {
    const path = join(makeFolder(), 'no', 's');
    await expect(listenOn(makeServer(), path)).rejects.toThrow(path);
  });
});
