// How far first transfers have come, for people (docs/PROTOCOL.md, "Slices"). Rule: the total is the sender's claim and decides nothing;
// an event comes with the first slice and then at most every ten seconds.

import type { Clock } from '../lib/clock.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';
import type { Peer } from '../home/peers.ts';
import type { SliceProgress } from '../link/http-format.ts';
import type { RepoContext } from './context.ts';
import type { Events } from './events.ts';
import { formatMegabytes } from './transfers.ts';
import type { Transfer } from './transfers.ts';

const EVENT_EVERY_MS = 10_000;

interface Coming {
  /** In whole slices. */
  done: number;
  total: number;
  /** Of the slice that comes in now. */
  received: () => number;
  toldAt: number;
  readonly transfer: Transfer;
}

/** Transfers that are under way. */
export class SliceNews {
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'emit'>;
  readonly #transfers = new Map<string, Coming>();

  constructor({ clock, events }: { readonly clock: Clock; readonly events: Pick<Events, 'emit'> }) {
    this.#clock = clock;
    this.#events = events;
  }

  /** In bytes; a total of 0 is not known yet. */
  progress(repo: RepoId, device: DeviceId): SliceProgress | undefined {
    const transfer = this.#transfers.get(`${repo} ${device}`);
    return transfer === undefined ? undefined : { done: transfer.done + transfer.received(), total: transfer.total };
  }

  /** A slice begins. */
  begin(
    context: RepoContext,
    peer: Peer,
    slice: { readonly progress?: SliceProgress; readonly received: () => number },
  ): { readonly taken: (bytes: number) => void } {
    const key = `${context.shared().id} ${peer.device}`;
    const before = this.#transfers.get(key);
    const { done = before?.done ?? 0, total = before?.total ?? 0 } = slice.progress ?? {};
    const { id: repo, name: repoName } = context.shared();
    const { device, petname } = peer;
    const transfer = before?.transfer ?? context.transfers.begin({ repo, repoName, device, petname, kind: 'offer', direction: 'down', isLasting: true });
    const coming = { done, total, received: slice.received, toldAt: before?.toldAt ?? -Infinity, transfer };
    this.#transfers.set(key, coming);
    transfer.part(() => coming.done + coming.received() - done, { done, total });
    return { taken: (bytes) => this.#taken(coming, { bytes, peer, repo: context.shared().name }) };
  }

  /** The map itself has come. */
  end(context: RepoContext, device: DeviceId): void {
    const key = `${context.shared().id} ${device}`;
    this.#transfers.get(key)?.transfer.end(true);
    this.#transfers.delete(key);
  }

  #taken(transfer: Coming, { bytes, peer, repo }: { readonly bytes: number; readonly peer: Peer; readonly repo: string }): void {
    transfer.done += bytes;
    transfer.received = () => 0;
    const now = this.#clock.now();
    if (now - transfer.toldAt < EVENT_EVERY_MS) return;
    transfer.toldAt = now;
    const of = transfer.total === 0 ? '' : ` of ${formatMegabytes(Math.max(transfer.total, transfer.done))}`;
    const words = `took in ${formatMegabytes(transfer.done)}${of} of ${repo} from ${peer.petname}`;
    this.#events.emit({ type: 'slice', words, peer: peer.petname, repo, bytes: transfer.done });
  }
}
