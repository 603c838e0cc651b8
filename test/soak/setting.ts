// Two devices behind breaking proxies, with a repository that syncs by itself and one on each side for plain git.
// Rule: nothing but the proxies lies between an agent and the server, and each byte through them is counted.

import { appendFile } from 'node:fs/promises';
import { Device, pairDevices } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';
import type { Place } from './faults.ts';

export type CarrierChoice = (typeof CARRIERS)[number];
export const CARRIERS = ['in-band', 'socks5', 'direct', 'any'] as const;

export interface SoakSetting {
  readonly server: Prosody;
  readonly devices: Readonly<Record<'laptop' | 'desktop', Device>>;
  readonly proxies: Readonly<Partial<Record<Place, TcpProxy>>>;
  /** The synced repository on each device: the laptop commits on `main`, the desktop on `desk`. */
  readonly synced: Readonly<Record<'laptop' | 'desktop', string>>;
  /** A repository on each device for the other's plain git, and the other's clone of it. */
  readonly plain: Readonly<Record<'laptop' | 'desktop', { readonly origin: string; readonly clone: string }>>;
  stop(): Promise<void>;
}

/** The server's SOCKS5 proxy says that it is here, where ours stands before it. */
const PROXY_ADDRESS = '127.0.0.2';
const ACCOUNT = { name: 'romeo', password: 'correct-horse' };

export async function startSoak(carrier: CarrierChoice): Promise<SoakSetting> {
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const hasProxy = carrier === 'socks5' || carrier === 'any';
    const server = await startProsody({ accounts: { [ACCOUNT.name]: ACCOUNT.password }, hasProxy, proxyAddress: PROXY_ADDRESS });
    started.push(() => server.stop());
    const startProxy = async (port: number, at?: { readonly host: string; readonly port: number }): Promise<TcpProxy> => {
      const proxy = await startTcpProxy({ host: server.host, port }, at);
      started.push(() => proxy.stop());
      return proxy;
    };
    const [laptopProxy, desktopProxy] = [await startProxy(server.port), await startProxy(server.port)];
    const proxies = {
      laptop: laptopProxy,
      desktop: desktopProxy,
      ...(hasProxy ? { proxy65: await startProxy(server.proxyPort, { host: PROXY_ADDRESS, port: server.proxyPort }) } : {}),
    };
    const devices = { laptop: new Device('laptop'), desktop: new Device('desktop') };
    for (const [name, device] of Object.entries(devices)) {
      started.push(() => device.remove());
      await device.prepare();
      const isDirect = carrier === 'direct' || carrier === 'any';
      await appendFile(device.path('.gitconfig'), `[xmpp]\n\tdirect = ${String(isDirect)}\n`);
      await device.login(server, ACCOUNT.name, ACCOUNT.password, name === 'laptop' ? laptopProxy : desktopProxy);
    }
    const { typed } = await pairDevices(devices.laptop, devices.desktop);
    if (typed.code !== 0) throw new Error(`pairing failed: ${typed.stderr}`);
    return { server, devices, proxies, synced: await makeSynced(devices), plain: await makePlain(devices), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeSynced({ laptop, desktop }: SoakSetting['devices']): Promise<SoakSetting['synced']> {
  const dir = await laptop.repo('synced');
  await laptop.git(dir, 'branch', 'desk');
  await laptop.xmpp('share', dir);
  await desktop.xmpp('clone', 'laptop/synced', desktop.path('synced'));
  await desktop.git(desktop.path('synced'), 'switch', '--quiet', '--create', 'desk', '--no-track');
  return { laptop: dir, desktop: desktop.path('synced') };
}

async function makePlain({ laptop, desktop }: SoakSetting['devices']): Promise<SoakSetting['plain']> {
  const make = async (here: Device, there: Device): Promise<{ readonly origin: string; readonly clone: string }> => {
    const origin = await here.repo(`plain-${here.name}`);
    await here.xmpp('share', origin);
    const clone = there.path(`clone-of-${here.name}`);
    await there.git(there.dir, 'clone', '--quiet', `xmpp::${here.name}/plain-${here.name}`, clone);
    return { origin, clone };
  };
  return { laptop: await make(laptop, desktop), desktop: await make(desktop, laptop) };
}
