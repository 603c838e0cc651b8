// Three devices of one account for a storm, each on a small disk of its own, with a clock of its own, behind its own breaking proxy; two repositories.
// Rule: nothing but the proxies lies between an agent and the server; what was started is stopped, and what was mounted unmounted.

import { appendFile, mkdir, rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Copy } from '../helpers/copies.ts';
import { Device, pairDevices } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { makeSetClock } from '../helpers/set-clock.ts';
import type { SetClock } from '../helpers/set-clock.ts';
import { mountSmallDisk } from '../helpers/small-disk.ts';
import type { SmallDisk } from '../helpers/small-disk.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';
import { SILENCE_S } from './storm-plan.ts';

/** A device, all that can be broken about it, and what its person works on. */
export interface Place {
  readonly name: string;
  readonly device: Device;
  readonly disk: SmallDisk;
  /** Undefined where libfaketime is not installed. */
  readonly clock: SetClock | undefined;
  readonly proxy: TcpProxy;
  /** The repository that everybody works on at one branch, merged by the agents; the last device only writes files, its agent commits. */
  readonly notes: Copy;
  /** The one with a branch for each device, which only goes forward. */
  readonly work: Copy;
  /** A clone of the next device's `work` by plain git, which no agent knows. */
  readonly plain: string;
}

export interface StormSetting {
  readonly server: Prosody;
  readonly places: readonly [Place, Place, Place];
  /** Before the server's SOCKS5 proxy. */
  readonly proxy65: TcpProxy;
  stop(): Promise<void>;
}

export const NAMES = ['laptop', 'desktop', 'tower'] as const;
/** Megabytes of each disk: at its least, and more for each second of people who commit. */
const DISK_MB = { least: 192, perSecond: 0.5 };
const BASE = 12;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The server's SOCKS5 proxy says that it is here, where ours stands before it. */
const PROXY_ADDRESS = '127.0.0.2';
const ACCOUNT = { name: 'romeo', password: 'correct-horse' };

type Bare = Omit<Place, 'notes' | 'work' | 'plain'>;

/** @param seconds how long it is to last */
export async function startStorm(seconds: number): Promise<StormSetting> {
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
    for (const signal of SIGNALS) process.off(signal, interrupted);
  };
  const interrupted = (): void => void stop().finally(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, interrupted);
  try {
    const server = await startProsody({
      accounts: { [ACCOUNT.name]: ACCOUNT.password },
      proxyAddress: PROXY_ADDRESS,
      readTimeout: SILENCE_S,
      hibernation: 5,
    });
    started.push(() => server.stop());
    const proxy65 = await startTcpProxy({ host: server.host, port: server.proxyPort }, { host: PROXY_ADDRESS, port: server.proxyPort });
    started.push(() => proxy65.stop());
    const clocks = mkdtempSync(path.join(os.tmpdir(), 'git-xmpp-clocks-'));
    started.push(() => rm(clocks, { recursive: true, force: true }));
    const bare: Bare[] = [];
    for (const name of NAMES) bare.push(await startPlace(name, { server, clocks, started, diskMb: Math.round(DISK_MB.least + seconds * DISK_MB.perSecond) }));
    const [first, second, third] = bare as [Bare, Bare, Bare];
    for (const [one, other] of [[first, second], [second, third], [first, third]] as const) await pair(one.device, other.device);
    const places = await shareAll([first, second, third]);
    return { server, places, proxy65, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface PlaceParts {
  readonly server: Prosody;
  readonly clocks: string;
  readonly started: (() => Promise<unknown>)[];
  readonly diskMb: number;
}

async function startPlace(name: string, { server, clocks, started, diskMb }: PlaceParts): Promise<Bare> {
  const proxy = await startTcpProxy({ host: server.host, port: server.port });
  started.push(() => proxy.stop());
  const clock = makeSetClock(path.join(clocks, name));
  const device = new Device(name, clock?.env);
  // What anybody leaves in a folder for passing things is to be seen.
  device.env['TMPDIR'] = device.path('tmp');
  const disk = await mountSmallDisk(device.dir, diskMb);
  started.push(async () => {
    await device.endCommands();
    await device.stop();
    await disk.unmount();
    await device.remove();
  });
  await device.prepare();
  await mkdir(device.path('tmp'));
  await appendFile(device.path('.gitconfig'), '[xmpp]\n\tdirect = false\n');
  await device.login(server, ACCOUNT.name, ACCOUNT.password, proxy);
  return { name, device, disk, clock, proxy };
}

async function pair(shower: Device, typer: Device): Promise<void> {
  const { typed } = await pairDevices(shower, typer);
  // The first of them may have introduced the two to each other meanwhile.
  if (typed.code !== 0 && !typed.stderr.includes('already')) throw new Error(`pairing failed: ${typed.stderr}`);
}

async function shareAll(bare: readonly [Bare, Bare, Bare]): Promise<StormSetting['places']> {
  const [{ device: first }] = bare;
  const founded = { notes: await first.repo('notes'), work: await first.repo('work') };
  // So many that nobody amends the first one, which all have in common, or takes it back.
  for (let number = 1; number <= BASE; number += 1) await first.commit(founded.notes, { 'base.txt': `${number}\n` }, `base ${number}`);
  for (const dir of Object.values(founded)) await must(first, dir, 'share', '--new', '--write');
  for (const { device } of bare.slice(1)) for (const name of ['notes', 'work']) await device.xmpp('clone', `laptop/${name}`, device.path(name));
  const places: Place[] = [];
  for (const [index, each] of bare.entries()) {
    const { device, name } = each;
    const next = bare[(index + 1) % bare.length]?.name ?? '';
    const [notes, work, plain] = [device.path('notes'), device.path('work'), device.path('plain')];
    await device.git(notes, 'config', 'xmpp.merge', 'merge');
    if (index === bare.length - 1) await device.git(notes, 'config', 'xmpp.autoCommit', 'true');
    // A branch of another device's is followed where there is one of that name.
    for (const branch of NAMES.flatMap((one) => [one, `from-${one}`])) await device.git(work, 'branch', '--no-track', branch, 'main');
    await device.git(work, 'switch', '--quiet', name);
    // Nothing is broken yet, but a machine under load may answer the server too late, which is short of patience here.
    await device.statusWhen(({ peers }) => peers.length === 2 && peers.every(({ isOnline }) => isOnline), 90_000);
    await device.git(device.dir, 'clone', '--quiet', `xmpp::${next}/work`, plain);
    places.push({ ...each, notes: { device, dir: notes }, work: { device, dir: work }, plain });
  }
  return places as unknown as StormSetting['places'];
}

async function must(device: Device, dir: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await device.xmppIn(dir, ...args);
  if (code !== 0) throw new Error(`${device.name}: git xmpp ${args.join(' ')} ended with ${code}: ${stderr}`);
}
