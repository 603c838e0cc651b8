// `git xmpp introduce`. Rule: who is paired with whom now, who hears of it later, and what was not taken.

import { Fault } from '../lib/errors.ts';
import type { IntroduceAnswer } from '../agent/device-answers.ts';
import type { Door } from './door.ts';
import { say } from './out.ts';
import { tellOutcome } from './peers.ts';

export async function introduce(door: Door, peer: string): Promise<void> {
  const { refused, ...outcome } = await door.ask<IntroduceAnswer>('POST', '/peers/introduce', { peer });
  say(`${peer} and your other devices are introduced to each other`);
  tellOutcome(outcome);
  for (const words of refused) say(words);
  if (refused.length > 0) throw new Fault('not-granted', 'not every device takes it', { remedy: 'pair those two by a code: git xmpp pair' });
}
