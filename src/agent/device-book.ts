// What this device knows of the own devices that were unpaired or introduced, on the disk (docs/PROTOCOL.md, "Own devices"). Rule: a revocation
// counts once it is written, and is never taken back; changes happen one at a time.

import { Fault } from '../lib/errors.ts';
import type { BareJid } from '../lib/jid.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { StateFile } from '../home/state.ts';
import { MAX_AUDIENCE, MAX_INTRODUCED, MAX_REVOKED } from '../pairing/devices-format.ts';
import type { DeviceList, Introduced, Revoked } from '../pairing/devices-format.ts';
import { INTRODUCTION_MS } from '../pairing/devices-machine.ts';
import { EMPTY_BOOK, MAX_HELD, formatDeviceBook, parseDeviceBook } from './device-book-format.ts';
import type { DeviceBookState, HeldRevocation, Unpaired } from './device-book-format.ts';

/** The file `devices.json` of a home. */
export class DeviceBook {
  readonly #file: StateFile<unknown>;
  readonly #serial = new Serial();
  #state: DeviceBookState = EMPTY_BOOK;

  private constructor(path: string) {
    this.#file = new StateFile<unknown>(path, (value) => formatDeviceBook(parseDeviceBook(value)), () => formatDeviceBook(EMPTY_BOOK));
  }

  /** @throws Fault `bad-config` naming file and field */
  static async open(path: string): Promise<DeviceBook> {
    const book = new DeviceBook(path);
    book.#state = parseDeviceBook(await book.#file.read());
    return book;
  }

  /** Of our own list; 0 while there is nothing in it. */
  get counter(): number {
    return this.#state.counter;
  }

  /** That this very device was unpaired, if it was. */
  get unpaired(): Unpaired | undefined {
    return this.#state.unpaired;
  }

  /** Newest last. */
  get revoked(): readonly HeldRevocation[] {
    return this.#state.revoked;
  }

  get introduced(): readonly Introduced[] {
    return this.#state.introduced;
  }

  /** Counter of the newest list of each device that was read. */
  get seen(): ReadonlyMap<DeviceId, number> {
    return new Map(Object.entries(this.#state.seen).map(([device, counter]) => [parseDeviceId(device), counter]));
  }

  revocationOf(device: DeviceId): HeldRevocation | undefined {
    return this.#state.revoked.find((each) => each.device === device);
  }

  /** What this device says of the others; of a great many it names the newest. */
  list(device: DeviceId, account: BareJid): DeviceList {
    const { counter, revoked, introduced } = this.#state;
    const told: Revoked[] = revoked.slice(-MAX_REVOKED).map((each) => ({ device: each.device, by: each.by, at: each.at }));
    return { device, account, counter, revoked: told.toSorted(byDevice), introduced };
  }

  /** Holds devices for unpaired from now on. @returns once it is written */
  revoke(revoked: readonly HeldRevocation[], now: number): Promise<void> {
    return this.#change((state) => {
      const news = revoked.filter(({ device }) => !state.revoked.some((each) => each.device === device));
      const gone = new Set(news.map(({ device }) => device));
      const introduced = state.introduced
        .filter(({ card }) => !gone.has(card.device))
        .map((each) => ({ ...each, to: each.to.filter((device) => !gone.has(device)) }));
      const seen = Object.fromEntries(Object.entries(state.seen).filter(([device]) => !gone.has(parseDeviceId(device))));
      // Of more than ever were paired the oldest go: their pins are gone for long.
      const all = [...state.revoked, ...news].slice(-MAX_HELD);
      return news.length === 0 ? state : { ...state, counter: nextCounter(state, now), revoked: all, introduced, seen };
    });
  }

  /** Adds introductions to those that hold; old ones end. @returns once it is written */
  introduce(introduced: readonly Introduced[], now: number): Promise<void> {
    return this.#change((state) => {
      const all = new Map(state.introduced.filter(({ at }) => now - at < INTRODUCTION_MS).map((each) => [each.card.device, each]));
      for (const each of introduced) {
        const to = [...new Set([...(all.get(each.card.device)?.to ?? []), ...each.to])].toSorted();
        all.set(each.card.device, { ...each, to });
      }
      const kept = [...all.values()].toSorted((a, b) => byDevice(a.card, b.card));
      if (kept.length > MAX_INTRODUCED || kept.some(({ to }) => to.length > MAX_AUDIENCE)) {
        throw new Fault('too-large', `more than ${MAX_INTRODUCED} devices cannot be introduced within 30 days`, { remedy: 'pair them by a code: git xmpp pair' });
      }
      return { ...state, counter: nextCounter(state, now), introduced: kept };
    });
  }

  /** The list of `device` with that counter was read. */
  noteSeen(device: DeviceId, counter: number): Promise<void> {
    return this.#change((state) => ({ ...state, seen: { ...state.seen, [device]: Math.max(counter, state.seen[device] ?? 0) } }));
  }

  /** This device was unpaired: what it said of others counts for nothing any more. */
  setUnpaired(unpaired: Unpaired): Promise<void> {
    return this.#change((state) => ({ ...state, unpaired: state.unpaired ?? unpaired }));
  }

  /** A new key begins without a past. */
  clear(): Promise<void> {
    return this.#change(() => EMPTY_BOOK);
  }

  #change(change: (state: DeviceBookState) => DeviceBookState): Promise<void> {
    return this.#serial.run(async () => {
      const next = change(this.#state);
      if (next === this.#state) return;
      await this.#file.write(formatDeviceBook(next));
      this.#state = next;
    });
  }
}

function nextCounter({ counter }: DeviceBookState, now: number): number {
  return Math.max(counter + 1, now);
}

function byDevice(a: { readonly device: DeviceId }, b: { readonly device: DeviceId }): number {
  return a.device < b.device ? -1 : Number(a.device > b.device);
}
