// What the demo runs on: a private Prosody, a network that can be cut, two devices with a home each, and an sshd where there is one.
// Rule: whatever was begun is taken down again, also what was still starting.

import { Device } from '../helpers/device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { startSshd } from '../helpers/sshd.ts';
import type { Sshd } from '../helpers/sshd.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import type { TcpProxy } from '../helpers/tcp-proxy.ts';

export const ACCOUNT = 'romeo';
export const PASSWORD = 'wherefore-art-thou';
export const REPO = 'notes';
/** How long an act that was broken off may take to notice, in milliseconds. */
const PATIENCE_MS = 3_000;

/** All that an act finds on the stage. */
export interface Stage {
  readonly server: Prosody;
  /** Between the desktop and the server. */
  readonly network: TcpProxy;
  readonly laptop: Device;
  readonly desktop: Device;
  /** Work tree of the shared repository on the laptop, and of its clone on the desktop. */
  readonly notes: string;
  readonly copy: string;
  /** Undefined where OpenSSH is not there, or lets nobody in. */
  readonly sshd: Promise<Sshd | undefined>;
}

/** Begins what is needed, in the order of need. */
export class StageHand {
  readonly #ends: (() => Promise<void>)[] = [];
  readonly devices: Device[] = [];

  async build(): Promise<Stage> {
    const server = await this.#keep(startProsody({ accounts: { [ACCOUNT]: PASSWORD }, hasStanzaLog: true, hasProxy: false }), (it) => it.stop());
    const network = await this.#keep(startTcpProxy({ host: server.host, port: server.port }), (it) => it.stop());
    const laptop = await this.#device('laptop');
    const desktop = await this.#device('desktop');
    const sshd = this.#keep(startSshd(), (it) => it.stop())
      .then((it) => ifLetIn(it, desktop))
      .catch(() => undefined);
    return { server, network, laptop, desktop, notes: laptop.path(REPO), copy: desktop.path(REPO), sshd };
  }

  /**
   * Takes everything down, the last thing first.
   * @param playing what was going on: it is waited for, so that it begins nothing behind our back
   * @returns what could not be taken down
   */
  async clear(playing: Promise<unknown>): Promise<string[]> {
    const complaints: string[] = [];
    const tryTo = (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => complaints.push(error instanceof Error ? error.message : String(error)));
    await Promise.all(this.devices.map((device) => tryTo(device.endCommands().then(() => device.stop()))));
    await Promise.race([playing.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) await tryTo(end());
    return complaints;
  }

  #device(name: string): Promise<Device> {
    const device = new Device(name);
    this.devices.push(device);
    return this.#keep(this.#prepare(device), () => device.remove());
  }

  /** What the demo shows is what goes through the server: what that sees, and how little its loss costs. */
  async #prepare(device: Device): Promise<Device> {
    await device.prepare();
    await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    return device;
  }

  #keep<T>(starting: Promise<T>, stop: (it: T) => Promise<void>): Promise<T> {
    this.#ends.push(async () => {
      const [outcome] = await Promise.allSettled([starting]);
      if (outcome.status === 'fulfilled') await stop(outcome.value);
    });
    return starting;
  }
}

/** An account without a login shell may start an sshd, and is not let in by it. */
async function ifLetIn(sshd: Sshd, device: Device): Promise<Sshd | undefined> {
  const { code } = await device.run('/bin/sh', ['-c', `${sshd.command} ${sshd.user}@${sshd.host} git --version`]);
  return code === 0 ? sshd : undefined;
}
