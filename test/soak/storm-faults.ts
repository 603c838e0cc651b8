// Does what storm-plan.ts planned. Rule: each fault is over when its promise resolves, whatever came of it meanwhile; an agent that was killed runs again.

import { limitDescriptors } from '../helpers/descriptors.ts';
import type { Device } from '../helpers/device.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { descendantsOf } from '../helpers/processes.ts';
import { makeReadOnly } from '../helpers/small-disk.ts';
import { doFault } from './faults.ts';
import { isOfADevice, isOfTheWay } from './storm-plan.ts';
import type { StormFault } from './storm-plan.ts';
import type { Place, StormSetting } from './storm-setting.ts';
import type { AgentWatch } from './storm-watch.ts';

const RESTART_MS = 90_000;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export interface FaultParts {
  readonly setting: StormSetting;
  readonly watch: AgentWatch;
  /** Two people push at one moment. */
  readonly bothPush: (target: Place) => Promise<void>;
  readonly wrong: (line: string) => void;
}

/** Does faults as they come: those of one device one after the other. */
export class Faults {
  readonly #parts: FaultParts;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(parts: FaultParts) {
    this.#parts = parts;
  }

  do(fault: StormFault): Promise<void> {
    const { setting, bothPush } = this.#parts;
    const { kind, place: name, ms, direction, amount } = fault;
    const place = setting.places.find((each) => each.name === name);
    if (isOfTheWay(kind)) {
      const way = { at: 0, ms, place: 'laptop' as const, kind: kind as Parameters<typeof doFault>[0]['kind'], direction, rate: amount };
      return doFault(way, place?.proxy ?? setting.proxy65);
    }
    if (kind === 'restart') return this.#after('server', () => restart(setting.server));
    if (place === undefined) throw new Error(`no device is called ${name}`);
    return isOfADevice(kind) ? this.#after(name, () => this.#ofDevice(fault, place)) : bothPush(place);
  }

  #after(name: string, work: () => Promise<void>): Promise<void> {
    const next = (this.#busy.get(name) ?? Promise.resolve()).then(work);
    // A fault that could not be done is told by its own promise.
    this.#busy.set(name, next.catch(() => undefined));
    return next;
  }

  async #ofDevice({ kind, ms, amount }: StormFault, place: Place): Promise<void> {
    const { device, disk, clock } = place;
    if (kind === 'sleep' || kind === 'expire') {
      device.suspend();
      await pass(ms);
      device.wake();
    } else if (kind.startsWith('kill')) await this.#kill(place, kind);
    else if (kind.startsWith('disk')) {
      await disk.fill();
      if (kind === 'disk-tight') await disk.free(amount);
      await pass(ms);
      await disk.free();
    } else if (kind === 'read-only') {
      const undo = await makeReadOnly(device.dir);
      await pass(ms);
      await undo();
    } else if (kind === 'descriptors') {
      const undo = limitDescriptors(device.agentPid(), amount);
      await pass(ms);
      undo();
    } else {
      clock?.set(amount);
      await pass(ms);
      clock?.set(0);
    }
  }

  async #kill({ device }: Place, kind: StormFault['kind']): Promise<void> {
    const { watch, wrong } = this.#parts;
    watch.expectEnd(device);
    const pid = device.agentPid();
    // Nothing is started between looking and killing.
    device.suspend();
    if (kind !== 'kill-agent') for (const child of descendantsOf(pid)) end(child);
    if (kind === 'kill-git') device.wake();
    else {
      await device.kill();
      const failure = await startAgain(device);
      if (failure !== undefined) wrong(`${device.name}: the agent did not start again: ${failure}`);
    }
    watch.expectNone(device);
  }
}

/** On a machine under load a server may not be up in the time that it is given, and is started once more. */
async function restart(server: Prosody): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await server.restart();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

/** @returns why it does not start, where nothing is broken any more that would keep it from it */
export async function startAgain(device: Device): Promise<string | undefined> {
  for (const until = Date.now() + RESTART_MS; ; ) {
    const { code, stderr } = await device.run('git-xmpp', ['daemon', 'start']);
    if (code === 0) return undefined;
    if (Date.now() > until) return stderr;
    await pass(200);
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
