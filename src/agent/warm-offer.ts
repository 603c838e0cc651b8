// An offer to a peer of which it is known what it holds of the map: one request, with the push already in it (docs/PROTOCOL.md, "Maps").
// Rule: it pushes exactly what was signed, on exactly what the peer was last known to hold; where that is not so, nothing is taken in.

import type { ClientHttp2Session } from 'node:http2';
import { Transform } from 'node:stream';
import type { Readable, TransformCallback, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { concatBytes } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { inRepository } from '../git/environment.ts';
import { PacketReader, formatAdvertisement } from '../git/pkt-format.ts';
import { warmOfferArgs } from '../git/push.ts';
import { formatOfferHeaders } from '../link/http-format.ts';
import { openService } from '../link/services.ts';
import type { ServiceEnd } from '../link/services.ts';
import { cornerRef } from './maps-format.ts';
import type { Offer, PeerCopy } from './offer.ts';
import type { RepoContext } from './context.ts';

const GATHERED_BYTES = 4096;

/** What leads from the peer's copy to the offered map; must name at least one object. */
export interface WarmOffer {
  readonly offer: Offer;
  readonly copy: PeerCopy;
  readonly changes: ReadonlyMap<RefName, Oid | undefined>;
}

/**
 * Pushes, and waits for the answer.
 * @returns how it ended there, or undefined when git had nothing to push
 * @throws Fault the peer's refusal; `bad-input` when it does not hold that copy; `timeout` when the link was lost
 */
export async function pushWarm(context: RepoContext, session: ClientHttp2Session, { offer, copy, changes }: WarmOffer): Promise<ServiceEnd> {
  const corner = (refs: ReadonlyMap<RefName, Oid>): Map<RefName, Oid> => new Map([...refs].map(([ref, oid]) => [cornerRef(offer.device, ref), oid]));
  const { args, config } = warmOfferArgs(new Map([...changes].map(([ref, oid]) => [cornerRef(offer.device, ref), oid])));
  const process = context.startGit(args, { ...inRepository(context.repository), config });
  const [anyOid] = [...offer.refs.values(), ...copy.refs.values()];
  if (anyOid === undefined) throw new InputFault('offer', 'names no object');
  process.stdin.end(formatAdvertisement(corner(copy.refs), anyOid));
  const headers = formatOfferHeaders({ device: offer.device, ...offer.signed, bases: [], base: copy.counter });
  const service = openService(session, `/repos/${context.shared().id}/offer`, headers);
  service.end.catch(() => process.kill());
  // Before, there may be a refusal in it, which is read elsewhere.
  service.accepted.then(
    () => service.stream.resume(),
    () => undefined,
  );
  const push = new Unpacked();
  await Promise.allSettled([pipeline(process.stdout, push), send(push, service.stream)]);
  await service.accepted;
  return service.end;
}

/** A small push goes in one piece with the end of the request, and so fills one block; a large one flows. */
async function send(push: Readable, stream: Writable): Promise<void> {
  try {
    const first: Uint8Array[] = [];
    let length = 0;
    for await (const part of push.iterator({ destroyOnReturn: false })) {
      first.push(part);
      length += part.length;
      if (length > GATHERED_BYTES) break;
    }
    if (push.readableEnded) return void stream.end(concatBytes(first));
    stream.write(concatBytes(first));
    await pipeline(push, stream);
  } catch (error) {
    // Never a clean end behind half a push.
    stream.destroy();
    throw error;
  }
}

/** What lies in packets; an end without the last packet is none. */
class Unpacked extends Transform {
  readonly #reader = new PacketReader();

  override _transform(chunk: Uint8Array, _encoding: string, done: TransformCallback): void {
    try {
      for (const part of this.#reader.push(chunk)) this.push(part);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#reader.isOver ? null : new InputFault('push', 'ended before its end'));
  }
}
