// Prosody with the file that Debian's package installs: 10 kB a second from a client, hashed passwords, no proxy.

import { startProsody } from '../helpers/prosody.ts';
import { oneAccount } from '../matrix/profile.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'Prosody, Debian’s configuration: 10 kB/s',
  isQuick: false,
  throttledTo: 7_000,
  carriers: ['in-band'],
  start: () => oneAccount((accounts) => startProsody({ accounts, isStock: true })),
};
