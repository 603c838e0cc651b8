// How much other accounts' devices may send here in all, and how many pushes at a time (docs/THREATS.md). Rule: counted in bytes as they
// come in, kept over restarts; one's own devices are not counted, for the disk is theirs.

import { InputFault, Fault } from '../lib/errors.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Peer } from '../home/peers.ts';
import { StateFile } from '../home/state.ts';
import { parseRecord } from '../sync/digest-format.ts';
import { Admission } from './admission.ts';
import { DeviceTurns } from './device-turns.ts';

/** What one device of another account may send in all, in bytes: `xmpp.quota` in the home's config. */
export const DEFAULT_QUOTA = 8 * 2 ** 30;
/** What one push may hold, in bytes. */
export const MAX_PUSH_BYTES = 4 * 2 ** 30;

/** Bytes that each device has sent. */
export class Quota {
  readonly #file: StateFile<Readonly<Record<string, number>>>;
  readonly #total: number;
  readonly #turns = new DeviceTurns();
  #used: Readonly<Record<string, number>> = {};

  private constructor(path: string, total: number) {
    this.#file = new StateFile(path, parseUsed, () => ({}));
    this.#total = total;
  }

  /** @param total bytes for each device of another account */
  static async open(path: string, total: number): Promise<Quota> {
    const quota = new Quota(path, total);
    quota.#used = await quota.#file.read();
    return quota;
  }

  /** Bytes that one more push of `peer` may hold. @throws Fault `disk-full` when there are none left */
  left(peer: Peer): number {
    if (peer.kind === 'own') return MAX_PUSH_BYTES;
    const left = this.#total - (this.#used[peer.device] ?? 0);
    if (left > 0) return Math.min(left, MAX_PUSH_BYTES);
    throw this.#usedUp();
  }

  #usedUp(): Fault {
    return new Fault('disk-full', `the quota of this device is used up there (${this.#total} bytes)`, {
      remedy: 'its owner may raise xmpp.quota, or unpair and pair again',
    });
  }

  /**
   * Lets a push of `peer` in once its turn has come.
   * @param corner where all of its refs have to lie
   * @throws Fault `disk-full` when it has nothing left, `throttled` when too many wait
   */
  async begin(peer: Peer, corner?: string): Promise<Admission> {
    const free = await this.turn(peer);
    try {
      return this.admission(peer, { free, corner });
    } catch (error) {
      free();
      throw error;
    }
  }

  /** Waits until git may take in something of `peer`. @returns what lets the next one in */
  turn(peer: Peer): Promise<() => void> {
    return peer.kind === 'own' ? Promise.resolve(() => undefined) : this.#turns.wait(peer.device);
  }

  /** Counts what comes in of `peer`, part by part. @throws Fault `disk-full` */
  admission(peer: Peer, { free, corner }: { readonly free?: () => void; readonly corner?: string | undefined } = {}): Admission {
    const maxBytes = this.left(peer);
    const isBounded = peer.kind !== 'own';
    const end = async (): Promise<void> => {
      free?.();
      if (isBounded) await this.#file.write(this.#used);
    };
    return new Admission({ maxBytes, isBounded, corner, take: (bytes) => this.#take(peer, bytes), end });
  }

  #take(peer: Peer, bytes: number): void {
    if (peer.kind === 'own') return;
    const used = (this.#used[peer.device] ?? 0) + bytes;
    this.#used = { ...this.#used, [peer.device]: Math.min(used, this.#total) };
    if (used > this.#total) throw this.#usedUp();
  }

  async forget(device: DeviceId): Promise<void> {
    const { [device]: _gone, ...rest } = this.#used;
    this.#used = rest;
    await this.#file.write(rest);
  }
}

/** Bytes as git-config(1) writes integers: `2g`, `500m`, `4096`. @throws InputFault */
export function parseBytes(text: string): number {
  const [, digits, unit] = /^(\d{1,12})([kmg]?)$/i.exec(text) ?? [];
  if (digits === undefined) throw new InputFault('xmpp.quota', 'is no number of bytes, such as 8g');
  return Number(digits) * 1024 ** ['', 'k', 'm', 'g'].indexOf((unit ?? '').toLowerCase());
}

function parseUsed(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(parseRecord(value, 'used quota')).map(([device, bytes]) => {
    if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) throw new InputFault('used quota', 'holds no count of bytes');
    return [parseDeviceId(device), bytes] as const;
  });
  return Object.fromEntries(entries);
}
