// Offers one map to one peer over a link: by name alone where the peer has every object, else as a push (docs/PROTOCOL.md, "The two lanes").
// Rule: the refs that are pushed are the device's corner as it was signed; what moves meanwhile is the next offer's.

import { join } from 'node:path';
import { asFault, Fault } from '../lib/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { freezeRefs } from '../git/frozen-refs.ts';
import { hasObjects } from '../git/refs.ts';
import { MAX_WARM_REFS, offerArgs } from '../git/push.ts';
import { NO_EXIT_CODE } from '../git/run.ts';
import { EXIT_CROSSED, formatOfferHeaders } from '../link/http-format.ts';
import type { ToldMap } from '../link/http-format.ts';
import { openService, requestJson } from '../link/services.ts';
import type { Requester, ServiceEnd, ServiceStream } from '../link/services.ts';
import { LEFT_REF, MAX_RECORDED_REFS, formatRecordedMap, parseLacking } from '../sync/record-format.ts';
import { diffMaps } from '../sync/map-format.ts';
import { nameableBases } from './bases.ts';
import { carryPush } from './carry-push.ts';
import type { RepoContext } from './context.ts';
import { cornerRef } from './maps-format.ts';
import type { Offer, OfferLink, PeerCopy } from './offer-types.ts';
import { sendSlices } from './slices.ts';
import { pushWarm } from './warm-offer.ts';

/** Long enough for an answer through a throttled server; the push itself has the pipe's own deadlines. */
const ANSWER_DEADLINE_MS = 60_000;
/** Of an offer that others of the same device cross. */
const MAX_TRIES = 3;
/** Of one whose git was killed there: once more, for it may have been killed for what the push costs. */
const MAX_TRIES_OF_KILLED = 2;
/** Of a map with more changes than are told by name it is asked only what is there: no device has such a counter, so none takes it in. */
const TOO_MUCH = { changes: new Map<RefName, Oid | undefined>(), base: 1 };
/** Below the agent's state: what is being offered; removed when the agent starts. */
export const OFFERS_DIR = 'offers';

/**
 * Delivers `offer`.
 * @returns the peer's own map, where it told it in its answer
 * @throws Fault `git` or a refusal in the peer's words when it was not taken in; `timeout` when the link was lost
 */
export async function deliverOffer(
  context: RepoContext,
  link: OfferLink,
  { offer, copy }: { readonly offer: Offer; readonly copy: PeerCopy },
): Promise<ToldMap | undefined> {
  const changes = diffMaps(copy.refs, offer.refs);
  const news = [...changes.values()].filter((oid): oid is Oid => oid !== undefined);
  const mayRecord = changes.size <= MAX_RECORDED_REFS && (copy.counter === 0 || news.every((oid) => copy.known.has(oid)));
  if (!mayRecord && copy.counter > 0 && changes.size <= MAX_WARM_REFS) {
    const end = await tryWarm(context, link, { offer, copy, changes });
    if (end !== undefined) return end.told;
  }
  const isCold = copy.counter === 0;
  const beside = elsewhere(copy);
  // It is asked about that before a history is cut by it: it may have been cloned anew, or come from a backup.
  const maybe = isCold ? await heldBases(context, offer, beside, copy) : [];
  const asking = mayRecord ? { changes, base: copy.counter } : TOO_MUCH;
  const answered = mayRecord || isCold ? await tellByName(context, link, { offer, ...asking, maybe }) : [];
  if (answered === undefined) return undefined;
  // Of a copy that is known little is missing; else a crash must not cost all that was sent before it.
  const { bases, isFast } = isCold ? await sendSlices(context, link, { tips: historyOf(offer), bases: answered }) : { bases: answered, isFast: false };
  return push(context, link, { offer, bases: await heldBases(context, offer, [...bases, ...beside], copy), isFast });
}

/**
 * What the peer holds outside the corner that it shows: its own branches and others'. Without a word of them they would be sent back to it; its answer names
 * its branches as they are now, which may be further on than what is here.
 */
function elsewhere({ refs, known }: PeerCopy): Oid[] {
  const shown = new Set(refs.values());
  return [...known].filter((oid) => !shown.has(oid));
}

/** Those of `tips` that are here too, as many as can be named. */
async function heldBases(context: RepoContext, offer: Offer, tips: readonly Oid[], { refs }: PeerCopy): Promise<readonly Oid[]> {
  return nameableBases(context, historyOf(offer), [...(await hasObjects(context.runGit, context.repository, tips))], refs.values());
}

/** What slices are cut of; the book of left commits comes with the offer itself. */
function historyOf({ refs }: Offer): Oid[] {
  return [...refs].filter(([ref]) => ref !== LEFT_REF).map(([, oid]) => oid);
}

/** @returns undefined where it is too large for that, or the peer turned out to hold another copy than was thought: then it is asked what it has */
async function tryWarm(context: RepoContext, link: Parameters<typeof pushWarm>[1], warm: Parameters<typeof pushWarm>[2]): Promise<ServiceEnd | undefined> {
  try {
    const end = await pushWarm(context, link, warm);
    return end?.exitCode === 0 ? end : undefined;
  } catch (error) {
    const { code } = asFault(error, 'offering');
    // It has come there by another way meanwhile.
    if (code === 'exists') return HELD_ALREADY;
    if (code === 'bad-input') return undefined;
    throw error;
  }
}

const HELD_ALREADY: ServiceEnd = { exitCode: 0, stderr: '', told: undefined };

/** @returns undefined when it was taken in, else tips of the peer to build on */
async function tellByName(
  context: RepoContext,
  { session, clock }: { readonly session: Requester; readonly clock: Clock },
  map: { readonly offer: Offer; readonly changes: ReadonlyMap<RefName, Oid | undefined>; readonly base: number; readonly maybe: readonly Oid[] },
): Promise<readonly Oid[] | undefined> {
  const { device, signed } = map.offer;
  const body = formatRecordedMap({ device, ...signed, base: map.base, changes: map.changes, maybe: map.maybe });
  const path = `/repos/${context.shared().id}/map`;
  const answer = await requestJson(session, { method: 'POST', path, body }, { clock, deadlineMs: ANSWER_DEADLINE_MS });
  return parseLacking(answer)?.tips;
}

async function push(
  context: RepoContext,
  { session, transfer }: OfferLink,
  { offer, bases, isFast }: { readonly offer: Offer; readonly bases: readonly Oid[]; readonly isFast: boolean },
): Promise<ToldMap | undefined> {
  const headers = formatOfferHeaders({ device: offer.device, ...offer.signed, bases });
  for (let tries = 1; ; tries += 1) {
    const end = await pushOnce(context, { session, transfer }, { offer, headers, isFast });
    if (end.exitCode === 0) return end.told;
    // What counts is whether the peer holds the map: of two offers at once the later one fails to move refs that are there already.
    const isPassing = end.exitCode === EXIT_CROSSED ? tries < MAX_TRIES : end.exitCode === NO_EXIT_CODE && tries < MAX_TRIES_OF_KILLED;
    if (!isPassing) throw notTakenIn(end);
  }
}

async function pushOnce(
  context: RepoContext,
  { session, transfer }: Pick<OfferLink, 'session' | 'transfer'>,
  { offer, headers, isFast }: { readonly offer: Offer; readonly headers: Readonly<Record<string, string>>; readonly isFast: boolean },
): Promise<ServiceEnd> {
  const service = openService(session, `/repos/${context.shared().id}/offer`, headers);
  try {
    await service.accepted;
  } catch (error) {
    // It has come there by another way meanwhile.
    if (asFault(error, 'offering').code === 'exists') return HELD_ALREADY;
    throw error;
  }
  return pushSigned(context, service, { offer, isFast }, (read) => transfer.part(read));
}

/** Pushes what was signed: by now the corner may be further on, and all of it would be refused there once it has been sent. */
async function pushSigned(
  context: RepoContext,
  service: ServiceStream,
  { offer, isFast }: { readonly offer: Offer; readonly isFast: boolean },
  tell: (read: () => number) => void,
): Promise<ServiceEnd> {
  const { device, refs } = offer;
  try {
    const corner = new Map([...refs].map(([ref, oid]) => [cornerRef(device, ref), oid]));
    const place = await freezeRefs(join(context.stateDir, OFFERS_DIR), context.repository, corner);
    try {
      return await carryPush(context, service, { ...offerArgs({ device, fdIn: 3, fdOut: 4, isFast }), place }, tell);
    } finally {
      await place.remove();
    }
  } catch (error) {
    // Not `close`, which sends an end before it resets: the other side must not take half of a push for a whole one.
    service.stream.destroy();
    throw error;
  }
}

function notTakenIn({ exitCode, stderr }: ServiceEnd): Fault {
  const why = stderr.trim() || `exit code ${exitCode}`;
  if (exitCode === EXIT_CROSSED) return new Fault('throttled', `the offer was not taken in for now, for another came first or a git there was killed: ${why}`);
  const isFull = /No space left on device|Out of diskspace|Disk quota exceeded/.test(why);
  return new Fault(isFull ? 'disk-full' : 'git', `the offer was not taken in: ${why}`);
}
