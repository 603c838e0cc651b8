// What people read of devices that were unpaired or introduced (docs/git-xmpp.1). Rule: pure; who, when, and what to type.

import { Fault } from '../lib/errors.ts';
import type { Peer } from '../home/peers.ts';
import type { HeldRevocation, Unpaired } from './device-book-format.ts';

/** What a new key is made by. */
export const RENEW = 'git xmpp pair --new-identity';

/** `2026-11-25 19:50`, in local time. */
export function formatMoment(at: number): string {
  const then = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${two(then.getHours())}:${two(then.getMinutes())}`;
}

/** `this device was unpaired by laptop on 2026-11-25 19:50`. */
export function describeUnpaired({ byName, at }: Unpaired): string {
  return `this device was unpaired by ${byName} on ${formatMoment(at)}`;
}

/** What this device says of itself from then on. */
export function unpairedNote(unpaired: Unpaired): string {
  return `${describeUnpaired(unpaired)}: your other devices let it in no more. Its repositories, commits and hubs stay as they are; "${RENEW}" begins anew with a new key`;
}

export function unpairedFault(unpaired: Unpaired): Fault {
  const remedy = `${RENEW}   (a new key; the repositories here stay as they are)`;
  return new Fault('not-paired', `${describeUnpaired(unpaired)}, and that is final`, { remedy });
}

/** A device that shows its card and was unpaired. */
export function revokedFault(name: string, { byName, at }: HeldRevocation): Fault {
  return new Fault('not-paired', `${name} was unpaired by ${byName} on ${formatMoment(at)}, and that is final`, { remedy: `there, for a new key: ${RENEW}` });
}

/** `laptop was unpaired by desktop on …`, of a name that is known no more. */
export function describeRevoked(name: string, { byName, at }: HeldRevocation): string {
  return `${name} was unpaired by ${byName} on ${formatMoment(at)}`;
}

/** One that was vouched for by a device which is unpaired now. */
export function orphanNote({ petname, viaName }: Peer): string {
  const by = viaName ?? 'a device';
  return `${petname} was introduced by ${by}, which is unpaired: "git xmpp unpair ${petname}" if you do not know it; pair the two by a code (git xmpp pair) to keep it`;
}
