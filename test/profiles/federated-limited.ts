// Two Prosody servers with Debian's limits between them: 30 kB a second for all accounts of the other together, 10 kB from a client.

import { federate } from './federated.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'two Prosody servers, 10 kB/s from clients, 30 kB/s from servers',
  isQuick: false,
  throttledTo: 7_000,
  carriers: ['in-band'],
  start: () => federate({ rate: '10kb/s', s2sRate: '30kb/s' }),
};
