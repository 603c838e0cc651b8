// Prosody without limits, with everything it has.

import { startProsody } from '../helpers/prosody.ts';
import { oneAccount } from '../matrix/profile.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'Prosody, no limits, proxy65',
  isQuick: true,
  carriers: ['socks5'],
  start: () => oneAccount((accounts) => startProsody({ accounts })),
};
