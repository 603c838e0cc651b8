// Prosody with no PEP, no proxy65, and sessions that are gone as soon as they are lost.

import { startProsody } from '../helpers/prosody.ts';
import { oneAccount } from '../matrix/profile.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'Prosody, no PEP, no proxy65, no stream management',
  isQuick: true,
  carriers: ['in-band'],
  start: () => oneAccount((accounts) => startProsody({ accounts, hasPep: false, hasProxy: false, hasSm: false })),
};
