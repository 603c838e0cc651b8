// What stands before the nodes of a cluster: each connection goes to the first node that takes it, those behind a node that ended end with it.
// Rule: it looks into nothing and keeps nothing.

import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { ProxyTarget } from './tcp-proxy.ts';

export interface Balancer extends ProxyTarget {
  stop(): Promise<void>;
}

/** @param targets nodes, the one that is preferred first */
export async function startBalancer(targets: readonly ProxyTarget[]): Promise<Balancer> {
  const open = new Set<net.Socket>();
  const server = net.createServer({ pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('error', () => undefined).once('close', () => open.delete(client));
    void dialFirst(targets).then((node) => {
      if (node === undefined || client.destroyed) {
        node?.destroy();
        client.destroy();
        return;
      }
      node.on('error', () => undefined).once('close', () => client.destroy());
      client.once('close', () => node.destroy());
      client.pipe(node).pipe(client);
      client.resume();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = async (): Promise<void> => {
    for (const client of open) client.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, stop };
}

async function dialFirst(targets: readonly ProxyTarget[]): Promise<net.Socket | undefined> {
  for (const target of targets) {
    const node = await dial(target);
    if (node !== undefined) return node;
  }
  return undefined;
}

function dial({ host, port }: ProxyTarget): Promise<net.Socket | undefined> {
  return new Promise((resolve) => {
    const node = net.connect({ host, port });
    node.once('error', () => resolve(undefined));
    node.once('connect', () => {
      node.removeAllListeners('error');
      resolve(node);
    });
  });
}
