// Which login mechanism is used, and its binding to @xmpp/sasl (RFC 6120 §6, XEP-0440).
// Rule: SCRAM or nothing, and never weaker than before.

import type { SaslMechanism } from '@xmpp/client';
import { Fault } from '../lib/errors.ts';
import { NS_CHANNEL_BINDING, NS_SASL } from './namespaces.ts';
import { attrOf } from './element.ts';
import type { Element } from './element.ts';
import { ScramExchange } from './scram.ts';
import type { ScramOptions } from './scram.ts';

/** Weakest first. */
const MECHANISMS = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'] as const;
type MechanismName = (typeof MECHANISMS)[number];

/**
 * The strongest mechanism that both sides have.
 * @param features the server's stream features
 * @param options.strongestMechanism what this account used before
 * @throws Fault `no-mechanism` when only a plain password is taken, or only something weaker than before
 */
export function chooseMechanism(
  features: Element,
  options: { readonly mayBind: boolean; readonly strongestMechanism?: string | undefined },
): MechanismName {
  const offered = offeredBy(features);
  const mayBind = options.mayBind && bindingsOf(features).includes('tls-exporter');
  const chosen = MECHANISMS.findLast((name) => offered.includes(name) && (mayBind || !name.endsWith('-PLUS')));
  if (chosen === undefined) {
    throw new Fault(
      'no-mechanism',
      `the server takes only ${offered.join(', ') || 'no password'}, which would show it the password; SCRAM is needed`,
      {
        remedy: 'ask its operator to switch SCRAM-SHA-256 on, or use another server',
      },
    );
  }
  const before = MECHANISMS.findIndex((name) => name === options.strongestMechanism);
  if (MECHANISMS.indexOf(chosen) < before) {
    throw new Fault(
      'no-mechanism',
      `the server offers only ${chosen}, but took ${MECHANISMS[before]} before: someone may be in between`,
      {
        remedy: 'if its operator changed this on purpose, run "git xmpp login" again',
      },
    );
  }
  return chosen;
}

/** The mechanism, in the shape that @xmpp/sasl calls; it hands text over as binary strings. */
export class ScramMechanism implements SaslMechanism {
  readonly name: MechanismName;
  readonly clientFirst = true;
  readonly #exchange: ScramExchange;
  #answer: string;

  constructor(name: MechanismName, options: Omit<ScramOptions, 'hash'>) {
    this.name = name;
    this.#exchange = new ScramExchange({ ...options, hash: name.startsWith('SCRAM-SHA-256') ? 'sha256' : 'sha1' });
    this.#answer = this.#exchange.first();
  }

  response(): Promise<string> {
    return Promise.resolve(Buffer.from(this.#answer, 'utf8').toString('latin1'));
  }

  async challenge(text: string): Promise<void> {
    const message = Buffer.from(text, 'latin1').toString('utf8');
    if (message.startsWith('v=')) {
      this.#exchange.verify(message);
      this.#answer = '';
    } else this.#answer = await this.#exchange.final(message);
  }

  /** @throws Fault `server` when `<success/>` came without the server's proof */
  succeed(success: Element): void {
    if (!this.#exchange.isVerified) this.#exchange.verify(Buffer.from(success.getText().trim(), 'base64').toString('utf8'));
  }
}

/** What the mechanism's exchange binds to; see RFC 5802 §6 for "y". */
export function bindingFor(name: MechanismName, features: Element, key: Uint8Array | undefined): ScramOptions['binding'] {
  if (name.endsWith('-PLUS') && key !== undefined) return { flag: 'p', data: key };
  const isPlusOffered = offeredBy(features).some((offer) => offer.endsWith('-PLUS'));
  return { flag: key === undefined || isPlusOffered ? 'n' : 'y' };
}

function offeredBy(features: Element): string[] {
  const mechanisms = features.getChild('mechanisms', NS_SASL)?.getChildren('mechanism', NS_SASL) ?? [];
  return mechanisms.map((mechanism) => mechanism.getText().trim()).filter((name) => /^[A-Z0-9_-]{1,20}$/.test(name));
}

function bindingsOf(features: Element): string[] {
  const types = features.getChild('sasl-channel-binding', NS_CHANNEL_BINDING)?.getChildren('channel-binding') ?? [];
  return types.map((type) => attrOf(type, 'type') ?? '');
}
