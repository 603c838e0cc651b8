// Prosody that takes no stanza above the least that RFC 6120 §13.12 allows: 10 000 bytes.

import { startProsody } from '../helpers/prosody.ts';
import { oneAccount } from '../matrix/profile.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'Prosody, stanzas of 10 000 bytes at most',
  isQuick: false,
  carriers: ['in-band'],
  start: () => oneAccount((accounts) => startProsody({ accounts, stanzaLimit: 10_000, hasProxy: false })),
};
