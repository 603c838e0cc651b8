// Everything that reads bytes from outside, by name.

import type { Target } from '../target.ts';
import { AROUND_TARGETS } from './around.ts';
import { LINK_TARGETS } from './links.ts';
import { PEOPLE_TARGETS } from './people.ts';
import { STANZA_TARGETS } from './stanzas.ts';

export const TARGETS: readonly Target[] = [...STANZA_TARGETS, ...LINK_TARGETS, ...PEOPLE_TARGETS, ...AROUND_TARGETS];
