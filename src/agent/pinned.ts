// Whose key lets a link in (docs/THREATS.md, "The server, and whoever is in it"). Rule: the key of a paired device, from the account that it was paired with,
// which nobody has unpaired; everything else is a stranger's, this device's own key too.

import type { Peers } from '../home/peers.ts';
import type { BareJid } from '../lib/jid.ts';
import type { DeviceId } from '../lib/names.ts';

export interface PinnedFacts {
  readonly me: DeviceId;
  readonly peers: Pick<Peers, 'bySpki'>;
  readonly isRevoked: (device: DeviceId) => boolean;
}

/**
 * The peer that may come in with a key.
 * @param spki public key, base64 of its SPKI in DER
 * @param account where the carrier comes from
 */
export function findPinned({ me, peers, isRevoked }: PinnedFacts, spki: string, account: BareJid): DeviceId | undefined {
  const peer = peers.bySpki(spki);
  if (peer === undefined || peer.jid !== account || peer.device === me) return undefined;
  return isRevoked(peer.device) ? undefined : peer.device;
}
