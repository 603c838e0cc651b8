// Stanza errors (RFC 6120 §8.3), thrown on one side and sent by the other.
// Rule: what a peer says of itself is cut to length before anyone reads it.

import { Fault } from '../lib/errors.ts';
import type { FaultCode } from '../lib/errors.ts';
import { NS_STANZA_ERRORS } from './namespaces.ts';
import { xml } from './element.ts';
import type { Element } from './element.ts';
import { readCondition } from './faults.ts';

export type StanzaFaultType = 'cancel' | 'modify' | 'wait' | 'auth';

export interface StanzaFaultOptions {
  readonly text?: string | undefined;
  /** One element of our own that says more (RFC 6120 §8.3.4). */
  readonly application?: Element | undefined;
}

/** An IQ that was answered with an error, or is to be. */
export class StanzaFault extends Fault {
  readonly type: StanzaFaultType;
  /** A defined condition of RFC 6120 §8.3.3, such as `item-not-found`. */
  readonly condition: string;
  readonly application: Element | undefined;

  constructor(type: StanzaFaultType, condition: string, options: StanzaFaultOptions = {}) {
    super(codeOfCondition(condition), options.text === undefined ? condition : `${condition} (${options.text})`);
    this.name = 'StanzaFault';
    this.type = type;
    this.condition = condition;
    this.application = options.application;
  }
}

function codeOfCondition(condition: string): FaultCode {
  if (condition === 'service-unavailable' || condition === 'recipient-unavailable') return 'peer-offline';
  if (condition === 'resource-constraint' || condition === 'policy-violation') return 'throttled';
  if (condition === 'forbidden' || condition === 'not-allowed') return 'not-granted';
  return 'server';
}

/** The fault that an IQ of type `error` tells of. */
export function parseStanzaFault(stanza: Element): StanzaFault {
  const error = stanza.getChild('error');
  if (error === undefined) return new StanzaFault('cancel', 'undefined-condition');
  const { condition, text } = readCondition(error);
  const application = error.getChildElements().find((child) => child.getNS() !== NS_STANZA_ERRORS);
  return new StanzaFault(parseType(error.attrs['type']), condition, { text, application });
}

function parseType(value: unknown): StanzaFaultType {
  return value === 'modify' || value === 'wait' || value === 'auth' ? value : 'cancel';
}

/** The `error` element of a reply. */
export function formatStanzaFault(fault: StanzaFault): Element {
  return xml('error', { type: fault.type }, xml(fault.condition, { xmlns: NS_STANZA_ERRORS }), fault.application);
}
