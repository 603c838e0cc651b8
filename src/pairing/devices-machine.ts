// What a device list of another device changes here (docs/PROTOCOL.md, "Own devices"). Rule: pure; only own devices that were not unpaired are heard,
// and about own devices alone; what was unpaired stays so, whatever comes later, twice or in another order.

import type { BareJid } from '../lib/jid.ts';
import type { DeviceId } from '../lib/names.ts';
import { MAX_REVOKED } from './devices-format.ts';
import type { DeviceList, Revoked } from './devices-format.ts';
import type { DeviceCard } from './card-format.ts';

/** What is known here of a paired device. */
export interface PairedFacts {
  readonly kind: 'own' | 'other';
  /** Who introduced it, where it was not paired by hand. */
  readonly via?: DeviceId | undefined;
}

export interface DevicesFacts {
  readonly me: DeviceId;
  readonly account: BareJid;
  readonly paired: (device: DeviceId) => PairedFacts | undefined;
  readonly revoked: ReadonlyMap<DeviceId, Revoked>;
  /** Counter of the newest list of each device that was taken in. */
  readonly seen: ReadonlyMap<DeviceId, number>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Whoever was away for longer than this pairs by hand. */
export const INTRODUCTION_MS = 30 * 86_400_000;

export type Verdict =
  /** It counts for nothing. `why` completes "the list of laptop …". */
  | { readonly type: 'refused'; readonly why: string }
  /** The very list that is known. */
  | { readonly type: 'known' }
  | {
      readonly type: 'taken';
      /** Devices that are held for unpaired from now on; this one may be among them. */
      readonly revoked: readonly Revoked[];
      /** Devices to be added as peers. */
      readonly added: readonly DeviceCard[];
      /** What of it does not count; each completes "laptop …". */
      readonly refused: readonly string[];
    };

/** Judges a list whose signature fits the device that it names. */
export function judgeList(list: DeviceList, facts: DevicesFacts): Verdict {
  const signer = facts.paired(list.device);
  if (facts.revoked.has(list.device)) return { type: 'refused', why: 'counts for nothing: that device was unpaired itself' };
  if (signer?.kind !== 'own' || list.account !== facts.account) return { type: 'refused', why: 'is not of a device of this account' };
  const seen = facts.seen.get(list.device) ?? 0;
  if (list.counter < seen) return { type: 'refused', why: 'is older than one that was read before' };
  if (list.counter === seen) return { type: 'known' };
  const refused: string[] = [];
  const revoked = list.revoked.filter((each) => mayRevoke(each, facts, (why) => refused.push(why)));
  const room = MAX_REVOKED - facts.revoked.size;
  // Those that are paired here, or are this very device, come first: a list full of strangers must not keep them.
  const isHere = ({ device }: Revoked): boolean => device === facts.me || facts.paired(device) !== undefined;
  const held = [...revoked.filter(isHere), ...revoked.filter((each) => !isHere(each)).slice(0, Math.max(0, room))];
  const gone = new Set([...facts.revoked.keys(), ...held.map(({ device }) => device)]);
  return { type: 'taken', revoked: held, added: introducedBy(list, { ...facts, isIntroduced: signer.via !== undefined, gone }, refused), refused };
}

function mayRevoke({ device }: Revoked, { revoked, paired }: DevicesFacts, refuse: (why: string) => void): boolean {
  if (revoked.has(device)) return false;
  if (paired(device)?.kind !== 'other') return true;
  refuse('unpairs a device of another account, which is not its to unpair');
  return false;
}

function introducedBy(
  { device, introduced }: DeviceList,
  { me, account, paired, isIntroduced, gone, now }: DevicesFacts & { readonly isIntroduced: boolean; readonly gone: ReadonlySet<DeviceId> },
  refused: string[],
): DeviceCard[] {
  const news = introduced.filter(({ card, to }) => to.includes(me) && card.device !== me && card.device !== device && paired(card.device) === undefined);
  const added: DeviceCard[] = [];
  for (const { card, at } of news) {
    if (isIntroduced) refused.push(`was introduced itself, so it may not introduce ${card.name}`);
    else if (card.jid !== account) refused.push(`introduces ${card.name}, a device of another account`);
    else if (gone.has(card.device)) refused.push(`introduces ${card.name}, which was unpaired`);
    else if (now - at >= INTRODUCTION_MS) refused.push(`introduced ${card.name} more than 30 days ago, so pair the two by a code`);
    else added.push(card);
  }
  return added;
}
