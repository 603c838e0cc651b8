// What the server must show and may offer until the stream is signed in (RFC 6120 §4.3, §6; XEP-0198, XEP-0478).
// Rule: no feature is taken before the server has proved that it knows the password.

import { randomBytes } from 'node:crypto';
import { Fault } from '../lib/errors.ts';
import { localOf } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { NS_LIMITS, NS_SASL, NS_SASL2, NS_SM, NS_STARTTLS, NS_STREAM } from './namespaces.ts';
import type { Element } from './element.ts';
import { faultOfSaslFailure, faultOfStreamError } from './faults.ts';
import { ScramMechanism, bindingFor, chooseMechanism } from './sasl.ts';

export interface LoginOptions {
  readonly jid: BareJid;
  readonly password: string;
  /** Ties the login to this TLS session; undefined when TLS is too old. */
  readonly channelBinding: Uint8Array | undefined;
  readonly strongestMechanism?: string | undefined;
  readonly onMechanism?: ((name: string) => void) | undefined;
}

type UseMechanism = (mechanism: ScramMechanism) => void;

/** What stock Prosody and ejabberd take is four times this; a server that takes less says so (XEP-0478). */
const DEFAULT_MAX_BYTES = 65_536;
const HIGHEST_MAX_BYTES = 262_144;
const LOWEST_MAX_BYTES = 1_000;
const LOWEST_IDLE_MS = 5_000;

export class Login {
  readonly #options: LoginOptions;
  #mechanism: ScramMechanism | undefined;
  #isProved = false;
  #isBound = false;
  #management: 'absent' | 'offered' | 'on' = 'absent';
  #maxBytes = DEFAULT_MAX_BYTES;
  #idleMs: number | undefined;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** The server may end a stream on which the client has sent nothing for so long, in milliseconds; undefined when it does not say. */
  get idleMs(): number | undefined {
    return this.#idleMs;
  }

  /** Whether the server counts and acknowledges stanzas (XEP-0198). */
  get hasManagement(): boolean {
    return this.#management === 'on';
  }

  /** Whether everything that happens once has happened. */
  get isDone(): boolean {
    return this.#isBound && this.#management !== 'offered';
  }

  /** The server has given the stream its address. */
  bound(): void {
    this.#isBound = true;
  }

  /**
   * Looks at what the server sends before the library may act on it.
   * @param use is given the one mechanism that the library may log in with
   * @throws Fault when the stream must not go on
   */
  admit(element: Element, use: UseMechanism): void {
    if (element.is('error', NS_STREAM)) throw faultOfStreamError(element);
    if (element.is('features', NS_STREAM)) this.#admitFeatures(element, use);
    else if (element.is('success', NS_SASL)) this.#admitSuccess(element);
    else if (element.is('failure', NS_SASL)) throw faultOfSaslFailure(element, this.#options.jid);
    else if (element.is('enabled', NS_SM)) this.#management = 'on';
    else if (element.is('failed', NS_SM)) this.#management = 'absent';
  }

  #admitFeatures(features: Element, use: UseMechanism): void {
    features.remove('starttls', NS_STARTTLS);
    features.remove('authentication', NS_SASL2);
    if (this.#isProved) {
      features.remove('mechanisms', NS_SASL);
      if (features.getChild('sm', NS_SM) !== undefined) this.#management = 'offered';
      this.#maxBytes = readMaxBytes(features);
      this.#idleMs = readIdleMs(features);
    } else this.#useMechanism(features, use);
  }

  #useMechanism(features: Element, use: UseMechanism): void {
    const { jid, password, channelBinding, strongestMechanism } = this.#options;
    const name = chooseMechanism(features, { mayBind: channelBinding !== undefined, strongestMechanism });
    const mechanism = new ScramMechanism(name, {
      username: localOf(jid),
      password,
      nonce: randomBytes(18).toString('base64'),
      binding: bindingFor(name, features, channelBinding),
    });
    this.#mechanism = mechanism;
    use(mechanism);
  }

  #admitSuccess(success: Element): void {
    if (this.#mechanism === undefined || this.#isProved) throw new Fault('server', 'the server ends a login that was not begun');
    this.#mechanism.succeed(success);
    this.#isProved = true;
    this.#options.onMechanism?.(this.#mechanism.name);
  }
}

function readMaxBytes(features: Element): number {
  const limit = readLimit(features, 'max-bytes');
  return limit === undefined || limit < 100 ? DEFAULT_MAX_BYTES : Math.min(HIGHEST_MAX_BYTES, Math.max(LOWEST_MAX_BYTES, limit));
}

/** Not under a few seconds, whatever the server says: asking costs it more than an idle stream. */
function readIdleMs(features: Element): number | undefined {
  const limit = readLimit(features, 'idle-seconds');
  return limit === undefined ? undefined : Math.max(LOWEST_IDLE_MS, limit * 1000);
}

/** A limit of XEP-0478 §3; undefined when it is not there, zero (no limit) or no number. */
function readLimit(features: Element, name: 'max-bytes' | 'idle-seconds'): number | undefined {
  const text = features.getChild('limits', NS_LIMITS)?.getChildText(name) ?? '';
  return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined;
}
