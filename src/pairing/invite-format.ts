// Invites that people paste or scan: `git-xmpp:JID#secret`, the secret 256 bits in base64url (RFC 4648 §5).
// Rule: not `xmpp:`, which chat clients open and log; only the lookup id, a hash, is ever shown to a server.

import { createHash } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { utf8 } from '../lib/bytes.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import { domainOf, localOf, parseBareJid } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { PairingSecret } from './exchange.ts';

/** Length in bytes of an invite's secret. */
export const INVITE_SECRET_BYTES = 32;
/** How long an invite may be used, in milliseconds: 24 hours. */
export const INVITE_LIFETIME_MS = 86_400_000;

export interface Invite {
  /** Account whose device made it. */
  readonly jid: BareJid;
  readonly secret: Uint8Array;
}

const SCHEME = 'git-xmpp:';
const MAX_INVITE_LENGTH = 2048;
const ID_LABEL = utf8('git-xmpp-invite-id/1');

/** @param random 32 fresh random bytes */
export function makeInvite(jid: BareJid, random: Uint8Array): Invite {
  if (random.length !== INVITE_SECRET_BYTES) throw new Fault('internal', `an invite takes ${INVITE_SECRET_BYTES} random bytes`);
  return { jid, secret: random };
}

/** The invite as one word; each part of the JID is percent-encoded (RFC 3986 §2.1), for it may hold `#`. */
export function formatInvite({ jid, secret }: Invite): string {
  const address = `${encodeURIComponent(localOf(jid))}@${encodeURIComponent(domainOf(jid))}`;
  return `${SCHEME}${address}#${encodeBase64(secret).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}`;
}

/** Reads what a person pasted; white space around it is forgiven. @throws InputFault that never repeats the secret */
export function parseInvite(text: string): Invite {
  const word = text.trim();
  if (word.length > MAX_INVITE_LENGTH || word.slice(0, SCHEME.length).toLowerCase() !== SCHEME) {
    throw new InputFault('invite', `does not begin with "${SCHEME}"`);
  }
  const parts = word.slice(SCHEME.length).split('#');
  const [address, secret] = parts;
  if (address === undefined || secret === undefined || parts.length !== 2) {
    throw new InputFault('invite', `is not of the form ${SCHEME}JID#secret`);
  }
  return { jid: parseBareJid(decodePercent(address)), secret: parseSecret(secret) };
}

/** Public name of an invite, 32 hex digits, by which both sides find it; tells nothing of the secret. */
export function inviteId(secret: Uint8Array): string {
  return createHash('sha256').update(ID_LABEL).update(secret).digest('hex').slice(0, 32);
}

/** What an invite means to the key exchange; wrong guesses at 256 bits do not spend it. */
export function secretOfInvite({ secret }: Invite): PairingSecret {
  return { kind: 'invite', id: inviteId(secret), secret };
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputFault('invite', 'holds a broken percent-encoding');
  }
}

function parseSecret(text: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)) {
    throw new InputFault('invite', 'was cut short or garbled: its secret is not 43 characters of base64url', {
      remedy: 'copy the whole line, from "git-xmpp:" to its end',
    });
  }
  return decodeBase64(`${text.replaceAll('-', '+').replaceAll('_', '/')}=`, INVITE_SECRET_BYTES);
}
