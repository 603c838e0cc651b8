// `git xmpp pair`. Rule: both ends show whom they paired with, and the next command to type.

import { nap, realClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { AccountAnswer, PairLine, PairedAnswer } from '../agent/answers.ts';
import type { RenewAnswer } from '../agent/device-answers.ts';
import { untilStopped } from './daemon.ts';
import type { Door } from './door.ts';
import { print, say } from './out.ts';
import { askSecret, hasTerminal, readSecretLine } from './prompt.ts';

/** As long as a sign-in may take. */
const SIGN_IN_MS = 30_000;

export interface PairOptions {
  readonly with?: string;
  readonly as?: string;
  readonly invite?: boolean;
  readonly contact?: boolean;
  readonly newIdentity?: boolean;
}

/** Shows a code, or an invite; or types the one given. */
export async function pair(door: Door, code: string | undefined, options: PairOptions): Promise<void> {
  if (options.newIdentity === true) await renew(door);
  const common = { as: options.as, isContact: options.contact === true, with: options.with };
  if (code !== undefined) return join(door, { ...common, ...(await readCode(code)) });
  await show(door, { ...common, isInvite: options.invite === true });
}

/** A key for a device that was unpaired; the agent begins anew with it. */
async function renew(door: Door): Promise<void> {
  const { unpaired } = await door.ask<RenewAnswer>('POST', '/identity/renew');
  await untilStopped(door);
  say('this device has a new key');
  if (unpaired.length > 0) say(`paired with the old one, and to be paired again: ${unpaired.join(', ')}`);
  await untilSignedIn(door);
}

/** An agent that has just been started signs in by itself: waits until it has, or knows why not. */
async function untilSignedIn(door: Door): Promise<void> {
  const until = realClock.now() + SIGN_IN_MS;
  while (realClock.now() < until) {
    const { state } = await door.ask<AccountAnswer>('GET', '/account');
    if (state !== 'connecting') return;
    await nap(50);
  }
}

/** An invite is a secret of 256 bits: it is read from a prompt or standard input, never from the command line. */
async function readCode(code: string | undefined): Promise<{ code?: string; invite?: string }> {
  if (code !== undefined && code !== '-' && !code.startsWith('git-xmpp:')) return { code };
  if (code !== undefined && code !== '-') {
    throw new Fault('wrong-use', 'an invite on the command line would be seen by every user of this machine', {
      remedy: 'run "git xmpp pair -" and paste it there',
    });
  }
  const text = (hasTerminal() ? await askSecret('Code or invite: ') : await readSecretLine('code or invite')).trim();
  return text.startsWith('git-xmpp:') ? { invite: text } : { code: text };
}

async function join(door: Door, body: unknown): Promise<void> {
  tellPaired(await door.ask<PairedAnswer>('POST', '/pair/join', body));
}

async function show(door: Door, body: { readonly isInvite: boolean }): Promise<void> {
  for await (const line of door.lines<PairLine>('POST', '/pair', body)) {
    if (line.type === 'paired') return tellPaired(line);
    await tellLine(line);
    if (line.type === 'invite' && body.isInvite) return;
  }
  throw new Fault('bad-code', 'the code was not used', { remedy: 'run "git xmpp pair" again' });
}

async function tellLine(line: PairLine): Promise<void> {
  switch (line.type) {
    case 'code':
      say('On your other device, type:');
      if (line.address !== undefined) {
        print(`git xmpp pair ${line.code} --with ${line.address}`);
        return say('Waiting; the code works once. The address is needed because your server has no PEP (XEP-0163) to find this device by.');
      }
      print(`git xmpp pair ${line.code}`);
      say(`A friend with another account types: git xmpp pair ${line.code} --with ${line.jid}`);
      say('Waiting; the code works once.');
      return;
    case 'invite':
      return tellInvite(line.invite);
    case 'attempt':
      return say(`${line.by} is pairing…`);
    case 'burnt': {
      const wait = line.waitMs > 0 ? ` in ${Math.ceil(line.waitMs / 60_000)} minutes, or run "git xmpp pair --invite"` : '';
      throw new Fault('code-spent', `${line.by} tried a wrong code, so this one is spent`, { remedy: `run "git xmpp pair" again${wait}` });
    }
    case 'refused':
      return say(`${line.by}: ${line.words}`);
    case 'paired':
      return;
  }
}

async function tellInvite(invite: string): Promise<void> {
  say('Whoever has this may pair with this device, once, within 24 hours. On the other device run "git xmpp pair -" and paste it:');
  print(invite);
  if (!process.stderr.isTTY) return;
  const { renderUnicodeCompact } = await import('uqr');
  say(renderUnicodeCompact(invite));
}

function tellPaired({ peer, repos, hasOthers }: PairedAnswer): void {
  say(`paired with ${peer.petname} (${peer.name}, ${peer.jid})`);
  say(`its fingerprint: ${peer.fingerprint}`);
  if (hasOthers) say(`your other devices do not know it yet; to vouch for it: git xmpp introduce ${peer.petname}`);
  if (repos.length === 0) return say('next, in a repository: git xmpp share');
  say('it shares:');
  for (const repo of repos) say(`  git xmpp clone ${peer.petname}/${repo}`);
}
