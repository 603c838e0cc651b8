// What a person may set for the whole agent under `xmpp.…` (docs/git-xmpp.1, "CONFIGURATION"), as values. Rule: each is parsed strictly; one that
// is none of its kind is named, and the default holds.

import { InputFault } from '../lib/errors.ts';
import { LOG_LEVELS } from '../lib/log.ts';
import type { LogLevel } from '../lib/log.ts';

/** Which connections past the XMPP server and its proxies are made: none, those within private networks, or any (`xmpp.direct`). */
export type DirectMode = 'off' | 'private' | 'public';

/** `xmpp.direct`: git's words for true and false, or `public`. @throws InputFault */
export function parseDirectMode(text: string): DirectMode {
  const word = text.toLowerCase();
  if (['false', 'no', 'off', '0', ''].includes(word)) return 'off';
  if (['true', 'yes', 'on', '1'].includes(word)) return 'private';
  if (word === 'public') return 'public';
  throw new InputFault('xmpp.direct', `"${text.slice(0, 40)}" is none of true, false and public`);
}

/** `xmpp.logLevel`, and `--level`. @throws InputFault */
export function parseLogLevel(what: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text.toLowerCase());
  if (level === undefined) throw new InputFault(what, `"${text.slice(0, 40)}" is none of ${LOG_LEVELS.join(', ')}`);
  return level;
}
