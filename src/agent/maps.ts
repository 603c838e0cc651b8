// The maps of one repository that are held here: refs under refs/xmpp/<device>/ and the signature over them (docs/PROTOCOL.md, "Maps").
// Rule: a map is used only when its signature fits the refs that really are there; a corner that does not fit goes back to what did.

import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import type { RunGit } from '../lib/git-run.ts';
import { Serial } from '../lib/serial.ts';
import { diffMaps, isMapSignedBy, signMap } from '../sync/map-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import type { RefUpdate } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';
import { StateFile } from '../home/state.ts';
import { cornerOf, cornerRef, parseMapsState, withoutDevice } from './maps-format.ts';
import type { MapsState, SignedCounter } from './maps-format.ts';

const NO_REFS: RefsOfMap = new Map();

/** All maps of one repository; writes are done one after another. */
export class MapStore {
  readonly #repo: RepoId;
  readonly #git: { readonly runGit: RunGit; readonly repository: Repository };
  readonly #file: StateFile<MapsState>;
  readonly #serial = new Serial();
  #pinOf: (device: DeviceId) => string | undefined = () => undefined;
  /** Devices that were unpaired since. */
  readonly #forgotten = new Set<DeviceId>();
  #state: MapsState = { signed: {}, acted: {} };
  readonly #refs = new Map<DeviceId, RefsOfMap>();
  /** Counters as they were found, also of maps that were forgotten: our own goes on from there. */
  readonly #stored = new Map<DeviceId, number>();
  /** What each device said before it said what it says now. */
  readonly #earlier = new Map<DeviceId, { readonly counter: number; readonly refs: RefsOfMap }>();

  constructor(repo: RepoId, git: { readonly runGit: RunGit; readonly repository: Repository }, path: string) {
    this.#repo = repo;
    this.#git = git;
    this.#file = new StateFile(path, parseMapsState, () => ({ signed: {}, acted: {} }));
  }

  /**
   * Reads what was stored, and the refs. A map that does not fit its corner is forgotten, so that it is asked for, or signed, anew: the
   * corner was half written in a crash, or is that of another clone, or its device is not paired any more.
   * @param pinOf public key (base64 of SPKI in DER) of a device, our own included
   */
  async open(pinOf: (device: DeviceId) => string | undefined): Promise<void> {
    this.#pinOf = pinOf;
    const stored = await this.#file.read();
    const all = await listRefs(this.#git.runGit, this.#git.repository, ['refs/xmpp/']);
    const isWhole = ([id]: readonly [string, unknown]): boolean => {
      const device = parseDeviceId(id);
      const [signed, refs, spki] = [stored.signed[device], cornerOf(all, device), pinOf(device)];
      return signed !== undefined && spki !== undefined && this.#verifies(device, { signed, refs, spki });
    };
    const signed = Object.fromEntries(Object.entries(stored.signed).filter(isWhole));
    this.#state = { signed, acted: Object.fromEntries(Object.entries(stored.acted).filter(isWhole)) };
    for (const [device, { counter }] of Object.entries(stored.signed)) this.#stored.set(parseDeviceId(device), counter);
    for (const device of Object.keys(signed)) this.#refs.set(parseDeviceId(device), cornerOf(all, parseDeviceId(device)));
  }

  /** What a device that is not paired any more said is not believed from now on; its refs stay, for what they lead to may be wanted. */
  forget(device: DeviceId): Promise<void> {
    this.#forgotten.add(device);
    return this.#serial.run(() => {
      this.#state = withoutDevice(this.#state, device);
      this.#refs.delete(device);
      this.#earlier.delete(device);
      return this.#file.write(this.#state);
    });
  }

  get counters(): ReadonlyMap<DeviceId, number> {
    return new Map(Object.entries(this.#state.signed).map(([device, { counter }]) => [parseDeviceId(device), counter]));
  }

  signed(device: DeviceId): SignedCounter | undefined {
    return this.#state.signed[device];
  }

  /** Branches and tags of a device, as its map has them. */
  refsOf(device: DeviceId): RefsOfMap {
    return this.#refs.get(device) ?? NO_REFS;
  }

  /** A device's map as it was at `counter`, if it is the newest or the one before. */
  version(device: DeviceId, counter: number): RefsOfMap | undefined {
    if (this.#state.signed[device]?.counter === counter) return this.refsOf(device);
    const earlier = this.#earlier.get(device);
    return earlier?.counter === counter ? earlier.refs : undefined;
  }

  acted(device: DeviceId): Readonly<Record<string, string>> {
    return this.#state.acted[device] ?? {};
  }

  /** Remembers which tips of a device were acted on, so that a rewrite is known as one after a restart too. */
  setActed(device: DeviceId, tips: Readonly<Record<string, string>>): Promise<void> {
    if (JSON.stringify(tips) === JSON.stringify(this.acted(device))) return Promise.resolve();
    return this.#serial.run(() => {
      // It holds while the agent runs, whether or not the disk takes it.
      this.#state = { ...this.#state, acted: { ...this.#state.acted, [device]: tips } };
      return this.#file.write(this.#state);
    });
  }

  /**
   * Makes our own map say `refs`. It is signed and held at once, so that it can be offered while corner and signature are being written:
   * a crash in between leaves what `open` forgets, and the next map of ours counts higher.
   * @param signing.onSigned told the new counter then
   * @returns the new counter once all is written, or undefined when the map says so already
   */
  publish(
    me: DeviceId,
    refs: RefsOfMap,
    signing: { readonly keyPem: string; readonly now: number; readonly onSigned?: (counter: number) => void },
  ): Promise<number | undefined> {
    return this.#serial.run(async () => {
      const before = this.refsOf(me);
      const last = this.#state.signed[me]?.counter;
      if (diffMaps(before, refs).size === 0 && last !== undefined) return undefined;
      // Never twice the same: one that could not be written may have been offered.
      const counter = Math.max(Math.max(last ?? 0, this.#stored.get(me) ?? 0) + 1, signing.now);
      this.#stored.set(me, counter);
      const signature = encodeBase64(signMap({ repo: this.#repo, device: me, counter, refs }, signing.keyPem));
      const takeBack = this.#hold(me, { signed: { counter, signature }, refs });
      signing.onSigned?.(counter);
      const [corner, file] = await Promise.allSettled([this.#setCorner(me, refs, before), this.#file.write(this.#state)]);
      const isWritten = corner.status === 'fulfilled' && corner.value;
      if (isWritten && file.status === 'fulfilled') return counter;
      // What the disk does not take is not held: the same map is published at the next try.
      takeBack();
      for (const each of [corner, file]) if (each.status === 'rejected') throw each.reason;
      return undefined;
    });
  }

  /**
   * Takes in a map whose refs a push has just written; on a wrong signature the corner goes back.
   * @param onHeld told as soon as it is found to be right, while it is still being stored
   * @returns whether it is held then
   * @throws Fault `disk-full`, `permissions` when it could not be stored: then it is not held, whatever `onHeld` said
   */
  acceptPushed(device: DeviceId, signed: SignedCounter, spki: string, onHeld?: () => void): Promise<boolean> {
    return this.#serial.run(async () => {
      const refs = await this.#sweptCorner(device);
      if (this.#isPinned(device, spki) && this.#isNewer(device, signed) && this.#verifies(device, { signed, refs, spki })) {
        const takeBack = this.#hold(device, { signed, refs });
        onHeld?.();
        await this.#file.write(this.#state).catch((error: unknown) => {
          takeBack();
          throw error;
        });
        return true;
      }
      await this.#setCorner(device, this.refsOf(device), refs);
      return this.#isHeld(device, signed);
    });
  }

  /** Resolves when what is being taken in is held, or not. */
  idle(): Promise<void> {
    return this.#serial.run(() => Promise.resolve());
  }

  /** Puts a corner back to what is held of its device. */
  restore(device: DeviceId): Promise<void> {
    return this.#serial.run(async () => {
      await this.#setCorner(device, this.refsOf(device), await this.#sweptCorner(device));
    });
  }

  /** Takes in a map by name alone: its objects are here already. */
  acceptRecorded(device: DeviceId, signed: SignedCounter, map: { readonly refs: RefsOfMap; readonly spki: string }): Promise<boolean> {
    return this.#serial.run(async () => {
      if (!this.#isNewer(device, signed)) return this.#isHeld(device, signed);
      if (!this.#isPinned(device, map.spki) || !this.#verifies(device, { signed, ...map })) return false;
      if (!(await this.#setCorner(device, map.refs, this.refsOf(device)))) return false;
      // Signature and refs change together: an offer takes both as they are at any moment.
      await this.#file.write(this.#withSigned(device, signed));
      this.#hold(device, { signed, refs: map.refs });
      return true;
    });
  }

  /** What a push left in a corner. It may have written more than a map can name: that would stay for ever, and `heads`, or the corner itself, as a ref would block every branch. */
  async #sweptCorner(device: DeviceId): Promise<RefsOfMap> {
    const all = await listRefs(this.#git.runGit, this.#git.repository, [`refs/xmpp/${device}`]);
    const refs = cornerOf(all, device);
    const named = new Set([...refs.keys()].map((ref) => cornerRef(device, ref)));
    const strays = [...all].filter(([ref]) => !named.has(ref)).map(([ref, oid]) => ({ ref, from: oid, to: undefined }));
    await updateRefs(this.#git.runGit, this.#git.repository, strays, { message: 'xmpp: map' });
    return refs;
  }

  /** Whether that very map was taken in, be it by another way meanwhile. */
  #isHeld(device: DeviceId, { signature }: SignedCounter): boolean {
    return this.#state.signed[device]?.signature === signature;
  }

  /** It may have been unpaired while its map was on the way; paired again, it counts again. */
  #isPinned(device: DeviceId, spki: string): boolean {
    return !this.#forgotten.has(device) || this.#pinOf(device) === spki;
  }

  #isNewer(device: DeviceId, { counter }: SignedCounter): boolean {
    return counter > (this.#state.signed[device]?.counter ?? 0);
  }

  #verifies(device: DeviceId, map: { readonly signed: SignedCounter; readonly refs: RefsOfMap; readonly spki: string }): boolean {
    const statement = { repo: this.#repo, device, counter: map.signed.counter, refs: map.refs };
    return isMapSignedBy(statement, decodeBase64(map.signed.signature, 64), map.spki);
  }

  /**
   * Makes a corner hold `target`. Where it does not hold `held` as was thought (a crash, an earlier sharing), it is read and tried once more.
   * @returns false when somebody else keeps writing there
   */
  async #setCorner(device: DeviceId, target: RefsOfMap, held: RefsOfMap): Promise<boolean> {
    const { runGit, repository } = this.#git;
    let from = held;
    for (let tries = 0; tries < 2; tries += 1) {
      const updates: RefUpdate[] = [...diffMaps(from, target)].map(([ref, to]) => ({ ref: cornerRef(device, ref), from: from.get(ref), to }));
      if (updates.length === 0 || (await updateRefs(runGit, repository, updates, { message: 'xmpp: map' })) === 'done') return true;
      from = cornerOf(await listRefs(runGit, repository, [`refs/xmpp/${device}/`]), device);
    }
    return false;
  }

  /** From now on that is what the device says; what it said before is remembered. @returns what takes that back */
  #hold(device: DeviceId, { signed, refs }: { readonly signed: SignedCounter; readonly refs: RefsOfMap }): () => void {
    const [state, before, earlier] = [this.#state, this.refsOf(device), this.#earlier.get(device)];
    const last = state.signed[device];
    if (last !== undefined) this.#earlier.set(device, { counter: last.counter, refs: before });
    this.#refs.set(device, refs);
    this.#state = this.#withSigned(device, signed);
    return () => {
      this.#state = state;
      this.#refs.set(device, before);
      if (earlier === undefined) this.#earlier.delete(device);
      else this.#earlier.set(device, earlier);
    };
  }

  #withSigned(device: DeviceId, { counter, signature }: SignedCounter): MapsState {
    return { ...this.#state, signed: { ...this.#state.signed, [device]: { counter, signature } } };
  }
}
