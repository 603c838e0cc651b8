// Two connections joined by a server that lives in memory.
// Rule: stanzas cross as XML text, in order, each way as late as the spec says.

import { parse } from 'ltx';
import type { Element } from 'ltx';
import type { Clock } from '../../src/lib/clock.ts';
import { Fault } from '../../src/lib/errors.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import type { FullJid } from '../../src/lib/jid.ts';
import type { Connection, IncomingIq } from '../../src/xmpp/connection.ts';
import { StanzaFault } from '../../src/xmpp/stanza-fault.ts';

type Handler = (iq: IncomingIq) => Promise<Element | undefined>;

export interface WireOptions {
  /** Milliseconds that a stanza travels, drawn for each; default 1. */
  readonly delayMs?: () => number;
  /** Bytes a second that each way lets through; default as many as come. */
  readonly rate?: number;
}

/** A connection whose other end is another of its kind. */
export class FakeConnection implements Pick<Connection, 'iq' | 'handleIq' | 'onClose' | 'jid' | 'maxStanzaBytes'> {
  readonly jid: FullJid;
  maxStanzaBytes = 65_536;
  /** Every payload that was sent, as its text. */
  readonly sent: string[] = [];
  readonly #clock: Clock;
  readonly #wire: WireOptions;
  readonly #handlers = new Map<string, Handler>();
  readonly #closers: ((fault: Fault) => void)[] = [];
  readonly #pending = new Set<(fault: Fault) => void>();
  #peers: readonly FakeConnection[] = [];
  #freeAt = 0;
  #lastAt = 0;
  #lastId = 0;
  #fault: Fault | undefined;

  constructor(jid: string, clock: Clock, wire: WireOptions) {
    this.jid = parseFullJid(jid);
    this.#clock = clock;
    this.#wire = wire;
  }

  join(...peers: FakeConnection[]): void {
    this.#peers = peers;
  }

  iq(type: 'get' | 'set', to: string | undefined, payload: Element): Promise<Element | undefined> {
    const text = payload.toString();
    this.#lastId += 1;
    const id = `${this.#lastId}`;
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    this.sent.push(text);
    const peer = this.#peers.find((one) => one.jid === to);
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      const answer = (settle: () => void): void => {
        if (this.#pending.delete(reject)) settle();
      };
      const refuse = (error: Error): void => (peer ?? this).#carry(100, () => answer(() => reject(error)));
      this.#carry(text.length, () => {
        const gone = new StanzaFault('cancel', 'service-unavailable');
        if (peer === undefined || peer.#fault !== undefined) return refuse(gone);
        const request = { type, from: this.jid, id, payload: parse(text) };
        peer.#handle(request).then((result) => peer.#carry(100, () => answer(() => resolve(result))), refuse);
      });
    });
  }

  handleIq(namespace: string, name: string, handler: Handler): () => void {
    this.#handlers.set(`${namespace} ${name}`, handler);
    return () => this.#handlers.delete(`${namespace} ${name}`);
  }

  onClose(listener: (fault: Fault) => void): void {
    this.#closers.push(listener);
  }

  /** The TCP connection breaks: all that waits is rejected, then the listeners hear of it. */
  drop(fault = new Fault('tcp', 'the connection broke')): void {
    this.#fault = fault;
    for (const reject of this.#pending) reject(fault);
    this.#pending.clear();
    for (const listener of this.#closers) listener(fault);
  }

  #handle(iq: IncomingIq): Promise<Element | undefined> {
    const handler = this.#handlers.get(`${iq.payload.getNS()} ${iq.payload.getName()}`);
    return handler === undefined ? Promise.reject(new StanzaFault('cancel', 'service-unavailable')) : handler(iq);
  }

  /** What this side sends queues behind what it sent before. */
  #carry(bytes: number, arrive: () => void): void {
    const { delayMs = () => 1, rate = Infinity } = this.#wire;
    const now = this.#clock.now();
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / rate) * 1000;
    this.#lastAt = Math.max(this.#lastAt, this.#freeAt + delayMs());
    this.#clock.setTimer(this.#lastAt - now, arrive);
  }
}

/** Connections of two devices, each the other's only peer. */
export function createIqPair(clock: Clock, wire: WireOptions = {}): { readonly a: FakeConnection; readonly b: FakeConnection } {
  const a = new FakeConnection('anna@one.example/git-xmpp-aaaaaaaa', clock, wire);
  const b = new FakeConnection('ben@two.example/git-xmpp-bbbbbbbb', clock, wire);
  a.join(b);
  b.join(a);
  return { a, b };
}
