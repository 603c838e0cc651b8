// How a device says no while pairing: a stanza error (RFC 6120 §8.3) with an element of our own inside, and the words it means.
// Rule: a refusal never says how near a guess was.

import { Element } from 'ltx';
import { Fault } from '../lib/errors.ts';
import type { SecretKind } from './exchange.ts';
import { NS_PAIR } from './messages-format.ts';

const REFUSALS = ['code-spent', 'wrong-code', 'busy', 'newer-version', 'bad-message'] as const;

/** Why a device does not go on with a try. */
export type Refusal = (typeof REFUSALS)[number];

/** A stanza error's `type` and defined condition. */
export interface StanzaError {
  readonly type: 'cancel' | 'modify' | 'auth' | 'wait';
  readonly condition: string;
}

/** The stanza error that carries each refusal. */
export const REFUSAL_ERRORS: Readonly<Record<Refusal, StanzaError>> = {
  'code-spent': { type: 'cancel', condition: 'item-not-found' },
  'wrong-code': { type: 'auth', condition: 'not-authorized' },
  busy: { type: 'wait', condition: 'unexpected-request' },
  'newer-version': { type: 'modify', condition: 'not-acceptable' },
  'bad-message': { type: 'modify', condition: 'bad-request' },
};

/** The application's own element inside the error (RFC 6120 §8.3.4), such as `<code-spent xmlns='urn:git-xmpp:pair:1'/>`. */
export function formatRefusal(refusal: Refusal): Element {
  return new Element(refusal, { xmlns: NS_PAIR });
}

/** The refusal that an error's own element tells, or undefined when the error is the server's or another's. */
export function parseRefusal(application: Element | undefined): Refusal | undefined {
  return REFUSALS.find((refusal) => application?.is(refusal, NS_PAIR));
}

const COMMAND: Readonly<Record<SecretKind, string>> = { code: 'git xmpp pair', invite: 'git xmpp pair --invite' };

/** The words for the person who typed the code or pasted the invite. */
export function faultOfRefusal(refusal: Refusal, kind: SecretKind): Fault {
  if (refusal === 'wrong-code') return wrongCode(kind);
  if (refusal === 'code-spent') return new Fault('code-spent', `this ${kind} is spent`, { remedy: againThere(kind) });
  if (refusal === 'newer-version') {
    return new Fault('newer-protocol', 'that device speaks an older version', { remedy: 'update git-xmpp there' });
  }
  if (refusal === 'busy') {
    return new Fault('throttled', 'that device is busy with another try at pairing', { remedy: 'try again in half a minute' });
  }
  return new Fault('bad-code', 'that device could not use what was sent', { remedy: againThere(kind) });
}

/** The two sides do not hold the same secret, or somebody stood between them. */
export function wrongCode(kind: SecretKind): Fault {
  return new Fault('bad-code', `wrong ${kind}: it is not the one that the other device shows`, { remedy: againThere(kind) });
}

/** The other side is ahead of this one. */
export function newerVersion(): Fault {
  return new Fault('newer-protocol', 'that device speaks a newer version', { remedy: 'update git-xmpp here' });
}

function againThere(kind: SecretKind): string {
  return `run "${COMMAND[kind]}" again on the other device`;
}
