// Devices of one account in a line, each paired with the next alone: the first and the last know nothing of each other.
// Rule: what was started is stopped, also where the setting failed half-way.

import { Device, pairDevices } from './device.ts';
import { startProsody } from './prosody.ts';
import { ACCOUNT, PASSWORD } from './two-devices.ts';

export interface DeviceLine {
  readonly devices: readonly Device[];
  /** The same repository on each, in the order of `devices`. */
  readonly dirs: readonly string[];
  stop(): Promise<void>;
}

/** @param config of the repository on every device, key to value */
export async function startDeviceLine(names: readonly string[], config: Readonly<Record<string, string>> = {}): Promise<DeviceLine> {
  const started: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const server = await startProsody({ hasProxy: false, accounts: { [ACCOUNT]: PASSWORD } });
    started.push(() => server.stop());
    const devices = await Promise.all(names.map((name) => new Device(name).prepare()));
    for (const device of devices) {
      started.push(() => device.remove());
      await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    }
    await Promise.all(devices.map((device) => device.login(server, ACCOUNT, PASSWORD)));
    const dirs: string[] = [];
    for (const [index, device] of devices.entries()) {
      dirs.push(await joinLine(devices[index - 1], device));
      for (const [key, value] of Object.entries(config)) await device.git(dirs[index] ?? '', 'config', key, value);
    }
    return { devices, dirs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @returns the device's copy of the repository, which the first one makes */
async function joinLine(before: Device | undefined, device: Device): Promise<string> {
  if (before === undefined) {
    const dir = await device.repo('notes', { 'a.txt': 'a\n', 'b.txt': 'b\n' });
    await device.xmppIn(dir, 'share');
    // So that there is a book of left commits from the first clone on.
    await device.git(dir, 'commit', '--quiet', '--amend', '-m', 'first, amended');
    return dir;
  }
  const { typed } = await pairDevices(before, device);
  if (typed.code !== 0) throw new Error(`pairing failed: ${typed.stderr}`);
  const cloned = await device.xmpp('clone', `${before.name}/notes`);
  if (cloned.code !== 0) throw new Error(`cloning failed: ${cloned.stderr}`);
  return device.path('notes');
}
