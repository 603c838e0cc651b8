// The maps of one repository that are held here: refs under refs/xmpp/<device>/ and the signature over them (docs/PROTOCOL.md, "Maps").
// Rule: a map is used only when its signature fits the refs that really are there; a corner that does not fit goes back to what did.

import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { InputFault } from '../lib/errors.ts';
import { parseDeviceId, parseOid, parseRefName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName, RepoId } from '../lib/names.ts';
import type { RunGit } from '../lib/git-run.ts';
import { Serial } from '../lib/serial.ts';
import { parseCounter, parseRecord } from '../sync/digest-format.ts';
import { diffMaps, isMapSignedBy, signMap } from '../sync/map-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import type { RefUpdate } from '../git/refs.ts';
import type { Repository } from '../git/repository.ts';
import { StateFile } from '../home/state.ts';
import { parseSignature } from '../sync/record-format.ts';

/** A signature and what it counts; the refs lie in the repository. */
export interface SignedCounter {
  readonly counter: number;
  /** Ed25519 over the canonical text of the map, base64. */
  readonly signature: string;
}

interface MapsState {
  readonly signed: Readonly<Record<string, SignedCounter>>;
  /** Per device and branch, the tip that was last acted on here. */
  readonly acted: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const NO_REFS: RefsOfMap = new Map();

/** All maps of one repository; writes are done one after another. */
export class MapStore {
  readonly #repo: RepoId;
  readonly #git: { readonly runGit: RunGit; readonly repository: Repository };
  readonly #file: StateFile<MapsState>;
  readonly #serial = new Serial();
  #state: MapsState = { signed: {}, acted: {} };
  readonly #refs = new Map<DeviceId, RefsOfMap>();
  /** Counters as they were found, also of maps that were forgotten: our own goes on from there. */
  readonly #stored = new Map<DeviceId, number>();

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

  acted(device: DeviceId): Readonly<Record<string, string>> {
    return this.#state.acted[device] ?? {};
  }

  /** Remembers which tips of a device were acted on, so that a rewrite is known as one after a restart too. */
  setActed(device: DeviceId, tips: Readonly<Record<string, string>>): Promise<void> {
    if (JSON.stringify(tips) === JSON.stringify(this.acted(device))) return Promise.resolve();
    return this.#serial.run(() => {
      // It holds while the agent runs, whether or not the disk takes it.
      this.#state = { ...this.#state, acted: { ...this.#state.acted, [device]: tips } };
      return this.#save(this.#state);
    });
  }

  /**
   * Makes our own map say `refs`: our corner first, then the signature.
   * @returns the new counter, or undefined when the map says so already
   */
  publish(me: DeviceId, refs: RefsOfMap, signing: { readonly keyPem: string; readonly now: number }): Promise<number | undefined> {
    return this.#serial.run(async () => {
      const last = this.#state.signed[me]?.counter;
      const before = this.refsOf(me);
      if (diffMaps(before, refs).size === 0 && last !== undefined) return undefined;
      if (!(await this.#setCorner(me, refs))) return undefined;
      const counter = Math.max((last ?? this.#stored.get(me) ?? 0) + 1, signing.now);
      const signature = signMap({ repo: this.#repo, device: me, counter, refs }, signing.keyPem);
      try {
        await this.#save(this.#withSigned(me, { counter, signature: encodeBase64(signature) }));
      } catch (error) {
        this.#refs.set(me, before);
        throw error;
      }
      return counter;
    });
  }

  /**
   * Takes in a map whose refs a push has just written; on a wrong signature the corner goes back.
   * @returns whether it is held then
   */
  acceptPushed(device: DeviceId, signed: SignedCounter, spki: string): Promise<boolean> {
    return this.#serial.run(async () => {
      const all = await listRefs(this.#git.runGit, this.#git.repository, [`refs/xmpp/${device}/`]);
      const refs = cornerOf(all, device);
      await this.#sweep(all, device, refs);
      if (this.#isNewer(device, signed) && this.#verifies(device, { signed, refs, spki })) {
        this.#refs.set(device, refs);
        await this.#save(this.#withSigned(device, signed));
        return true;
      }
      const before = this.refsOf(device);
      this.#refs.set(device, refs);
      await this.#setCorner(device, before);
      return this.#isHeld(device, signed);
    });
  }

  /** Takes in a map by name alone: its objects are here already. */
  acceptRecorded(device: DeviceId, signed: SignedCounter, map: { readonly refs: RefsOfMap; readonly spki: string }): Promise<boolean> {
    return this.#serial.run(async () => {
      if (!this.#isNewer(device, signed)) return this.#isHeld(device, signed);
      if (!this.#verifies(device, { signed, ...map })) return false;
      if (!(await this.#setCorner(device, map.refs))) return false;
      await this.#save(this.#withSigned(device, signed));
      return true;
    });
  }

  /** A push may have written more than a map can name: it would stay for ever, and `heads` itself would block every branch. */
  async #sweep(all: ReadonlyMap<RefName, Oid>, device: DeviceId, refs: RefsOfMap): Promise<void> {
    const named = new Set([...refs.keys()].map((ref) => cornerRef(device, ref)));
    const strays = [...all].filter(([ref]) => !named.has(ref)).map(([ref, oid]) => ({ ref, from: oid, to: undefined }));
    await updateRefs(this.#git.runGit, this.#git.repository, strays, { message: 'xmpp: map' });
  }

  /** Whether that very map was taken in, be it by another way meanwhile. */
  #isHeld(device: DeviceId, { signature }: SignedCounter): boolean {
    return this.#state.signed[device]?.signature === signature;
  }

  #isNewer(device: DeviceId, { counter }: SignedCounter): boolean {
    return counter > (this.#state.signed[device]?.counter ?? 0);
  }

  #verifies(device: DeviceId, map: { readonly signed: SignedCounter; readonly refs: RefsOfMap; readonly spki: string }): boolean {
    const statement = { repo: this.#repo, device, counter: map.signed.counter, refs: map.refs };
    return isMapSignedBy(statement, decodeBase64(map.signed.signature, 64), map.spki);
  }

  /**
   * Makes a corner hold `target`. Where it does not hold what was remembered (a crash, an earlier sharing), it is read and tried once more.
   * @returns false when somebody else keeps writing there
   */
  async #setCorner(device: DeviceId, target: RefsOfMap): Promise<boolean> {
    const { runGit, repository } = this.#git;
    for (let tries = 0; tries < 2; tries += 1) {
      const from = this.refsOf(device);
      const updates: RefUpdate[] = [...diffMaps(from, target)].map(([ref, to]) => ({ ref: cornerRef(device, ref), from: from.get(ref), to }));
      if (updates.length === 0 || (await updateRefs(runGit, repository, updates, { message: 'xmpp: map' })) === 'done') {
        this.#refs.set(device, target);
        return true;
      }
      this.#refs.set(device, cornerOf(await listRefs(runGit, repository, [`refs/xmpp/${device}/`]), device));
    }
    return false;
  }

  #withSigned(device: DeviceId, { counter, signature }: SignedCounter): MapsState {
    return { ...this.#state, signed: { ...this.#state.signed, [device]: { counter, signature } } };
  }

  /** What the disk does not take is not held: the same map is then taken in, or published, at the next try. */
  async #save(state: MapsState): Promise<void> {
    await this.#file.write(state);
    this.#state = state;
  }
}

/** Where a device's branch or tag lies: `refs/xmpp/<device>/heads/main` for `refs/heads/main`. */
export function cornerRef(device: DeviceId, ref: RefName): RefName {
  return parseRefName(`refs/xmpp/${device}/${ref.slice('refs/'.length)}`);
}

/** The heads and tags of one device's corner under their own names. */
function cornerOf(all: ReadonlyMap<RefName, Oid>, device: DeviceId): RefsOfMap {
  const prefix = `refs/xmpp/${device}/`;
  const refs = new Map<RefName, Oid>();
  for (const [ref, oid] of all) {
    const rest = ref.startsWith(prefix) ? ref.slice(prefix.length) : '';
    if (/^(?:heads|tags)\//.test(rest)) refs.set(parseRefName(`refs/${rest}`), oid);
  }
  return refs;
}

function parseMapsState(value: unknown): MapsState {
  const { signed, acted } = parseRecord(value, 'stored maps');
  const all = Object.entries(parseRecord(signed, 'stored maps: signed')).map(([device, each]) => {
    const { counter, signature } = parseRecord(each, 'stored maps: signed');
    return [parseDeviceId(device), { counter: parseCounter(counter), signature: parseSignature(signature) }] as const;
  });
  const tips = Object.entries(parseRecord(acted, 'stored maps: acted')).map(
    ([device, each]) => [parseDeviceId(device), parseTips(each)] as const,
  );
  return { signed: Object.fromEntries(all), acted: Object.fromEntries(tips) };
}

function parseTips(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(parseRecord(value, 'stored maps: acted')).map(([ref, oid]) => {
    if (typeof oid !== 'string') throw new InputFault('stored maps: acted', 'holds something other than object ids');
    return [parseRefName(ref), parseOid(oid)] as const;
  });
  return Object.fromEntries(entries);
}
