// Two accounts on two Prosody servers that talk to each other.

import { startFederation } from '../helpers/federation.ts';
import { PASSWORD } from '../matrix/profile.ts';
import type { Profile, ProfileSetting } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'two Prosody servers, an account on each',
  isQuick: false,
  carriers: ['in-band'],
  start: () => federate({}),
};

/** @param options limits of both servers */
export async function federate(options: Parameters<typeof startFederation>[0]): Promise<ProfileSetting> {
  const servers = await startFederation(options);
  await servers.north.addAccount('romeo', PASSWORD);
  await servers.south.addAccount('juliet', PASSWORD);
  return {
    homes: [
      { server: servers.north, account: 'romeo' },
      { server: servers.south, account: 'juliet' },
    ],
    stop: () => servers.stop(),
  };
}
