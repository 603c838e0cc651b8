// In which order things are begun that go on side by side. Rule: what costs the server nothing begins first, so that its bytes are on their way before
// those that wait for a slow path; else the order stays as it was decided.

import type { DeviceId } from '../lib/names.ts';
import type { Intention } from '../sync/engine.ts';

/** @param isOnItsOwn whether the link to a peer runs past the XMPP server */
export function cheapestFirst(intentions: readonly Intention[], isOnItsOwn: (peer: DeviceId) => boolean): readonly Intention[] {
  const cost = (intention: Intention): number => (intention.type === 'offer' && !isOnItsOwn(intention.peer) ? 1 : 0);
  return intentions.toSorted((a, b) => cost(a) - cost(b));
}
