// What the repositories of an agent share when they offer: how much a peer is asked at once, and which maps it has no use for (docs/decisions/0051-many-repositories-one-peer.md).
// Rule: a hundred repositories that have news for one peer go to it a few at a time, and none of them waits for a long transfer of another.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId } from '../lib/names.ts';
import { Turns } from '../lib/turns.ts';
import type { GiveBack } from '../lib/turns.ts';
import type { Digest } from '../sync/digest-format.ts';

/** Offers to one peer that begin at once: a link carries sixteen requests, and each makes git work on both sides. */
const AT_ONCE = 4;
/** An offer that takes longer moves much, or waits: the next one begins beside it. */
const TURN_MS = 20_000;

/** One per agent. */
export class Offering {
  readonly #clock: Clock;
  readonly #turns = new Map<DeviceId, Turns>();
  /** By peer: devices that it said it is not paired with. */
  readonly #unwanted = new Map<DeviceId, Set<DeviceId>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when one more offer to `peer` may begin; the turn ends when it is given back, at the latest after twenty seconds. */
  async turn(peer: DeviceId): Promise<GiveBack> {
    const turns = this.#turns.get(peer) ?? new Turns(AT_ONCE);
    this.#turns.set(peer, turns);
    const giveBack = await turns.take();
    const timer = this.#clock.setTimer(TURN_MS, giveBack);
    return () => {
      timer.cancel();
      giveBack();
    };
  }

  /** Whether `peer` has refused a map of `device` in any repository: it is not paired with it, so it refuses all of them. */
  isUnwanted(peer: DeviceId, device: DeviceId): boolean {
    return this.#unwanted.get(peer)?.has(device) === true;
  }

  refused(peer: DeviceId, device: DeviceId): void {
    const devices = this.#unwanted.get(peer) ?? new Set();
    this.#unwanted.set(peer, devices.add(device));
  }

  /** A peer that names a device's map itself is paired with it by now. */
  heard(peer: DeviceId, { repos }: Pick<Digest, 'repos'>): void {
    const devices = this.#unwanted.get(peer);
    if (devices === undefined) return;
    for (const { maps } of repos) for (const device of maps.keys()) devices.delete(device);
  }
}
