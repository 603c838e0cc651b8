// What a login tells of its server, read from the elements as they come (RFC 6120 §6, RFC 5802 §5, XEP-0198, XEP-0478).
// Rule: it only listens; no nonce, salt or proof is kept.

import type { Element } from './element.ts';
import { NS_CHANNEL_BINDING, NS_LIMITS, NS_SASL, NS_SM, NS_STREAM } from './namespaces.ts';

/** All that is undefined was not told. */
export interface LoginFacts {
  /** Mechanisms that the server offered, at most sixteen. */
  readonly offered: readonly string[];
  /** Channel bindings that it names (XEP-0440). */
  readonly bindings: readonly string[];
  /** Rounds of the password's hash that it asked for. */
  readonly iterations?: number;
  /** `refused`: offered, and refused when it was asked for. */
  readonly management: 'absent' | 'offered' | 'on' | 'refused';
  /** Longest stanza in bytes, as the server advertises it once signed in. */
  readonly maxBytes?: number;
  readonly idleSeconds?: number;
}

const NAME = /^[A-Za-z0-9_-]{1,32}$/;
const MOST = 16;

/** Hears every element of one login; see `ConnectOptions.trace`. */
export class LoginListener {
  #facts: LoginFacts = { offered: [], bindings: [], management: 'absent' };

  get facts(): LoginFacts {
    return this.#facts;
  }

  hear(direction: 'in' | 'out', element: Element): void {
    if (direction === 'out') return;
    if (element.is('features', NS_STREAM)) this.#hearFeatures(element);
    else if (element.is('challenge', NS_SASL)) this.#note(readIterations(element.getText()));
    else if (element.is('enabled', NS_SM)) this.#note({ management: 'on' });
    else if (element.is('failed', NS_SM)) this.#note({ management: 'refused' });
  }

  #hearFeatures(features: Element): void {
    const offered = features.getChild('mechanisms', NS_SASL)?.getChildren('mechanism', NS_SASL) ?? [];
    const types = features.getChild('sasl-channel-binding', NS_CHANNEL_BINDING)?.getChildren('channel-binding') ?? [];
    if (offered.length > 0) {
      const bindings = types.map((type): unknown => type.attrs['type']);
      this.#note({ offered: namesOf(offered.map((each) => each.getText().trim())), bindings: namesOf(bindings) });
    }
    if (features.getChild('sm', NS_SM) !== undefined && this.#facts.management === 'absent') this.#note({ management: 'offered' });
    const limits = features.getChild('limits', NS_LIMITS);
    const [maxBytes, idleSeconds] = ['max-bytes', 'idle-seconds'].map((name) => readCount(limits?.getChildText(name) ?? ''));
    this.#note({ ...(maxBytes === undefined ? {} : { maxBytes }), ...(idleSeconds === undefined ? {} : { idleSeconds }) });
  }

  #note(news: Partial<LoginFacts>): void {
    this.#facts = { ...this.#facts, ...news };
  }
}

function namesOf(values: readonly unknown[]): string[] {
  return values.filter((each): each is string => typeof each === 'string' && NAME.test(each)).slice(0, MOST);
}

/** `i=` of a server-first-message, and nothing else of it. */
function readIterations(base64: string): { readonly iterations?: number } {
  const text = base64.length > 4096 ? '' : Buffer.from(base64, 'base64').toString('latin1');
  const iterations = readCount(/,i=(\d{1,10})(?:,|$)/.exec(text)?.[1] ?? '');
  return iterations === undefined ? {} : { iterations };
}

function readCount(text: string): number | undefined {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}
