// Streamhosts that misbehave. Rule: each does one thing wrong and counts who came.

import type { Socket } from 'node:net';
import { listenLocally } from './tcp-pair.ts';
import type { Listening } from './tcp-pair.ts';

/** What a streamhost does with those who connect. */
export type Behaviour = 'closes at once' | 'says nothing' | 'is no SOCKS5' | 'refuses' | 'answers for another stream' | 'stops in the middle' | 'accepts anyone';

export interface Misbehaving extends Listening {
  readonly accepted: number;
}

export async function startStreamhost(behaviour: Behaviour, host?: string, port?: number): Promise<Misbehaving> {
  let accepted = 0;
  const listening = await listenLocally(
    (socket) => {
      accepted += 1;
      behave(behaviour, socket);
    },
    host,
    port,
  );
  return {
    host: listening.host,
    port: listening.port,
    close: () => listening.close(),
    get open() {
      return listening.open;
    },
    get accepted() {
      return accepted;
    },
  };
}

function behave(behaviour: Behaviour, socket: Socket): void {
  if (behaviour === 'closes at once') return void socket.destroy();
  // Whoever does not read does not see the other end go either.
  socket.resume();
  if (behaviour === 'is no SOCKS5') return void socket.write('SSH-2.0-OpenSSH_9.2\r\n');
  if (behaviour === 'says nothing') return;
  socket.once('data', () => {
    socket.write(Uint8Array.of(5, 0));
    socket.once('data', (request) => {
      if (behaviour === 'refuses') socket.end(Uint8Array.of(5, 2, 0, 1, 0, 0, 0, 0, 0, 0));
      if (behaviour === 'stops in the middle') socket.write(Uint8Array.of(5, 0, 0, 3));
      if (behaviour === 'accepts anyone') socket.write(Buffer.concat([Uint8Array.of(5, 0, 0), request.subarray(3)]));
      if (behaviour === 'answers for another stream') socket.write(Buffer.concat([Uint8Array.of(5, 0, 0, 3, 40), Buffer.from('f'.repeat(40)), Uint8Array.of(0, 0)]));
    });
  });
}
