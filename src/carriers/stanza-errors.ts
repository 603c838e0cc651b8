// Between faults and the stanza errors of XEP-0047 (RFC 6120 §8.3). Rule: of an error from a peer only the condition is read,
// never its type: clients in use send `resource-constraint` as `cancel` where the text says `modify`.

import { Fault, InputFault, asFault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import { StanzaFault } from '../xmpp/stanza-fault.ts';
import type { Refusal } from './ibb-format.ts';

/** Conditions that say the peer's address leads nowhere. */
export const OFFLINE: ReadonlySet<string> = new Set([
  'service-unavailable',
  'recipient-unavailable',
  'remote-server-not-found',
  'remote-server-timeout',
  'gone',
]);

/** The error to throw in a handler so that `refusal` is the answer. */
export function refuse(refusal: Refusal): StanzaFault {
  return new StanzaFault(refusal.type, refusal.condition, { text: refusal.why });
}

/** The same for anything thrown while a request was read: wrong input is `bad-request`. */
export function asRefusal(error: unknown): StanzaFault {
  if (error instanceof StanzaFault) return error;
  if (error instanceof InputFault) return new StanzaFault('cancel', 'bad-request', { text: error.message });
  throw error;
}

/** The condition of a stanza error that answered a request, if it was one. */
export function conditionOf(error: unknown): string | undefined {
  return error instanceof StanzaFault ? error.condition : undefined;
}

/** Why a running stream to `peer` ended, in words for people. */
export function faultOfStream(error: unknown, peer: FullJid): Fault {
  const condition = conditionOf(error);
  if (condition === undefined) return asFault(error, `in-band stream to ${peer}`);
  const code: FaultCode = OFFLINE.has(condition) ? 'peer-offline' : 'not-connected';
  return new Fault(code, `the in-band stream to ${peer} ended: ${condition}`, { cause: error });
}

/**
 * Whether a fault that ended a stream, or its connection, may be about the length of a stanza: the stream errors and stanza errors
 * `policy-violation`, `resource-constraint` and `not-allowed` are what servers in use give for one that is too long.
 */
export function saysTooLarge(fault: Fault): boolean {
  const condition = conditionOf(fault.cause) ?? conditionOf(fault);
  return condition === undefined ? fault.code === 'throttled' : ['policy-violation', 'resource-constraint', 'not-allowed', 'not-acceptable'].includes(condition);
}

/** Why no stream to `peer` could be opened, in words for people. */
export function faultOfOpen(error: unknown, peer: FullJid): Fault {
  const condition = conditionOf(error);
  if (condition === undefined) return asFault(error, `in-band stream to ${peer}`);
  if (OFFLINE.has(condition)) return new Fault('peer-offline', `${peer} is not signed in`, { cause: error });
  if (condition === 'not-acceptable') return new Fault('not-paired', `${peer} wants no stream from here`, { cause: error });
  const code: FaultCode = condition === 'resource-constraint' ? 'throttled' : 'server';
  return new Fault(code, `${peer} refused an in-band stream: ${condition}`, { cause: error });
}
