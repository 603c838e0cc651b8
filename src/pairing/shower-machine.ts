// The side of pairing that shows a code or an invite, and answers (docs/PROTOCOL.md, "Pairing").
// Rule: a code is spent once the first well-formed share is answered; the own tag is given away only after the other's was right.

import { utf8 } from '../lib/bytes.ts';
import { Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Burns } from './burns.ts';
import { formatCard } from './card-format.ts';
import type { DeviceCard } from './card-format.ts';
import { makeConfirm, openConfirm } from './confirm.ts';
import { Exchange, NONCE_BYTES, PAIRING_VERSION, deriveKey } from './exchange.ts';
import type { Greetings, PairingKeys, PairingSecret } from './exchange.ts';
import type { ConfirmMessage, HelloMessage, OutgoingPairingMessage, PairingMessage, ShareMessage } from './messages-format.ts';
import { newerVersion } from './refusal-format.ts';
import type { Refusal } from './refusal-format.ts';

/** A try that falls silent for this long, in milliseconds, is over. */
export const ATTEMPT_MS = 20_000;

export type ShowerEvent =
  /** Somebody began a try; told once for the same full JID in a row. */
  | { readonly type: 'attempt'; readonly by: FullJid }
  /** The code is gone; a new one may be shown after `waitMs` (0: at once). */
  | { readonly type: 'burnt'; readonly by: FullJid; readonly waitMs: number }
  /** A device that cannot pair with this version, and why. */
  | { readonly type: 'refused'; readonly by: FullJid; readonly why: Fault }
  | { readonly type: 'paired'; readonly card: DeviceCard };

/** What to answer the IQ with, and what happened. Exactly one of `reply` and `refusal` is there. */
export interface ShowerOutcome {
  readonly reply?: OutgoingPairingMessage;
  readonly refusal?: Refusal;
  readonly event?: ShowerEvent;
}

export interface ShowerOptions {
  readonly secret: PairingSecret;
  /** One's own; its address is where the IQs of this try arrive. */
  readonly card: DeviceCard;
  /** 32 fresh random bytes, kept for this code or invite alone: every try's nonce and scalar are drawn from them. */
  readonly random: Uint8Array;
  readonly burns: Burns;
}

/** States are named after what is known. */
type State =
  | { readonly knows: 'secret' }
  | Greeted
  | Agreed
  | { readonly knows: 'end' };

interface Greeted {
  readonly knows: 'greetings';
  readonly by: FullJid;
  readonly at: number;
  readonly greetings: Greetings;
  /** What the scalar will be made from. */
  readonly random: Uint8Array;
}

interface Agreed {
  readonly knows: 'keys';
  readonly by: FullJid;
  readonly at: number;
  readonly keys: PairingKeys;
}

/** One code or invite from its showing to its end. */
export class ShowerMachine {
  readonly #options: ShowerOptions;
  #state: State = { knows: 'secret' };
  #tries = 0;
  #lastBy: FullJid | undefined;

  /** @throws InputFault when `card` is none that others take */
  constructor(options: ShowerOptions) {
    if (options.random.length !== 32) throw new Fault('internal', 'showing a code takes 32 random bytes');
    formatCard(options.card);
    this.#options = options;
  }

  /** The public name that a typer's hello asks for. */
  get id(): string {
    return this.#options.secret.id;
  }

  /** Whether nobody can pair by this code or invite any more. */
  get isSpent(): boolean {
    return this.#state.knows === 'end';
  }

  /**
   * Takes one message in.
   * @param stanza.from full JID of the IQ that carried it
   * @param stanza.now milliseconds since 1970
   */
  receive(message: PairingMessage, stanza: { readonly from: FullJid; readonly now: number }): ShowerOutcome {
    const event = this.wakeup(stanza.now);
    const outcome = this.#answer(message, stanza);
    return event === undefined ? outcome : { ...outcome, event };
  }

  /** When `wakeup` has something to do, in milliseconds since 1970. */
  get nextWakeup(): number | undefined {
    return 'at' in this.#state ? this.#state.at + ATTEMPT_MS : undefined;
  }

  /** Ends a try that fell silent; one that had its guess burns the code. */
  wakeup(now: number): ShowerEvent | undefined {
    const state = this.#state;
    if (!('at' in state) || (now >= state.at && now - state.at < ATTEMPT_MS)) return undefined;
    return this.#giveUp(state.by, now);
  }

  #answer(message: PairingMessage, stanza: { readonly from: FullJid; readonly now: number }): ShowerOutcome {
    const state = this.#state;
    if (state.knows === 'end') return { refusal: 'code-spent' };
    if ('by' in state && state.by !== stanza.from) return { refusal: 'busy' };
    if (message.type === 'hello' || message.type === 'newer-hello') {
      if (message.id !== this.id) return { refusal: 'wrong-code' };
      if (message.type === 'hello') return this.#hello(message, stanza);
      return { refusal: 'newer-version', event: { type: 'refused', by: stanza.from, why: newerVersion() } };
    }
    if (message.type === 'share' && state.knows === 'greetings') return this.#share(message, state, stanza.now);
    if (message.type === 'confirm' && state.knows === 'keys') return this.#confirm(message, state, stanza.now);
    return this.#outOfTurn(stanza);
  }

  #hello(message: HelloMessage, { from, now }: { readonly from: FullJid; readonly now: number }): ShowerOutcome {
    const { secret, card, random } = this.#options;
    if (this.#state.knows === 'keys' && secret.kind === 'code') return this.#outOfTurn({ from, now });
    this.#tries += 1;
    const draw = (purpose: string): Uint8Array => deriveKey(random, utf8(String(this.#tries)), purpose);
    const shower = { jid: card.address, version: PAIRING_VERSION, nonce: draw('nonce').subarray(0, NONCE_BYTES) };
    const greetings = { typer: { jid: from, version: message.version, nonce: message.nonce }, shower };
    this.#state = { knows: 'greetings', by: from, at: now, greetings, random: draw('scalar') };
    const isNew = this.#lastBy !== from;
    this.#lastBy = from;
    const reply = { type: 'hello', version: PAIRING_VERSION, nonce: shower.nonce } as const;
    return isNew ? { reply, event: { type: 'attempt', by: from } } : { reply };
  }

  /** The costly step comes here and not at the hello, of which anybody may send many. */
  #share(message: ShareMessage, { by, greetings, random }: Greeted, now: number): ShowerOutcome {
    try {
      const exchange = new Exchange('shower', greetings, { secret: this.#options.secret.secret, random });
      this.#state = { knows: 'keys', by, at: now, keys: exchange.finish(message.share) };
      return { reply: { type: 'share', share: exchange.share } };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return this.#outOfTurn({ from: by, now });
    }
  }

  #confirm(message: ConfirmMessage, { by, keys }: Agreed, now: number): ShowerOutcome {
    const own = this.#options.card;
    try {
      const card = openConfirm(keys.typer, message, { from: by, own });
      const reply = makeConfirm(keys.shower, own);
      this.#state = { knows: 'end' };
      return { reply, event: { type: 'paired', card } };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const event = this.#giveUp(by, now);
      const refusal = error.code === 'bad-code' ? 'wrong-code' : 'bad-message';
      return event === undefined ? { refusal } : { refusal, event };
    }
  }

  /** What makes no sense at this point ends the try, as anything else would that goes wrong. */
  #outOfTurn({ from, now }: { readonly from: FullJid; readonly now: number }): ShowerOutcome {
    const event = this.#giveUp(from, now);
    return event === undefined ? { refusal: 'bad-message' } : { refusal: 'code-spent', event };
  }

  #giveUp(by: FullJid, now: number): ShowerEvent | undefined {
    const { secret, burns } = this.#options;
    const isBurnt = this.#state.knows === 'keys' && secret.kind === 'code';
    this.#state = isBurnt ? { knows: 'end' } : { knows: 'secret' };
    if (!isBurnt) return undefined;
    burns.record(now);
    return { type: 'burnt', by, waitMs: burns.waitMs(now) };
  }
}
