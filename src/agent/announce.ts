// Announcements to peers without a link: "these tips exist", signed by the device and sealed to one receiver (docs/PROTOCOL.md,
// "Announcements"). Rule: a hint, never the data; what is unsigned, old, ungranted or unknown is dropped and counted.

import { Decrypter, Encrypter } from 'age-encryption';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { isGranted } from '../lib/names.ts';
import type { Identity } from '../home/identity.ts';
import { grantOf } from '../home/repos.ts';
import type { Peer, Peers } from '../home/peers.ts';
import { MAX_ANNOUNCED_TIPS, signAnnouncement, verifyAnnouncement } from '../sync/announcement-format.ts';
import { diffMaps, mapHash } from '../sync/map-format.ts';
import type { RefsOfMap } from '../sync/map-format.ts';
import { NS_ANNOUNCE } from '../xmpp/namespaces.ts';
import { xml } from '../xmpp/element.ts';
import type { Element } from '../xmpp/element.ts';
import type { RepoLoop } from './loop.ts';
import { isToldMaps } from './shown-branches.ts';

/** A sealed announcement larger than this is dropped unread. */
const MAX_SEALED_BYTES = 4096;
/** Bytes of a ref name: 16 of them fit, whatever they are written in. */
const MAX_NAME_BYTES = 120;

/**
 * The stanza's payload that tells `to` of our newest map, or undefined when there is none that it may read.
 * @param tell.before our refs as they were announced last: what changed since is named
 * @param tell.hub `hashUrl` of a hub that has it
 */
export async function sealAnnouncement(
  loop: RepoLoop,
  identity: Identity,
  tell: { readonly to: Peer; readonly before: RefsOfMap; readonly hub?: string },
): Promise<Element | undefined> {
  const { context } = loop;
  const signed = context.maps.signed(identity.device);
  if (signed === undefined || !isToldMaps(context.shared(), tell.to)) return undefined;
  const refs = context.maps.refsOf(identity.device);
  const tips = newestTips(refs, tell.before);
  const rest = mapHash(new Map([...refs].filter(([ref]) => !tips.has(ref))));
  const announcement = { repo: context.shared().id, device: identity.device, counter: signed.counter, tips, rest, ...(tell.hub === undefined ? {} : { hub: tell.hub }) };
  const encrypter = new Encrypter();
  encrypter.addRecipient(tell.to.recipient);
  const sealed = await encrypter.encrypt(signAnnouncement(announcement, identity.keyPem));
  return xml('announcement', { xmlns: NS_ANNOUNCE }, encodeBase64(sealed));
}

/** What an announcement says, once everything about it has been checked. */
export interface Announced {
  readonly peer: Peer;
  readonly loop: RepoLoop;
  readonly counter: number;
  /** Whether that map is newer than the one held here. */
  readonly isNews: boolean;
  /** `hashUrl` of a hub that has something new. */
  readonly hub: string | undefined;
}

/** @returns undefined for anything that is to be dropped */
export async function openAnnouncement(
  payload: Element,
  identity: Identity,
  known: { readonly peers: Peers; readonly loops: () => readonly RepoLoop[] },
): Promise<Announced | undefined> {
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity.ageIdentity);
    const bytes = await decrypter.decrypt(decodeBase64(payload.text(), MAX_SEALED_BYTES));
    const said = verifyAnnouncement(bytes, (device: DeviceId) => known.peers.byDevice(device)?.spki);
    const peer = said === undefined ? undefined : known.peers.byDevice(said.device);
    const loop = known.loops().find(({ context }) => context.shared().id === said?.repo);
    if (said === undefined || peer === undefined || loop === undefined) return undefined;
    const held = loop.context.maps.signed(said.device)?.counter ?? 0;
    // What is pushed to a hub is often told a second time, by a link; an older one is a replay.
    const isOld = said.counter < held || (said.counter === held && said.hub === undefined);
    if (isOld || !isGranted(grantOf(loop.context.shared(), peer), 'offer')) return undefined;
    return { peer, loop, counter: said.counter, isNews: said.counter > held, hub: said.hub };
  } catch {
    return undefined;
  }
}

/** The first of what changed; long names are left to the digest of the rest, so that the whole stays small. */
function newestTips(refs: RefsOfMap, before: RefsOfMap): ReadonlyMap<RefName, Oid | undefined> {
  const changed = [...diffMaps(before, refs)].filter(([ref]) => Buffer.byteLength(ref) <= MAX_NAME_BYTES);
  return new Map(changed.slice(0, MAX_ANNOUNCED_TIPS));
}
