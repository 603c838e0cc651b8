// Who is there: digests between two devices, as the agent makes them. Rule: one comparison with a peer at a time; what is lost is tried once
// more after a while, and every peer again each half hour.

import { Backoff } from '../../src/lib/backoff.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import type { SimDevice } from './device.ts';

/** Where nothing happens, maps are compared this often all the same. */
export const DIGEST_EVERY_MS = 30 * 60_000;

/** One device's contacts, for one life of its agent. */
export class Contacts {
  readonly #device: SimDevice;
  readonly #running = new Set<DeviceId>();
  readonly #backoff = new Map<DeviceId, Backoff>();
  readonly #waiting = new Set<DeviceId>();

  constructor(device: SimDevice) {
    this.#device = device;
  }

  /** Says hello to everybody, and does so again every half hour. */
  start(): void {
    this.helloAll();
    this.#repeat();
  }

  helloAll(): void {
    for (const peer of this.#device.lines.keys()) this.contact(peer);
    for (const hub of this.#device.hubs) hub.tell({ type: 'contact' });
  }

  /** Compares maps with a peer. */
  contact(peer: DeviceId): void {
    const { world, lines } = this.#device;
    const line = lines.get(peer);
    if (line === undefined || this.#running.has(peer)) return;
    this.#running.add(peer);
    world.counts.digests += 1;
    const maps = new Map(this.#device.engine.maps);
    line.line.ask(this.#device, line.to, {
      ask: () => line.to.heard(this.#device.id, maps),
      answered: (theirs) => {
        this.#running.delete(peer);
        this.#device.heard(peer, theirs);
      },
      failed: () => {
        this.#running.delete(peer);
        this.#device.tell({ type: 'lost', peer });
      },
    });
  }

  /** It is there. */
  succeeded(peer: DeviceId): void {
    this.#backoff.get(peer)?.succeed();
  }

  /** An offer was lost: whether the peer is still there has to be found out. */
  retry(peer: DeviceId): void {
    if (this.#waiting.has(peer)) return;
    const backoff = this.#backoff.get(peer) ?? new Backoff({ baseMs: 500, capMs: 60_000 });
    this.#backoff.set(peer, backoff);
    this.#waiting.add(peer);
    this.#device.after(backoff.fail(this.#device.world.draw.unit()), () => {
      this.#waiting.delete(peer);
      this.contact(peer);
    });
  }

  #repeat(): void {
    this.#device.after(DIGEST_EVERY_MS, () => {
      this.helloAll();
      this.#repeat();
    }, true);
  }
}
