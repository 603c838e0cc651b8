// Every breakage. Rule: each is one small edit, and one that a type checker would not stop.

import type { Breakage } from '../breakage.ts';
import { AGENT } from './agent.ts';
import { CARRIERS } from './carriers.ts';
import { CONTROL } from './control.ts';
import { GIT } from './git.ts';
import { HOME } from './home.ts';
import { LINK } from './link.ts';
import { PAIRING } from './pairing.ts';
import { PIPE } from './pipe.ts';
import { SYNC } from './sync.ts';
import { WHOLE } from './whole.ts';
import { XMPP } from './xmpp.ts';

export const BREAKAGES: readonly Breakage[] = [...SYNC, ...GIT, ...PIPE, ...PAIRING, ...LINK, ...CARRIERS, ...XMPP, ...AGENT, ...CONTROL, ...HOME, ...WHOLE];
