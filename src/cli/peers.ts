// `git xmpp peers`, `rename`, `unpair`. Rule: who it is, how it is reached, what it may do; and whoever is unpaired: who knows it, and what to do next.

import type { GrantStatus, PeersAnswer, UnpairAnswer } from '../agent/device-answers.ts';
import { realClock } from '../lib/clock.ts';
import type { Door } from './door.ts';
import { print, say, table } from './out.ts';
import { presence } from './words-format.ts';

export async function listPeers(door: Door, options: { readonly json?: boolean }): Promise<void> {
  const answer = await door.ask<PeersAnswer>('GET', '/peers');
  if (options.json === true) return print(JSON.stringify(answer, null, 2));
  for (const note of answer.notes) say(note);
  if (answer.peers.length === 0) return say('no device is paired yet: git xmpp pair');
  const now = realClock.now();
  const rows = answer.peers.map((peer) => [peer.petname, peer.jid, presence(peer, now), peer.fingerprint, peer.via === undefined ? '' : `via ${peer.via}`]);
  for (const [index, line] of table(rows).entries()) {
    print(line);
    for (const grant of answer.peers[index]?.grants ?? []) if (grant.grant !== 'none') print(`  ${describeGrant(grant)}`);
  }
}

/** `notes: write, branches main release/*`. */
export function describeGrant({ repo, grant, branches }: GrantStatus): string {
  return `${repo}: ${grant}${branches === undefined ? '' : `, branches ${branches.join(' ')}`}`;
}

export async function rename(door: Door, peer: string, name: string): Promise<void> {
  await door.ask('POST', '/peers/rename', { peer, name });
  say(`${peer} is called ${name} now`);
}

export async function unpair(door: Door, peer: string): Promise<void> {
  const { kind, orphans, ...outcome } = await door.ask<UnpairAnswer>('POST', '/peers/unpair', { peer });
  if (kind === 'other') return say(`${peer} is not paired any more, here; its links are ended`);
  say(`${peer} is not paired any more, with none of your devices, and for good: pairing it again needs a new key there`);
  tellOutcome(outcome);
  for (const orphan of orphans) say(`${orphan} was introduced by ${peer}: git xmpp unpair ${orphan}, if you do not know it`);
  say('whoever has it still knows the password of this account, and with it the server lets them in: change the password if that device was lost or stolen');
}

/** Which devices know it, and which are told later. */
export function tellOutcome({ told, later }: { readonly told: readonly string[]; readonly later: readonly string[] }): void {
  if (told.length > 0) say(`told: ${told.join(', ')}`);
  if (later.length > 0) say(`offline, told when they sign in: ${later.join(', ')}`);
}
