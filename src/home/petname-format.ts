// The local name of a new peer (docs/git-xmpp.1).
// Rule: always a valid remote name, and never one that is taken, whatever the peer calls itself.

import { Fault } from '../lib/errors.ts';
import { localOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { parsePetname } from '../lib/names.ts';
import type { Petname } from '../lib/names.ts';

/** Leaves room for a suffix below the 64 that a petname may have. */
const MAX_LENGTH = 48;

/**
 * An own device is called by its name; another account's by the local part of its JID, its next ones `anna-desktop`;
 * then `-2`, `-3`, …
 * @param name what the device calls itself
 * @param taken names not to use, in any case: petnames, and remotes that are there
 */
export function choosePetname(name: string, jid: BareJid, kind: 'own' | 'other', taken: Iterable<string>): Petname {
  const used = new Set(Array.from(taken, foldPetname));
  const bases = kind === 'own' ? [name] : [localOf(jid), `${localOf(jid)}-${name}`];
  const cleaned = bases.map(clean);
  for (const base of cleaned) if (!used.has(foldPetname(base))) return base;
  const last = cleaned.at(-1) ?? clean(name);
  for (let count = 2; ; count += 1) {
    const numbered = parsePetname(`${last}-${count}`);
    if (!used.has(foldPetname(numbered))) return numbered;
  }
}

/** What two petnames have in common when they are the same to a person, or to a file system that does not tell case. */
export function foldPetname(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function clean(text: string): Petname {
  const words = text
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[^\p{L}\p{N}]+/u, '');
  const short = Array.from(words).slice(0, MAX_LENGTH).join('').replace(/(?:\.lock|[._-])+$/i, '');
  try {
    return parsePetname(short);
  } catch (error) {
    if (error instanceof Fault) return parsePetname('peer');
    throw error;
  }
}
