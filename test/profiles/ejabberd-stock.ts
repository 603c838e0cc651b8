// ejabberd as Debian configures it: 3 kB a second, no proxy.

import { startEjabberd } from '../helpers/ejabberd.ts';
import { oneAccount } from '../matrix/profile.ts';
import type { Profile } from '../matrix/profile.ts';

export const profile: Profile = {
  about: 'ejabberd, Debian’s configuration: 3 kB/s',
  isQuick: false,
  throttledTo: 2_000,
  carriers: ['in-band'],
  start: () => oneAccount((accounts) => startEjabberd({ accounts })),
};
