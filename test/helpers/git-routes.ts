// The part of an agent that the shims need, with real git behind it in the place of a peer. Rule: like the agent, a stream is
// frames out, raw bytes in, half-close passed on, and git's own exit code last.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { encodeExit, encodeFrames, STDERR, STDOUT } from '../../src/control/stream-format.ts';
import type { Routes } from '../../src/control/server.ts';
import { Fault } from '../../src/lib/errors.ts';

export interface GitRoutesOptions {
  /** Folders of repositories by name; peer `laptop` shares them, and so does this device. */
  readonly repos: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** Told the fields of each stream. */
  readonly onStream?: (fields: Readonly<Record<string, string>>) => void;
}

export function gitRoutes({ repos, env, onStream }: GitRoutesOptions): Routes {
  return {
    'GET /peers': { kind: 'json', answer: async () => ({ peers: [{ petname: 'laptop' }, { petname: 'anna.desk' }] }) },
    'GET /repos': {
      kind: 'json',
      answer: async () => ({ repos: Object.entries(repos).map(([name, path]) => ({ name, path })) }),
    },
    'POST /streams': {
      kind: 'stream',
      open: async ({ headers }, socket) => {
        onStream?.(headers);
        const { peer = '', repo = '', service = '', protocol } = headers;
        if (peer !== 'laptop') throw new Fault('no-such-peer', `no peer is called ${peer}`, { remedy: 'git xmpp peers' });
        const dir = repos[repo];
        if (dir === undefined) throw new Fault('no-such-repo', `laptop shares no "${repo}"`, { remedy: 'git xmpp repos laptop' });
        const gitEnv = protocol === undefined ? env : { ...env, GIT_PROTOCOL: protocol };
        const child = spawn('git', [service.replace(/^git-/, ''), dir], { env: gitEnv });
        await once(child, 'spawn');
        void serve(child, socket);
      },
    },
  };
}

async function serve(child: ChildProcess, socket: Duplex): Promise<void> {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
  stdin.on('error', () => undefined);
  socket.pipe(stdin);
  socket.on('close', () => child.kill());
  const closed = once(child, 'close');
  stderr.on('data', (bytes: Uint8Array) => send(encodeFrames(STDERR, bytes), socket));
  for await (const bytes of stdout) {
    if (bytes instanceof Uint8Array && !send(encodeFrames(STDOUT, bytes), socket)) await once(socket, 'drain');
  }
  const [code] = await closed;
  socket.end(encodeExit(typeof code === 'number' ? code : 255));
}

function send(frames: readonly Uint8Array[], socket: Duplex): boolean {
  return frames.map((frame) => socket.write(frame)).every(Boolean);
}
