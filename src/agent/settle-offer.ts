// How an offer ends: the refs that its push wrote are read and checked, and what there is to tell goes into the answer (docs/PROTOCOL.md, "Maps"). Rule: without a
// word it was taken in; whatever else happened, its corner is as it was.

import type { Clock } from '../lib/clock.ts';
import { asFault } from '../lib/errors.ts';
import type { Peer } from '../home/peers.ts';
import { formatToldMap } from '../link/http-format.ts';
import type { OfferHeaders, ToldMap } from '../link/http-format.ts';
import { freeLocks } from '../git/stale-locks.ts';
import type { Admission } from './admission.ts';
import type { RepoContext } from './context.ts';
import type { Crossing } from './crossings.ts';
import type { ServeSettings } from './serve-git.ts';

/** The answer to an offer waits at most this long for what is to be told in it. */
const TELL_MS = 2000;

/** What an offer rests on, and who is told of it. */
export interface OfferBy {
  readonly peer: Peer;
  readonly spki: string;
  readonly settings: ServeSettings;
  /** Whether the grant that it began with still lets it. */
  readonly mayStand: () => boolean;
  readonly crossing: Crossing;
  /** To be called with what is told of our own map in the answer, which waits for that; false when it came too late. */
  readonly onAccepted: (answer: (told: ToldMap | undefined) => boolean) => void;
  readonly clock: Clock;
  /** The push will be looked at soon: git is at work on it, or has ended where it may take long. */
  readonly onArrived: () => void;
  readonly onRefused: (why: string) => void;
  /** It is not held after all. */
  readonly onUnstored: () => void;
}

/** How an offer ended; without words it was taken in. */
export interface Settled {
  readonly words: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly isCrossed?: boolean;
}

/** @param isCrossed whether another offer of the device, or one that was taken in meanwhile, may be why its refs do not fit */
export async function settleOffer(
  context: RepoContext,
  offer: OfferHeaders,
  { by, admission, whyNot, isCrossed }: { readonly by: OfferBy; readonly admission: Admission; readonly whyNot: () => string | undefined; readonly isCrossed: () => boolean },
): Promise<Settled> {
  try {
    await admission.end();
    if (!by.mayStand()) {
      // What git wrote before it could be ended.
      await context.maps.restore(offer.device);
      return { words: 'this device may not offer there any more', fields: {} };
    }
    let telling: ReturnType<typeof toldInTime> | undefined;
    const begin = (): void => void (telling = toldInTime(by));
    if (admission.why !== undefined) await context.maps.restore(offer.device);
    else if (await context.maps.acceptPushed(offer.device, offer, by.spki, begin)) return { words: '', fields: await (telling ?? toldInTime(by)) };
    const known = whyNot();
    const words = known ?? 'the signature of the map does not fit the refs that came with it';
    // Another one came while this was on its way, and git found another corner than it had shown; or a git that was killed had left it locked.
    if (known === undefined && (isCrossed() || (await freeLocks(context.repository, offer.device, by.clock)))) return { words, fields: {}, isCrossed: true };
    by.onRefused(words);
    return { words, fields: {} };
  } catch (error) {
    by.onUnstored();
    by.onRefused(asFault(error, 'storing it').message);
    // Where it lies on this machine is nobody else's business.
    return { words: 'it could not be stored there', fields: {} };
  }
}

/** What is told in the answer, if it is known in time. */
async function toldInTime({ onAccepted, clock }: Pick<OfferBy, 'onAccepted' | 'clock'>): Promise<Readonly<Record<string, string>>> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(TELL_MS, () => answer(undefined));
    let isWaiting = true;
    const answer = (told: ToldMap | undefined): boolean => {
      if (!isWaiting) return false;
      isWaiting = false;
      timer.cancel();
      resolve((told === undefined ? undefined : formatToldMap(told)) ?? {});
      return true;
    };
    onAccepted(answer);
  });
}
