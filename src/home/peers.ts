// The paired devices.
// Rule: what is on the disk is what is answered: a change counts once it is written, and changes happen one at a time.

import { Fault } from '../lib/errors.ts';
import { shorten } from '../lib/jid.ts';
import { parsePetname } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import { Serial } from '../lib/serial.ts';
import { formatPeers, MAX_PEERS, parsePeer, parsePeers } from './peers-format.ts';
import type { Peer } from './peers-format.ts';
import { foldPetname } from './petname-format.ts';
import { StateFile } from './state.ts';

export type { Peer } from './peers-format.ts';
export { choosePetname } from './petname-format.ts';

/** What may change of a peer: never its key, and its petname by `rename` alone. */
export type PeerPatch = Partial<Omit<Peer, 'device' | 'spki' | 'petname'>>;

export class Peers {
  readonly #file: StateFile<ReturnType<typeof formatPeers>>;
  readonly #serial = new Serial();
  #peers: readonly Peer[] = [];
  /** What a person is told who names a device that is not paired any more; undefined where nothing is known of it. */
  whyGone: (name: string) => string | undefined = () => undefined;

  private constructor(path: string) {
    this.#file = new StateFile(path, (value) => formatPeers(parsePeers(value)), () => formatPeers([]));
  }

  /** @throws Fault `bad-config` naming file and field */
  static async open(path: string): Promise<Peers> {
    const peers = new Peers(path);
    peers.#peers = (await peers.#file.read()).peers;
    return peers;
  }

  /** In the order they were paired. */
  list(): readonly Peer[] {
    return this.#peers;
  }

  byDevice(device: DeviceId): Peer | undefined {
    return this.#peers.find((peer) => peer.device === device);
  }

  /** In any case, as petnames differ by more than that. */
  byPetname(name: string): Peer | undefined {
    return this.#peers.find((peer) => foldPetname(peer.petname) === foldPetname(name));
  }

  bySpki(spkiBase64: string): Peer | undefined {
    return this.#peers.find((peer) => peer.spki === spkiBase64);
  }

  /** @throws Fault `exists` when device or petname are taken, `too-large` at 256 peers, InputFault when id and key do not fit */
  add(peer: Peer): Promise<void> {
    return this.#change((peers) => {
      if (peers.length >= MAX_PEERS) {
        throw new Fault('too-large', `more than ${MAX_PEERS} devices cannot be paired`, { remedy: 'git xmpp unpair <peer>' });
      }
      if (this.byDevice(peer.device) !== undefined) throw new Fault('exists', `${peer.name} is already paired`);
      this.#checkFree(peer.petname);
      return [...peers, parsePeer(peer, 'peer')];
    });
  }

  /** @throws Fault `no-such-peer`, InputFault */
  update(device: DeviceId, patch: PeerPatch): Promise<void> {
    return this.#replace(device, (peer) => parsePeer({ ...peer, ...patch }, 'peer'));
  }

  /** @throws Fault `no-such-peer`, `exists`; InputFault when it cannot name a remote */
  rename(device: DeviceId, petname: string): Promise<void> {
    return this.#replace(device, (peer) => {
      const name = parsePetname(petname);
      if (foldPetname(name) !== foldPetname(peer.petname)) this.#checkFree(name);
      return { ...peer, petname: name };
    });
  }

  /** @throws Fault `no-such-peer` */
  remove(device: DeviceId): Promise<void> {
    return this.#change((peers) => {
      this.#expect(device);
      return peers.filter((peer) => peer.device !== device);
    });
  }

  #replace(device: DeviceId, change: (peer: Peer) => Peer): Promise<void> {
    return this.#change((peers) => {
      const changed = change(this.#expect(device));
      return peers.map((peer) => (peer.device === device ? changed : peer));
    });
  }

  #change(change: (peers: readonly Peer[]) => readonly Peer[]): Promise<void> {
    return this.#serial.run(async () => {
      const next = change(this.#peers);
      await this.#file.write(formatPeers(next));
      this.#peers = next;
    });
  }

  #expect(device: DeviceId): Peer {
    const peer = this.byDevice(device);
    if (peer !== undefined) return peer;
    throw new Fault('no-such-peer', `no paired device has the id ${shorten(device)}`, { remedy: 'git xmpp peers' });
  }

  #checkFree(petname: string): void {
    if (this.byPetname(petname) === undefined) return;
    throw new Fault('exists', `another peer is called ${shorten(petname)}`, {
      remedy: `git xmpp rename ${shorten(petname)} <name>`,
    });
  }
}
