// Servers as they are found in the world: every file of test/profiles is one, and runs the whole of profiles.spec.ts.
// Rule: a profile says what its server offers, and the scenarios judge by that; nothing else in a test knows which server it is.

import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { XmppServer } from '../helpers/xmpp-server.ts';

export const PASSWORD = 'correct-horse';

/** One of the two devices' accounts. */
export interface Home {
  readonly server: XmppServer;
  readonly account: string;
}

export interface ProfileSetting {
  /** Of laptop and desktop; equal where both are of one account. */
  readonly homes: readonly [Home, Home];
  stop(): Promise<void>;
}

export interface Profile {
  /** For the table of the README. */
  readonly about: string;
  /** Whether it is part of `npm test`: what Debian's Prosody can be, and takes seconds. */
  readonly isQuick: boolean;
  /** Bytes a second that get through in-band, where the server throttles. */
  readonly throttledTo?: number;
  /** Carriers on which the bulk of a clone may end, where devices offer no addresses of their own. */
  readonly carriers: readonly ('in-band' | 'socks5')[];
  start(): Promise<ProfileSetting>;
}

/** A profile with the name of its file. */
export interface NamedProfile extends Profile {
  readonly name: string;
}

/** All profiles, or those that XMPP_PROFILES names (`all`, or names with commas); without it the quick ones. */
export async function chosenProfiles(chosen = process.env.XMPP_PROFILES): Promise<readonly NamedProfile[]> {
  const names = readdirSync(path.join(import.meta.dirname, '../profiles'))
    .map((file) => file.replace(/\.ts$/, ''))
    .sort();
  const all = await Promise.all(names.map(async (name): Promise<NamedProfile> => ({ name, ...((await import(`../profiles/${name}.ts`)) as { readonly profile: Profile }).profile })));
  if (chosen === undefined || chosen === '') return all.filter(({ isQuick }) => isQuick);
  if (chosen === 'all') return all;
  return chosen.split(',').map((wanted) => {
    const found = all.find(({ name }) => name === wanted);
    if (found === undefined) throw new Error(`there is no profile "${wanted}": ${names.join(', ')}`);
    return found;
  });
}

/** Both devices on one account of one server. */
export async function oneAccount(start: (accounts: Readonly<Record<string, string>>) => Promise<XmppServer>): Promise<ProfileSetting> {
  const server = await start({ romeo: PASSWORD });
  const home = { server, account: 'romeo' };
  return { homes: [home, home], stop: () => server.stop() };
}
