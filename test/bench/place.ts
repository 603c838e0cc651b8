// Two paired devices that are made to use one kind of carrier, as far as this version has it.
// Rule: what a row says of its carrier comes from the agent's own status, never from what was wished for.

import { appendFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { Device, pairDevices } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { findHome } from '../../src/home/paths.ts';
import { ending, started } from './teardown.ts';

/** What the devices may use: nothing but the server, also its proxy, or also each other's own addresses. */
export type Ways = 'in-band' | 'socks5' | 'direct';

export interface Place {
  readonly server: Prosody;
  /** Shares what is cloned. */
  readonly a: Device;
  readonly b: Device;
  stop(): Promise<void>;
}

/** @param options.hasStanzaLog the server writes down every stanza, which costs it time that no server of a user's takes */
export async function startPlace(ways: Ways, { hasStanzaLog = false } = {}): Promise<Place> {
  const starting = startProsody({ accounts: { romeo: 'wherefore' }, hasStanzaLog, hasProxy: ways !== 'in-band' });
  const [server, stopServer] = await started(starting, (each) => each.stop());
  const [a, b] = [new Device('laptop'), new Device('desktop')];
  const stopDevices = ending(async () => {
    await Promise.all([a.remove(), b.remove()]);
  });
  for (const device of [a, b]) {
    await device.prepare();
    if (ways !== 'direct') await appendFile(device.path('.gitconfig'), '[xmpp]\n\tdirect = false\n');
    await device.login(server, 'romeo', 'wherefore');
  }
  await pairDevices(a, b);
  const stop = async (): Promise<void> => {
    await stopDevices();
    await stopServer();
  };
  return { server, a, b, stop };
}

/** What the link between the two runs on, as either end says: kind, address class and round trip where they are told. */
export async function carrierOf({ a, b }: Pick<Place, 'a' | 'b'>): Promise<{ readonly kind: string; readonly words: string }> {
  for (const device of [b, a]) {
    const [peer] = (await device.status()).peers;
    const carrier: { readonly kind?: string; readonly addressClass?: string } | undefined = peer?.carrier;
    if (carrier?.kind === undefined || carrier.kind === 'none') continue;
    const where = carrier.addressClass === undefined ? '' : ` (${carrier.addressClass})`;
    return { kind: carrier.kind, words: `${carrier.kind}${where}` };
  }
  return { kind: 'none', words: 'no link' };
}

/** Process id of a device's agent. */
export function agentPid(device: Device): number {
  return (JSON.parse(readFileSync(findHome(device.env).lock, 'utf8')) as { readonly pid: number }).pid;
}

/** Resident memory of a process in MiB (proc_pid_status(5), VmRSS); none of one that has ended. */
export function rssOf(pid: number): number[] {
  const status = `/proc/${pid}/status`;
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(existsSync(status) ? readFileSync(status, 'utf8') : '') ?? [];
  return kilobytes === undefined ? [] : [Number(kilobytes) / 1024];
}

/** Processor time of a process in seconds (proc_pid_stat(5), utime and stime, in hundredths). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
