// An offer that a peer makes on a link, from its headers to the git that takes it in (docs/PROTOCOL.md, "Maps"). Rule: what is held already, or builds on something
// else, is refused before a byte of the push is read.

import { Fault, InputFault } from '../lib/errors.ts';
import type { Peer } from '../home/peers.ts';
import type { ServedProcess } from '../link/carry.ts';
import type { OfferHeaders } from '../link/http-format.ts';
import type { AnswerParts } from './answer.ts';
import type { Crossing } from './crossings.ts';
import type { RepoLoop } from './loop.ts';
import { openOffer } from './serve-git.ts';

/** Who asks, of what, and whether it may go on. */
export interface Begun {
  readonly loop: RepoLoop;
  readonly peer: Peer;
  readonly mayGoOn: () => boolean;
}

/**
 * @param taken.spki public key of the device whose map it is
 * @throws Fault `exists`; InputFault on another base than the one that is held
 */
export async function takeOffer(
  { slices, serve, events, clock }: Pick<AnswerParts, 'slices' | 'serve' | 'events' | 'clock'>,
  { loop, peer, mayGoOn }: Begun,
  { offer, spki, crossing }: { readonly offer: OfferHeaders; readonly spki: string; readonly crossing: Crossing },
): Promise<ServedProcess> {
  const { device, counter, base } = offer;
  const { maps, shared } = loop.context;
  // What that device told in an answer comes before what it offers next.
  await maps.idle();
  const held = maps.signed(device)?.counter ?? 0;
  if (counter <= held) {
    // The sender has it too: it need not be offered back.
    void loop.tell({ type: 'accepted', device, counter, via: peer.device });
    throw new Fault('exists', 'that map, or a newer one, is held here');
  }
  if (base !== undefined && base !== held) throw new InputFault('offer', 'builds on another map than the one that is held here');
  return openOffer(loop.context, offer, {
    crossing,
    peer,
    spki,
    settings: serve,
    mayStand: mayGoOn,
    onAccepted: (answer) => {
      slices.taken(loop.context, peer.device, device);
      void loop.accepted({ device, counter, via: peer.device }, answer);
    },
    onArrived: () => loop.prepare(),
    onUnstored: () => void loop.tell({ type: 'unstored', device, counter: maps.signed(device)?.counter ?? 0 }),
    clock,
    onRefused: (why) => events.emit({ type: 'offer-refused', words: `an offer of ${peer.petname} was not taken in: ${why}`, peer: peer.petname, repo: shared().name, code: 'git' }),
  });
}
