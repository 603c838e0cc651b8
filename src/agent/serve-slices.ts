// Takes in slices of maps to come, and packs that are too large for one go (docs/PROTOCOL.md, "Slices"). Rule: a peer writes below
// refs/xmpp/partial/<itself>/ and nowhere else, everything passes the checks of an ordinary push, and what is refused leaves nothing.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '../lib/clock.ts';
import { asFault, Fault, InputFault } from '../lib/errors.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import { dropHeld, listPartials, partialSpace, settlePartials } from '../git/partials.ts';
import { serveReceiveOffer } from '../git/services.ts';
import type { Peer } from '../home/peers.ts';
import { hasRoom, makeRoomForPart, PartWriter, partSize, verifyPart } from '../home/spool.ts';
import type { ServedProcess } from '../link/carry.ts';
import { formatPackState } from '../link/http-format.ts';
import type { PackHeaders, SliceHeaders, SliceProgress } from '../link/http-format.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import type { Quota } from './quota.ts';
import { havesOf } from './bases.ts';
import { startAdmitted } from './serve-git.ts';
import { SliceNews } from './slice-news.ts';
import { takePack } from './take-pack.ts';

export interface SliceSettings {
  readonly havesDir: string;
  readonly quota: Quota;
}

/** A pack that is coming in, or is checked. */
interface Arriving {
  stop(): void;
  readonly ended: Promise<void>;
}

/** What one agent takes in of all its peers. */
export class SliceServer {
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'emit'>;
  readonly #news: SliceNews;
  readonly #arriving = new Map<string, Arriving>();
  /** Who has a pack coming in, by repository and device. */
  readonly #places = new Set<string>();
  /** Of whom nothing is kept, by repository and device: an offer need not look. */
  readonly #empty = new Set<string>();

  constructor(parts: { readonly clock: Clock; readonly events: Pick<Events, 'emit'> }) {
    this.#clock = parts.clock;
    this.#events = parts.events;
    this.#news = new SliceNews(parts);
  }

  /** How far a peer's first transfer has come, as far as it told. */
  progress(repo: RepoId, device: DeviceId): SliceProgress | undefined {
    return this.#news.progress(repo, device);
  }

  /** Starts the `receive-pack` of one slice. @throws Fault `disk-full` when the peer's quota is used up */
  async openSlice(context: RepoContext, slice: SliceHeaders, { peer, settings }: { readonly peer: Peer; readonly settings: SliceSettings }): Promise<ServedProcess> {
    const { quota, havesDir } = settings;
    await settlePartials(context, peer.device, this.#clock.now());
    this.#empty.delete(keyOf(context, peer.device));
    const haves = await havesOf(context, slice.bases, peer);
    const admission = await quota.begin(peer, partialSpace(peer.device));
    const maxInputBytes = admission.maxBytes;
    const start = serveReceiveOffer(context.repository, { namespace: [partialSpace(peer.device)], haves, havesDir, maxInputBytes, isKeptPacked: true });
    const git = await startAdmitted(context, admission, start);
    const news = this.#news.begin(context, peer, { ...slice, received: () => bytesWritten(git.stdin) });
    return {
      stdin: git.stdin,
      stdout: git.stdout,
      exit: git.exit,
      kill: () => git.hangUp(),
      admit: (part) => admission.admit(part),
      stderrTail: () => `${git.stderrTail()}${admission.why ?? ''}`,
      settle: async (exitCode, received) => {
        await admission.end().catch(() => undefined);
        const arrived = await settlePartials(context, peer.device, this.#clock.now());
        if (exitCode !== 0 || arrived === 0) return exitCode === 0 ? 1 : exitCode;
        news.taken(received);
        return 0;
      },
    };
  }

  /** How much of a pack is here. An earlier try that still feeds it is ended first, so that the number stands. */
  async packState(context: RepoContext, peer: Peer, sha256: string): Promise<unknown> {
    const path = partPath(context, peer, sha256);
    await this.#quiet(path);
    return formatPackState(await partSize(path));
  }

  /** Takes a pack's bytes. @throws InputFault on a wrong offset, Fault `disk-full` when quota or disk have no room for its size */
  async openPack(
    context: RepoContext,
    pack: PackHeaders & { readonly sha256: string },
    { peer, settings }: { readonly peer: Peer; readonly settings: SliceSettings },
  ): Promise<ServedProcess> {
    const path = partPath(context, peer, pack.sha256);
    await this.#quiet(path);
    // One at a time: several would each be let in on the same room, and the same part be written twice.
    const place = keyOf(context, peer.device);
    if (this.#places.has(place)) throw new Fault('throttled', 'another pack of this device is coming in there');
    this.#places.add(place);
    try {
      const served = await this.#admit(context, { path, pack, peer, settings });
      void this.#arriving.get(path)?.ended.then(() => this.#places.delete(place));
      return served;
    } catch (error) {
      this.#places.delete(place);
      throw error;
    }
  }

  async #admit(
    context: RepoContext,
    asked: { readonly path: string; readonly pack: PackHeaders & { readonly sha256: string }; readonly peer: Peer; readonly settings: SliceSettings },
  ): Promise<ServedProcess> {
    const { path, pack, peer, settings } = asked;
    const here = await partSize(path);
    if (pack.offset !== here) throw new InputFault('pack-offset', `is ${pack.offset}, and ${here} bytes are here`);
    const missing = pack.size - here;
    if (missing > settings.quota.left(peer)) throw new Fault('disk-full', `a pack of ${pack.size} bytes is more than the quota of this device has room for there`);
    // Once as it comes in, once more while it is checked.
    if (!(await hasRoom(spoolOf(context), missing + pack.size))) throw new Fault('disk-full', `no room for a pack of ${pack.size} bytes there`);
    await makeRoomForPart(spoolOf(context), `${context.shared().id}-${peer.device}-`, path);
    return this.#servePack(context, { path, pack, peer, quota: settings.quota });
  }

  /** A map that came from `sender` is held now: what its slices brought needs no ref of its own. */
  taken(context: RepoContext, sender: DeviceId, map: DeviceId): void {
    const key = keyOf(context, sender);
    this.#news.end(context, sender);
    if (this.#empty.has(key)) return;
    this.#empty.add(key);
    void this.#letGo(context, sender, map).catch(() => this.#empty.delete(key));
  }

  async #letGo(context: RepoContext, sender: DeviceId, map: DeviceId): Promise<void> {
    await dropHeld(context, { sender, map });
    if ((await listPartials(context, sender)).size > 0) this.#empty.delete(keyOf(context, sender));
  }

  async #quiet(path: string): Promise<void> {
    const earlier = this.#arriving.get(path);
    earlier?.stop();
    await earlier?.ended;
  }

  #servePack(
    context: RepoContext,
    { path, pack, peer, quota }: { readonly path: string; readonly pack: PackHeaders & { readonly sha256: string }; readonly peer: Peer; readonly quota: Quota },
  ): ServedProcess {
    const stdin = new PartWriter(path, pack);
    let words = '';
    stdin.on('error', (error) => (words = asFault(error, 'spooling it there').message));
    const admission = quota.admission(peer);
    const exit = new Promise<number>((resolve) => stdin.once('close', () => resolve(stdin.writableFinished && stdin.errored === null ? 0 : 1)));
    const news = this.#news.begin(context, peer, { ...pack, received: () => pack.offset + stdin.bytesWritten });
    let tellEnd = (): void => undefined;
    const ended = new Promise<void>((resolve) => (tellEnd = resolve));
    this.#arriving.set(path, { stop: () => stdin.destroy(), ended });
    const settle = async (exitCode: number): Promise<number> => {
      try {
        await admission.end();
        if (stdin.errored instanceof InputFault) throw await thrownAway(path, stdin.errored);
        if (exitCode !== 0 || (await partSize(path)) < pack.size) return 1;
        await verifyPart(path, pack);
        await takePack(context, { path, pack, peer, now: this.#clock.now() }, quota);
        this.#empty.delete(keyOf(context, peer.device));
        news.taken(pack.size);
        return 0;
      } catch (error) {
        const { message, code } = asFault(error, 'taking it in');
        words = message;
        this.#events.emit({ type: 'offer-refused', words: `a pack of ${peer.petname} was not taken in: ${words}`, peer: peer.petname, repo: context.shared().name, code });
        return 1;
      } finally {
        this.#arriving.delete(path);
        tellEnd();
      }
    };
    const admit = (part: Uint8Array): boolean => admission.admitBytes(part);
    return { stdin, stdout: Readable.from([]), exit, kill: () => stdin.destroy(), admit, stderrTail: () => admission.why ?? words, settle };
  }
}

async function thrownAway(path: string, why: InputFault): Promise<InputFault> {
  await rm(path, { force: true });
  return why;
}

function spoolOf({ stateDir }: RepoContext): string {
  return join(stateDir, 'spool');
}

/** Of its sender alone: no device may append to what another sends. */
function partPath(context: RepoContext, { device }: Peer, sha256: string): string {
  return join(spoolOf(context), `${context.shared().id}-${device}-${sha256}.part`);
}

function keyOf(context: RepoContext, device: DeviceId): string {
  return `${context.shared().id} ${device}`;
}

/** What a process was fed so far: a pipe counts that as sockets do. */
function bytesWritten(stream: object): number {
  return 'bytesWritten' in stream && typeof stream.bytesWritten === 'number' ? stream.bytesWritten : 0;
}
