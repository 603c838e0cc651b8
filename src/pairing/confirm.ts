// The last step of pairing: the tag that proves the secret, and the card sealed beside it.
// Rule: a card counts only after the tag did, and only when it names the address that the stanza came from.

import { Fault, InputFault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import { formatCard, parseCard } from './card-format.ts';
import type { DeviceCard } from './card-format.ts';
import { isTagOf } from './exchange.ts';
import type { RoleKeys } from './exchange.ts';
import type { ConfirmMessage } from './messages-format.ts';
import { sealOnce, unseal } from './sealing.ts';

/** One's own confirmation; made at most once for the same keys. */
export function makeConfirm(keys: RoleKeys, card: DeviceCard): ConfirmMessage {
  return { type: 'confirm', tag: keys.tag, sealed: sealOnce(keys.card, formatCard(card)) };
}

/**
 * The other side's card.
 * @param expected.from full JID that the message came from
 * @param expected.own one's own card, which nobody else may hand over
 * @throws Fault `bad-code` on a wrong tag or seal, InputFault on a card that may not be used
 */
export function openConfirm(
  keys: RoleKeys,
  message: ConfirmMessage,
  expected: { readonly from: FullJid; readonly own: DeviceCard },
): DeviceCard {
  if (!isTagOf(keys, message.tag)) throw new Fault('bad-code', 'the tag does not fit the code');
  const card = parseCard(unseal(keys.card, message.sealed));
  if (card.address !== expected.from) throw new InputFault('device card', 'its address is not the one it came from');
  if (card.device === expected.own.device) throw new InputFault('device card', 'is that of this device');
  return card;
}
