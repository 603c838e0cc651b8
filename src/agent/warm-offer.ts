// An offer to a peer of which it is known what it holds of the map: one request, with the push already in it (docs/PROTOCOL.md, "Maps").
// Rule: it pushes exactly what was signed, on exactly what the peer was last known to hold; where that is not so, nothing is taken in.

import { concatBytes } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { InputFault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from '../git/environment.ts';
import { PacketReader, formatAdvertisement } from '../git/pkt-format.ts';
import { warmOfferArgs } from '../git/push.ts';
import type { GitProcess } from '../git/run.ts';
import { formatOfferHeaders } from '../link/http-format.ts';
import { openService } from '../link/services.ts';
import type { Requester, ServiceEnd } from '../link/services.ts';
import { cornerRef } from './maps-format.ts';
import type { Offer, PeerCopy } from './offer-types.ts';
import type { RepoContext } from './context.ts';

/** A larger push is bulk: it goes the long way, which lets other things pass and is accepted before it is sent. */
const MAX_WARM_BYTES = 32 * 1024;
/** To pack so little takes git no longer. */
const PACK_MS = 60_000;

/** What leads from the peer's copy to the offered map; must name at least one object. */
export interface WarmOffer {
  readonly offer: Offer;
  readonly copy: PeerCopy;
  readonly changes: ReadonlyMap<RefName, Oid | undefined>;
}

/**
 * Pushes, and waits for the answer.
 * @returns how it ended there, or undefined when the push is too large for one piece, or git had nothing to push
 * @throws Fault the peer's refusal; `bad-input` when it does not hold that copy; `timeout` when the link was lost
 */
export async function pushWarm(
  context: RepoContext,
  { session, clock }: { readonly session: Requester; readonly clock: Clock },
  warm: WarmOffer,
): Promise<ServiceEnd | undefined> {
  const { offer, copy } = warm;
  const process = startPush(context, warm);
  const late = clock.setTimer(PACK_MS, () => process.kill());
  const push = await readSmall(process).finally(() => late.cancel());
  if (push === undefined) return undefined;
  const headers = formatOfferHeaders({ device: offer.device, ...offer.signed, bases: [], base: copy.counter });
  const service = openService(session, `/repos/${context.shared().id}/offer`, headers);
  service.stream.end(push);
  await service.accepted;
  service.download.resume();
  return service.end;
}

function startPush(context: RepoContext, { offer, copy, changes }: WarmOffer): GitProcess {
  const inCorner = <T>(refs: ReadonlyMap<RefName, T>): Map<RefName, T> => new Map([...refs].map(([ref, oid]) => [cornerRef(offer.device, ref), oid]));
  const { args, config } = warmOfferArgs(inCorner(changes));
  const [anyOid] = [...offer.refs.values(), ...copy.refs.values()];
  if (anyOid === undefined) throw new InputFault('offer', 'names no object');
  const process = context.startGit(args, { ...inRepository(context.repository), config });
  process.stdin.end(formatAdvertisement(inCorner(copy.refs), anyOid));
  return process;
}

/** The whole push, taken out of its packets; undefined for a larger one, or one that breaks off. */
async function readSmall(process: GitProcess): Promise<Uint8Array | undefined> {
  const reader = new PacketReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdout) {
    if (!(chunk instanceof Uint8Array)) continue;
    for (const part of reader.push(chunk)) {
      parts.push(part);
      length += part.length;
    }
    if (length > MAX_WARM_BYTES) {
      process.kill();
      return undefined;
    }
  }
  return reader.isOver ? concatBytes(parts) : undefined;
}
