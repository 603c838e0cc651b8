// Ports for servers that a test starts. Rule: below the range from which the kernel takes ports of outgoing connections, so that a server
// which is stopped for a moment gets its port back.

import { randomInt } from 'node:crypto';
import net from 'node:net';

const FIRST = 20_000;
const LAST = 32_000;

/** `count` different TCP ports on which nothing listens at `address`. */
export async function findFreePorts(count: number, address = '127.0.0.1'): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count; tries += 1) {
    if (tries > 200) throw new Error(`found no ${count} free ports on ${address} between ${FIRST} and ${LAST}`);
    const port = randomInt(FIRST, LAST);
    if (!found.has(port) && (await isFree(port, address))) found.add(port);
  }
  return [...found];
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
