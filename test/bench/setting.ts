// Two devices on one account, paired, with one repository in sync: what every row starts from.
// Rule: a real Prosody, real agents, real git; the same files for the peer that a row is measured beside.

import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { Device, pairDevices } from '../helpers/device.ts';

/** One line of the table: what, p50, p95, beside what, its p50, ratio. */
export type Row = readonly [string, string, string, string, string, string];

export interface Setting {
  readonly server: Prosody;
  readonly a: Device;
  readonly b: Device;
  /** The work tree on a, and its clone on b. */
  readonly dirA: string;
  readonly dirB: string;
  stop(): Promise<void>;
}

export interface PairOptions {
  /** All through the server: no direct connection, no proxy. */
  readonly isInBand?: boolean;
  /** Added to the environment of a device's commands, and so of its agent. */
  readonly envOf?: (name: string) => Readonly<Record<string, string>>;
}

export async function startPair({ isInBand = false, envOf = () => ({}) }: PairOptions = {}): Promise<Setting> {
  const server = await startProsody({ accounts: { romeo: 'wherefore' }, hasStanzaLog: true, hasProxy: !isInBand });
  const a = await new Device('laptop', envOf('laptop')).prepare();
  const b = await new Device('desktop', envOf('desktop')).prepare();
  const stop = async (): Promise<void> => {
    await a.remove();
    await b.remove();
    await server.stop();
  };
  try {
    for (const device of isInBand ? [a, b] : []) await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    await a.login(server, 'romeo', 'wherefore');
    await b.login(server, 'romeo', 'wherefore');
    await pairDevices(a, b);
    const dirA = await a.repo('notes');
    await a.xmpp('share', dirA);
    await b.xmpp('clone', 'laptop/notes', b.path('notes'));
    // The links have found their way before anything is measured.
    const kind = isInBand ? 'in-band' : 'direct';
    await a.statusWhen(({ peers }) => peers[0]?.links.length === 2 && peers[0].links.every((link) => link.kind === kind));
    return { server, a, b, dirA, dirB: b.path('notes'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The value below which a share of all values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}
