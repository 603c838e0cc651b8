// Showing codes and invites: where they can be found (an open PEP node, deleted after), and who answers for them (docs/PROTOCOL.md,
// "Pairing"). Rule: one IQ at a time goes to the one machine it belongs to; whatever happens to a code is told to the person.

import { asFault, Fault, InputFault } from '../lib/errors.ts';
import { bareOf, parseFullJid } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import { withDeadline } from '../lib/clock.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { Burns } from '../pairing/burns.ts';
import type { DeviceCard } from '../pairing/card-format.ts';
import type { PairingSecret } from '../pairing/exchange.ts';
import { formatPairingMessage, parsePairingMessage } from '../pairing/messages-format.ts';
import { REFUSAL_ERRORS, formatRefusal } from '../pairing/refusal-format.ts';
import type { Refusal } from '../pairing/refusal-format.ts';
import { ShowerMachine } from '../pairing/shower-machine.ts';
import type { ShowerEvent } from '../pairing/shower-machine.ts';
import type { Connection, IncomingIq } from '../xmpp/connection.ts';
import type { Element } from '../xmpp/element.ts';
import { xml } from '../xmpp/element.ts';
import { NS_PAIR } from '../xmpp/namespaces.ts';
import { isWithoutPep, publish, read, remove } from '../xmpp/pep.ts';
import { StanzaFault } from '../xmpp/stanza-fault.ts';

/** A code or invite that is being shown. */
interface Shown {
  readonly address: FullJid;
  readonly machine: ShowerMachine;
  readonly secret: PairingSecret;
  readonly tell: (event: ShowerEvent) => void;
  timer: Timer | undefined;
}

function passWithoutPep(error: unknown): void {
  if (!isWithoutPep(error)) throw error;
}

/** PEP node under which the code or invite `id` is found. */
export function pairNode(id: string): string {
  return `${NS_PAIR}:${id}`;
}

/** How long a code waits for the first sign-in to be through, in milliseconds. */
const ATTACH_MS = 15_000;

/** All codes and invites shown by this device. */
export class Showing {
  readonly #clock: Clock;
  readonly #random: (size: number) => Uint8Array;
  readonly #shown = new Map<string, Shown>();
  readonly #speaking = new Map<FullJid, Shown>();
  readonly burns = new Burns();
  #connection: Connection | undefined;

  readonly #waiting: ((connection: Connection) => void)[] = [];

  constructor(clock: Clock, random: (size: number) => Uint8Array) {
    this.#clock = clock;
    this.#random = random;
  }

  isShown(id: string): boolean {
    return this.#shown.has(id);
  }

  /** Answers on a new connection; invites that outlived the last one are published again. */
  async attach(connection: Connection): Promise<void> {
    this.#connection = connection;
    for (const go of this.#waiting.splice(0)) go(connection);
    connection.handleIq(NS_PAIR, 'pair', (iq) => Promise.resolve(this.#answer(iq)));
    for (const id of this.#shown.keys()) {
      // An invite belongs to the address it was shown from: under another one it is made anew (see Pairing.restoreInvites).
      if (this.#shown.get(id)?.address === connection.jid) await this.#publish(connection, id).catch(passWithoutPep);
      else this.#shown.delete(id);
    }
  }

  /** A number that no device of this account shows now. */
  async freeNumber(connection: Connection): Promise<number> {
    for (let number = 1; number <= 99; number += 1) {
      const bare = bareOf(connection.jid);
      if (!this.#shown.has(String(number)) && (await read(connection, bare, pairNode(String(number)))) === undefined) return number;
    }
    throw new Fault('throttled', 'too many codes are being shown on this account', { remedy: 'end some, or use git xmpp pair --invite' });
  }

  /**
   * Shows `secret` until it is spent or `hide` is called.
   * @returns whether it is found by account and number; where the server has no PEP, a code has to be typed with this device's full JID
   * @throws Fault `server` when an invite, which names no device, cannot be found
   */
  async show(secret: PairingSecret, card: DeviceCard, tell: (event: ShowerEvent) => void): Promise<boolean> {
    const connection = this.#connection ?? (await this.#firstConnection());
    if (secret.kind === 'code') this.burns.check(this.#clock.now());
    const machine = new ShowerMachine({ secret, card, random: this.#random(32), burns: this.burns });
    this.#shown.set(secret.id, { address: connection.jid, machine, secret, tell, timer: undefined });
    try {
      await this.#publish(connection, secret.id);
      return true;
    } catch (error) {
      if (secret.kind === 'code' && isWithoutPep(error)) return false;
      this.#shown.delete(secret.id);
      throw error;
    }
  }

  /** After a first sign-in a server that throttles takes its time for what is asked before codes are answered for. */
  #firstConnection(): Promise<Connection> {
    const attached = new Promise<Connection>((resolve) => this.#waiting.push(resolve));
    return withDeadline(attached, ATTACH_MS, this.#clock, () => new Fault('not-connected', 'the agent is still signing in', { remedy: 'try again in a moment; git xmpp status tells more' }));
  }

  /** Ends the showing; the node is deleted where the server can be reached. */
  async hide(id: string): Promise<void> {
    const shown = this.#shown.get(id);
    this.#shown.delete(id);
    shown?.timer?.cancel();
    if (shown !== undefined && this.#connection?.isOpen === true) await remove(this.#connection, pairNode(id)).catch(() => undefined);
  }

  async #publish(connection: Connection, id: string): Promise<void> {
    await publish(connection, pairNode(id), xml('pair', { xmlns: NS_PAIR, id, jid: connection.jid }), { access: 'open' });
  }

  #answer(iq: IncomingIq): Element {
    const from = parseFullJid(iq.from);
    const message = this.#parse(iq);
    const isHello = message.type === 'hello' || message.type === 'newer-hello';
    const shown = isHello ? this.#shown.get(message.id ?? '') : this.#speaking.get(from);
    if (shown === undefined) throw refusal('code-spent');
    const outcome = shown.machine.receive(message, { from, now: this.#clock.now() });
    if (isHello && outcome.reply !== undefined) this.#listenTo(from, shown);
    if (outcome.event !== undefined) this.#tell(shown, outcome.event);
    this.#watch(shown);
    if (outcome.reply === undefined) throw refusal(outcome.refusal ?? 'bad-message');
    return formatPairingMessage(outcome.reply);
  }

  /** One try at a time belongs to a code or invite; an earlier one that lapsed is forgotten. */
  #listenTo(from: FullJid, shown: Shown): void {
    for (const [jid, each] of this.#speaking) if (each === shown) this.#speaking.delete(jid);
    this.#speaking.set(from, shown);
  }

  #parse(iq: IncomingIq): ReturnType<typeof parsePairingMessage> {
    try {
      return parsePairingMessage(iq.payload);
    } catch (error) {
      if (error instanceof InputFault) throw refusal('bad-message');
      throw asFault(error, 'reading a pairing message');
    }
  }

  #tell(shown: Shown, event: ShowerEvent): void {
    if (event.type === 'burnt' || event.type === 'paired') {
      for (const [jid, each] of this.#speaking) if (each === shown) this.#speaking.delete(jid);
      void this.hide(shown.secret.id);
    }
    shown.tell(event);
  }

  /** A try that falls silent must burn its code even if nobody ever asks again. */
  #watch(shown: Shown): void {
    shown.timer?.cancel();
    const at = shown.machine.nextWakeup;
    if (at === undefined) return;
    shown.timer = this.#clock.setTimer(Math.max(0, at - this.#clock.now()), () => {
      const event = shown.machine.wakeup(this.#clock.now());
      if (event !== undefined) this.#tell(shown, event);
    });
  }
}

function refusal(why: Refusal): StanzaFault {
  const { type, condition } = REFUSAL_ERRORS[why];
  return new StanzaFault(type, condition, { application: formatRefusal(why) });
}
