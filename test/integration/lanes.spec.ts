// A large clone between two real agents: on a direct path, and through the server's SOCKS5 proxy behind another one that breaks.

import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import type { Ongoing } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';

/** The server says that its proxy is here, where one that breaks stands before it. */
const PROXY_ADDRESS = '127.0.0.2';
/** Enough that much of it is left when the lane is there. */
const MEGABYTES = 24;

let server: Prosody;
let proxy: TcpProxy;
let a: Device;
let b: Device;
let origin: string;

beforeAll(async () => {
  server = await startProsody({ accounts: { romeo: 'wherefore' }, hasProxy: true, proxyAddress: PROXY_ADDRESS });
  proxy = await startTcpProxy({ host: server.host, port: server.proxyPort }, { host: PROXY_ADDRESS, port: server.proxyPort });
  [a, b] = [await new Device('laptop').prepare(), await new Device('desktop').prepare()];
  await a.login(server, 'romeo', 'wherefore');
  await b.login(server, 'romeo', 'wherefore');
  await pairDevices(a, b);
  origin = await makeBigRepo(a, 'big', MEGABYTES);
  await a.xmpp('share', origin);
});

afterAll(async () => {
  await a.remove();
  await b.remove();
  await proxy.stop();
  await server.stop();
});

function carrierOf(status: Awaited<ReturnType<Device['status']>>): { readonly kind: string; readonly lanes: number; readonly inLanes: number } {
  const [peer] = status.peers;
  return peer?.carrier ?? { kind: 'none', lanes: 0, inLanes: 0 };
}

async function checkClone(name: string, clone: Ongoing): Promise<void> {
  const { code, stderr } = await clone.ended;
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  expect((await contentsOf(b, b.path(name), 'refs/remotes/origin')).objects).toEqual((await contentsOf(a, origin)).objects);
}

describe('a large clone', () => {
  it('on a direct path takes a bulk lane, counts it, and is exact', async () => {
    await b.statusWhen((status) => carrierOf(status).kind === 'direct');
    await checkClone('direct', b.start('git', ['clone', 'xmpp::laptop/big', b.path('direct')]));
    const { inLanes, lanes } = carrierOf(await b.status());
    expect(inLanes).toBeGreaterThan(2 ** 20);
    expect(lanes).toBe(0);
  });

  it('through a proxy takes a bulk lane, and goes on where that and all else is cut', async () => {
    for (const device of [a, b]) await appendFile(device.path('.gitconfig'), '[xmpp]\n\tdirect = false\n');
    for (const device of [a, b]) {
      await device.stop();
      await device.xmpp('status');
    }
    await b.statusWhen((status) => carrierOf(status).kind === 'socks5');
    proxy.slow(2_000_000);
    const clone = b.start('git', ['clone', 'xmpp::laptop/big', b.path('proxied')]);
    await b.statusWhen((status) => carrierOf(status).inLanes > 2 ** 20);
    expect(proxy.cut()).toBeGreaterThanOrEqual(2);
    proxy.slow(undefined);
    await checkClone('proxied', clone);
    expect(b.log()).toContain('a bulk lane was lost');
  });
});
