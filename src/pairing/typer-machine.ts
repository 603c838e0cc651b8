// The side of pairing where a person typed the code or pasted the invite, and which asks (docs/PROTOCOL.md, "Pairing").
// Rule: one try and no more: whatever goes wrong ends it, and nothing here is ever sent a second time.

import { Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import { formatCard } from './card-format.ts';
import type { DeviceCard } from './card-format.ts';
import { makeConfirm, openConfirm } from './confirm.ts';
import { Exchange, NONCE_BYTES, PAIRING_VERSION } from './exchange.ts';
import type { PairingKeys, PairingSecret } from './exchange.ts';
import type { ConfirmMessage, HelloMessage, OutgoingPairingMessage, PairingMessage, ShareMessage } from './messages-format.ts';
import { SHARE_BYTES } from './cpace.ts';
import { faultOfRefusal, newerVersion, wrongCode } from './refusal-format.ts';
import type { Refusal } from './refusal-format.ts';

/** Random bytes that one try takes: a nonce and a scalar. */
export const TYPER_RANDOM_BYTES = NONCE_BYTES + SHARE_BYTES;

export type TyperEvent =
  | { readonly type: 'paired'; readonly card: DeviceCard }
  | { readonly type: 'refused'; readonly why: Fault };

/** The next IQ to send, or how it ended. */
export interface TyperOutcome {
  readonly reply?: OutgoingPairingMessage;
  readonly event?: TyperEvent;
}

export interface TyperOptions {
  readonly secret: PairingSecret;
  /** One's own; its address is where the IQs of this try are sent from. */
  readonly card: DeviceCard;
  /** Full JID that every IQ of this try goes to. */
  readonly shower: FullJid;
  /** 48 fresh random bytes, used for this try alone. */
  readonly random: Uint8Array;
}

/** States are named after what is known. */
type State =
  | { readonly knows: 'secret' }
  | { readonly knows: 'own-greeting' }
  | { readonly knows: 'greetings'; readonly exchange: Exchange }
  | { readonly knows: 'keys'; readonly keys: PairingKeys }
  | { readonly knows: 'end' };

/** One try, from the hello to its end. */
export class TyperMachine {
  readonly #options: TyperOptions;
  #state: State = { knows: 'secret' };

  /** @throws Fault `wrong-use` when the code is this very device's, InputFault when `card` is none that others take */
  constructor(options: TyperOptions) {
    const { card, random, shower } = options;
    if (random.length !== TYPER_RANDOM_BYTES) throw new Fault('internal', `a try takes ${TYPER_RANDOM_BYTES} random bytes`);
    if (card.address === shower) {
      throw new Fault('wrong-use', 'this device shows that code itself', { remedy: 'type it on the other device' });
    }
    formatCard(card);
    this.#options = options;
  }

  /** The first IQ to send. */
  begin(): HelloMessage {
    if (this.#state.knows !== 'secret') throw new Fault('internal', 'this try has begun already');
    this.#state = { knows: 'own-greeting' };
    return { type: 'hello', version: PAIRING_VERSION, id: this.#options.secret.id, nonce: this.#nonce };
  }

  /** Takes in the answer to the last IQ. */
  receive(message: PairingMessage): TyperOutcome {
    const state = this.#state;
    if (state.knows === 'end') return {};
    if (message.type === 'newer-hello') return this.#refuse(newerVersion());
    if (message.type === 'hello' && state.knows === 'own-greeting') return this.#hello(message);
    if (message.type === 'share' && state.knows === 'greetings') return this.#share(message, state.exchange);
    if (message.type === 'confirm' && state.knows === 'keys') return this.#confirm(message, state.keys);
    return this.#refuse(new Fault('bad-code', 'that device answered out of turn', { remedy: 'begin again with a new code' }));
  }

  /** Takes in the other device's refusal of the last IQ. */
  receiveRefusal(refusal: Refusal): TyperOutcome {
    return this.#state.knows === 'end' ? {} : this.#refuse(faultOfRefusal(refusal, this.#options.secret.kind));
  }

  get #nonce(): Uint8Array {
    return this.#options.random.subarray(0, NONCE_BYTES);
  }

  #hello(message: HelloMessage): TyperOutcome {
    if (message.id !== undefined) return this.#refuse(new Fault('bad-code', 'that device asked instead of answering'));
    const { card, random, secret, shower } = this.#options;
    const greetings = {
      typer: { jid: card.address, version: PAIRING_VERSION, nonce: this.#nonce },
      shower: { jid: shower, version: message.version, nonce: message.nonce },
    };
    const exchange = new Exchange('typer', greetings, { secret: secret.secret, random: random.subarray(NONCE_BYTES) });
    this.#state = { knows: 'greetings', exchange };
    return { reply: { type: 'share', share: exchange.share } };
  }

  #share(message: ShareMessage, exchange: Exchange): TyperOutcome {
    return this.#orRefuse(() => {
      const keys = exchange.finish(message.share);
      this.#state = { knows: 'keys', keys };
      return { reply: makeConfirm(keys.typer, this.#options.card) };
    });
  }

  #confirm(message: ConfirmMessage, keys: PairingKeys): TyperOutcome {
    return this.#orRefuse(() => {
      const card = openConfirm(keys.shower, message, { from: this.#options.shower, own: this.#options.card });
      this.#state = { knows: 'end' };
      return { event: { type: 'paired', card } };
    });
  }

  #orRefuse(step: () => TyperOutcome): TyperOutcome {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#refuse(error.code === 'bad-code' ? wrongCode(this.#options.secret.kind) : error);
    }
  }

  #refuse(why: Fault): TyperOutcome {
    this.#state = { knows: 'end' };
    return { event: { type: 'refused', why } };
  }
}
