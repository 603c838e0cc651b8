// The slices that go before a large offer (docs/PROTOCOL.md, "Slices"). Rule: each slice is whole and kept by the peer before the next is
// begun, so that a crash of either side costs one slice; where the peer takes none, the offer alone is sent as ever.

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { asFault, Fault } from '../lib/errors.ts';
import type { Oid } from '../lib/names.ts';
import { arrivingRef } from '../git/partials.ts';
import { sliceArgs } from '../git/push.ts';
import { hasObjects } from '../git/refs.ts';
import { measureRange, packStep, sortTips, walkSteps } from '../git/steps.ts';
import type { Range } from '../git/steps.ts';
import { findSpooled, hasRoom, spoolPack } from '../home/spool.ts';
import type { SpooledPack } from '../home/spool.ts';
import { formatPackHeaders, formatSliceHeaders, parsePackState } from '../link/http-format.ts';
import type { SliceProgress } from '../link/http-format.ts';
import { passedBytes } from '../link/bulk-gate.ts';
import { openService, requestJson } from '../link/services.ts';
import type { ServiceEnd } from '../link/services.ts';
import { isFastPath, MIN_SLICE_BYTES, nextLimit, SlicePlanner } from '../sync/slice-plan.ts';
import type { Slice, Step } from '../sync/slice-plan.ts';
import { carryPush } from './carry-push.ts';
import type { RepoContext } from './context.ts';
import type { OfferLink } from './offer-types.ts';

/** The peer may first have to end what an earlier try left there: checking a pack of gigabytes. */
const STATE_DEADLINE_MS = 600_000;

/**
 * Sends what the peer lacks of `tips` but for a last piece, which is no larger than a slice.
 * @param asked.tips of the map that is to be offered
 * @param asked.bases tips of the peer, at most 16, also of slices that it kept from an earlier try
 * @returns bases for the offer, what the peer holds now, newest first, however many; and whether the last slice went fast
 * @throws Fault as an offer does
 */
export async function sendSlices(
  context: RepoContext,
  link: OfferLink,
  asked: { readonly tips: Iterable<Oid>; readonly bases: readonly Oid[] },
): Promise<{ readonly bases: readonly Oid[]; readonly isFast: boolean }> {
  const { runGit, repository } = context;
  const bases = [...(await hasObjects(runGit, repository, asked.bases))];
  const { commits, others } = await sortTips(runGit, repository, [...new Set(asked.tips)]);
  const sender = new SliceSender(context, link, { tips: commits, bases });
  for await (const step of stepsOf(context, { commits, others, bases })) {
    if (!(await sender.take(step))) break;
  }
  return { bases: [...sender.sent, ...bases], isFast: sender.isFast };
}

/** Of a history that cannot be read no more is cut: the push itself says what is wrong with it. */
async function* stepsOf(
  { startGit, runGit, repository }: RepoContext,
  { commits, others, bases }: { readonly commits: readonly Oid[]; readonly others: readonly Oid[]; readonly bases: readonly Oid[] },
): AsyncGenerator<Step, void> {
  try {
    if (commits.length > 0) yield* walkSteps(startGit, repository, { tips: commits, bases });
    for (const oid of others) yield { oid, parents: [], bytes: await measureRange(runGit, repository, { tips: [oid], bases: [] }) };
  } catch {
    return;
  }
}

class SliceSender {
  readonly #context: RepoContext;
  readonly #link: OfferLink;
  readonly #range: Range;
  readonly #planner = new SlicePlanner();
  #limit = MIN_SLICE_BYTES;
  #done = 0;
  /** Of the slice that goes out now. */
  #read: () => number = () => 0;
  /** What there was before this try and what is to come, once it has been measured. */
  #measured: { readonly before: number; readonly lacking: number } | undefined;
  /** Tips that the peer holds by slices of this try, newest first. */
  sent: readonly Oid[] = [];
  /** The last slice went fast. */
  isFast = false;

  constructor(context: RepoContext, link: OfferLink, range: Range) {
    this.#context = context;
    this.#link = link;
    this.#range = range;
  }

  /** @returns whether the peer takes slices at all */
  async take(step: Step): Promise<boolean> {
    for (const slice of this.#planner.add(step, this.#limit)) {
      if (this.sent.length === 0) void this.#measure();
      const from = this.#link.clock.now();
      try {
        await this.#send(slice);
      } catch (error) {
        // An older version knows no such request.
        if (asFault(error, 'sending a slice').code !== 'bad-input') throw error;
        return false;
      }
      const took = { bytes: slice.bytes, ms: this.#link.clock.now() - from };
      this.#limit = nextLimit(this.#limit, took);
      this.isFast = isFastPath(took);
      this.#done += slice.bytes;
      this.#tell(() => 0);
      this.sent = [...slice.tips, ...this.sent];
    }
    return true;
  }

  async #send(slice: Slice): Promise<void> {
    const pack = slice.giant === undefined ? undefined : await this.#spool(slice.giant);
    if (pack === undefined) return this.#push(slice);
    try {
      await this.#pushParents(slice.giant);
      await this.#sendPack(pack, slice);
    } catch (error) {
      // A spool takes the pack twice for a while: where only that is too much, one push may still fit.
      if (asFault(error, 'sending a pack').code !== 'disk-full') throw error;
      await this.#push(slice);
      await rm(pack.path, { force: true });
    }
  }

  /** A pack brings none of its parents, and bases are what the peer is thought to hold: one that it lacks comes by git, which asks. */
  async #pushParents(giant: Step | undefined): Promise<void> {
    const tips = (giant?.parents ?? []).filter((oid) => !this.sent.includes(oid));
    if (tips.length > 0) await this.#push({ tips });
  }

  /** What this try has sent is shown to the push. */
  async #push({ tips }: Pick<Slice, 'tips'>): Promise<void> {
    const { bases } = this.#range;
    const service = openService(this.#link.session, this.#path('partial'), formatSliceHeaders({ bases, ...this.#progress() }));
    await service.accepted;
    const named = tips.map((oid, index) => ({ oid, to: arrivingRef(this.#context.me, index) }));
    const end = await carryPush(this.#context, service, sliceArgs({ tips: named, fdIn: 3, fdOut: 4, isFast: this.isFast }), (read) => this.#tell(read));
    if (end.exitCode !== 0) throw notTaken(end);
  }

  /** The pack of one step on our disk, written now or by an earlier try; undefined where the disk has no room for it. */
  async #spool(step: Step): Promise<SpooledPack | undefined> {
    const { startGit, repository, stateDir, shared } = this.#context;
    const dir = join(stateDir, 'spool');
    const key = `${shared().id}-${step.oid}`;
    const found = await findSpooled(dir, key);
    if (found !== undefined) return found;
    if (!(await hasRoom(dir, step.bytes))) return undefined;
    const git = packStep(startGit, repository, step);
    try {
      return await spoolPack(dir, key, Readable.from(wholeOf(git.stdout, git.exit)));
    } catch (error) {
      // It may not have read a byte, and git would wait for ever.
      git.kill();
      git.stdout.destroy();
      throw error;
    }
  }

  async #sendPack(pack: SpooledPack, { tips, giant }: Slice): Promise<void> {
    const { session, clock } = this.#link;
    const [tip] = giant === undefined ? tips : [giant.oid];
    if (tip === undefined) return;
    const path = this.#path(`packs/${pack.sha256}`);
    const offset = parsePackState(await requestJson(session, { method: 'GET', path }, { clock, deadlineMs: STATE_DEADLINE_MS }));
    const service = openService(session, path, formatPackHeaders({ offset, size: pack.size, tip, ...this.#progress() }));
    await service.accepted;
    this.#tell(() => offset + passedBytes(service.upload));
    service.download.resume();
    const file = createReadStream(pack.path, { start: offset });
    service.end.catch(() => file.destroy());
    await Promise.allSettled([pipeline(file, service.upload)]);
    const end = await service.end;
    if (end.exitCode !== 0) throw notTaken(end);
    await rm(pack.path, { force: true });
  }

  #path(last: string): string {
    return `/repos/${this.#context.shared().id}/${last}`;
  }

  /** Beside the first slice, so that it holds up nothing. */
  async #measure(): Promise<void> {
    const { runGit, repository } = this.#context;
    const { tips, bases } = this.#range;
    try {
      const lacking = await measureRange(runGit, repository, { tips, bases });
      const all = bases.length === 0 ? lacking : await measureRange(runGit, repository, { tips, bases: [] });
      this.#measured = { before: all - lacking, lacking };
      this.#tell(this.#read);
    } catch {
      // Without it people are told what came, and not of how much.
    }
  }

  /** Between two slices nothing of the one before counts any more: it is in what is done. */
  #tell(read: () => number): void {
    this.#read = read;
    this.#link.transfer.part(read, this.#progress().progress ?? { done: this.#done, total: 0 });
  }

  #progress(): { readonly progress?: SliceProgress } {
    if (this.#measured === undefined) return {};
    const { before, lacking } = this.#measured;
    return { progress: { done: before + this.#done, total: before + lacking } };
  }
}

/** `stdout` to its end, which is an error when the process failed. */
async function* wholeOf(stdout: AsyncIterable<unknown>, exit: Promise<number>): AsyncGenerator<unknown, void> {
  yield* stdout;
  if ((await exit) !== 0) throw new Fault('git', 'git pack-objects failed');
}

function notTaken({ exitCode, stderr }: ServiceEnd): Fault {
  const why = stderr.trim() === '' ? `exit code ${exitCode}` : stderr.trim();
  const isFull = /No space left on device|Out of diskspace|Disk quota exceeded|no room/.test(why);
  return new Fault(isFull ? 'disk-full' : 'git', `a slice was not taken in: ${why}`);
}
