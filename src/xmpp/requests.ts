// IQ requests that wait for their answer (RFC 6120 §8.1.3, §8.2.3, §10.3.3).
// Rule: an answer counts only when both its id and its sender are right; every request ends, at its deadline at the latest.

import { randomBytes } from 'node:crypto';
import { Fault } from '../lib/errors.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { bareOf, domainOf, shorten } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import { attrOf, firstChildOf } from './element.ts';
import type { Element } from './element.ts';
import { parseStanzaFault } from './stanza-fault.ts';

interface Waiting {
  readonly to: string | undefined;
  readonly timer: Timer;
  resolve(payload: Element | undefined): void;
  reject(fault: Fault): void;
}

export class Requests {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Opens a request to `to` (undefined: the own account): its id, and the answer to come. */
  open(to: string | undefined, timeoutMs: number): { id: string; answer: Promise<Element | undefined> } {
    const id = randomBytes(9).toString('base64url');
    const answer = new Promise<Element | undefined>((resolve, reject) => {
      const timer = this.#clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(new Fault('timeout', `${shorten(to ?? 'the server')} did not answer within ${Math.round(timeoutMs / 1000)} s`));
      });
      this.#waiting.set(id, { to, timer, resolve, reject });
    });
    return { id, answer };
  }

  /** Settles the request that `stanza` answers, if it does. @param own the address of this connection */
  receive(stanza: Element, own: FullJid): void {
    const type = attrOf(stanza, 'type');
    if (stanza.name !== 'iq' || (type !== 'result' && type !== 'error')) return;
    const id = attrOf(stanza, 'id') ?? '';
    const waiting = this.#waiting.get(id);
    if (waiting === undefined || !mayAnswer(attrOf(stanza, 'from'), waiting.to, own)) return;
    this.#waiting.delete(id);
    waiting.timer.cancel();
    if (type === 'error') waiting.reject(parseStanzaFault(stanza));
    else waiting.resolve(firstChildOf(stanza));
  }

  /** Ends one request that could not be sent. */
  fail(id: string, fault: Fault): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    waiting?.reject(fault);
  }

  /** Ends them all. */
  failAll(fault: Fault): void {
    for (const id of this.#waiting.keys()) this.fail(id, fault);
  }
}

/** The account's server answers for the account, and may then leave the sender out. */
function mayAnswer(from: string | undefined, to: string | undefined, own: FullJid): boolean {
  const account = bareOf(own);
  if (to === undefined || fold(to) === account) return from === undefined || [account, own, domainOf(own)].includes(fold(from));
  return from !== undefined && fold(from) === fold(to);
}

/** Equal addresses as equal text: all but the resource is compared without case. */
function fold(jid: string): string {
  const slash = jid.indexOf('/');
  const end = slash < 0 ? jid.length : slash;
  return jid.slice(0, end).normalize('NFC').toLowerCase() + jid.slice(end);
}
