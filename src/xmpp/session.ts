// One signed-in stream: requests, answers, liveness, end (RFC 6120, XEP-0198).
// Rule: it ends exactly once, and then everything that waits on it has failed.

import type { Client } from '@xmpp/client';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { domainOf, localOf, parseFullJid } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import { AckPace } from './ack-pace.ts';
import { answerIqs } from './answering.ts';
import type { Connection, HeadlineHandler, IqHandler } from './connection-types.ts';
import { isStanza, xml } from './element.ts';
import type { Element } from './element.ts';
import { CLOSED, faultOfLibrary } from './faults.ts';
import { Handlers } from './handlers.ts';
import { createClient, dismiss, useMechanism } from './hardened-client.ts';
import { Liveness } from './liveness.ts';
import { Login } from './login.ts';
import { NS_PING, NS_SM } from './namespaces.ts';
import { Requests } from './requests.ts';
import type { StreamSocket } from './socket.ts';

export interface SessionOptions {
  readonly jid: BareJid;
  readonly password: string;
  readonly resource: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly strongestMechanism?: string | undefined;
  readonly onMechanism?: ((name: string) => void) | undefined;
  readonly trace?: ((direction: 'in' | 'out', element: Element) => void) | undefined;
}

const REQUEST_MS = 30_000;
const CLOSE_MS = 2_000;

export class Session implements Connection {
  readonly #options: SessionOptions;
  readonly #socket: StreamSocket;
  readonly #client: Client;
  readonly #login: Login;
  readonly #requests: Requests;
  readonly #handlers: Handlers;
  readonly #liveness: Liveness;
  readonly #pace = new AckPace();
  #listeners: ((fault: Fault) => void)[] = [];
  #jid: FullJid | undefined;
  #handled = 0;
  #ended: Fault | undefined;
  #isClosing = false;
  #onSignedIn = (): void => undefined;

  private constructor(socket: StreamSocket, options: SessionOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#requests = new Requests(options.clock);
    this.#handlers = new Handlers(options.log);
    this.#login = new Login({ ...options, channelBinding: socket.channelBinding() });
    this.#liveness = new Liveness({
      clock: options.clock,
      random: options.random,
      ask: () => this.#ask(),
      idleMs: () => this.#login.idleMs,
      onDead: () => this.#end(new Fault('timeout', 'the XMPP server has fallen silent', { remedy: 'check the network; the agent tries again by itself' })),
    });
    this.#client = this.#createClient();
  }

  /**
   * Signs in on `socket`, which this owns from now on.
   * @param signal ends what is under way, with its reason
   * @throws Fault what the server or the network made of it
   */
  static async open(socket: StreamSocket, options: SessionOptions, signal: AbortSignal): Promise<Session> {
    const session = new Session(socket, options);
    const abort = (): void => session.#end(faultOfLibrary(signal.reason));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    try {
      await session.#signIn();
      return session;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  get jid(): FullJid {
    if (this.#jid === undefined) throw new Error('the stream has no address yet');
    return this.#jid;
  }

  get isOpen(): boolean {
    return this.#ended === undefined && !this.#isClosing;
  }

  get maxStanzaBytes(): number {
    return this.#login.maxBytes;
  }

  async iq(
    type: 'get' | 'set',
    to: string | undefined,
    payload: Element,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<Element | undefined> {
    this.#assertOpen();
    const { id, answer } = this.#requests.open(to, options.timeoutMs ?? REQUEST_MS);
    this.#client
      .send(xml('iq', { type, to, id }, payload))
      .catch((error: unknown) => this.#requests.fail(id, faultOfLibrary(error)));
    return answer;
  }

  handleIq(namespace: string, name: string, handler: IqHandler): () => void {
    return this.#handlers.handleIq(namespace, name, handler);
  }

  onHeadline(namespace: string, handler: HeadlineHandler): () => void {
    return this.#handlers.onHeadline(namespace, handler);
  }

  async sendHeadline(to: FullJid, payload: Element): Promise<void> {
    this.#assertOpen();
    await this.#client.send(xml('message', { type: 'headline', to }, payload));
  }

  async sendPresence(to: BareJid, type: 'subscribe' | 'subscribed'): Promise<void> {
    this.#assertOpen();
    await this.#client.send(xml('presence', { type, to }));
  }

  probe(answerMs?: number): Promise<boolean> {
    return this.isOpen ? this.#liveness.probe(answerMs) : Promise.resolve(false);
  }

  onClose(listener: (fault: Fault) => void): void {
    const fault = this.#ended;
    if (fault === undefined) this.#listeners.push(listener);
    else queueMicrotask(() => listener(fault));
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return;
    const closed = new Promise<void>((resolve) => this.onClose(() => resolve()));
    if (!this.#isClosing) {
      this.#isClosing = true;
      this.#options.clock.setTimer(CLOSE_MS, () => this.#end(CLOSED));
      this.#sayGoodbye();
    }
    await closed;
  }

  /** Without the last count the server would return what was handled as undeliverable. */
  #sayGoodbye(): void {
    const ignore = (): void => undefined;
    if (this.#login.hasManagement) this.#client.send(xml('a', { xmlns: NS_SM, h: this.#handled })).catch(ignore);
    this.#client.write('</stream:stream>').catch(ignore);
  }

  #createClient(): Client {
    const { jid, password, resource, log, trace } = this.#options;
    const client = createClient(
      this.#socket,
      { domain: domainOf(jid), username: localOf(jid), password, resource },
      {
        admit: (element) => {
          trace?.('in', element);
          this.#login.admit(element, (mechanism) => useMechanism(this.#client, mechanism));
          if (element.is('enabled', NS_SM)) this.#handled = 0;
          else if (isStanza(element)) this.#handled += 1;
        },
        onElement: (element) => this.#receive(element),
        onFault: (fault) => this.#end(this.#isClosing ? CLOSED : fault),
        onUnsent: (fault) => log.warn('stanza not sent', { why: fault.message }),
        onSent: (element, bytes) => this.#sent(element, bytes),
        maxBytes: () => this.#login.maxBytes,
        handled: () => this.#handled,
      },
    );
    answerIqs(client, this.#handlers, { own: () => this.#jid, maxBytes: () => this.#login.maxBytes });
    client.on('online', () => this.#login.bound());
    client.on('online', () => this.#checkSignedIn());
    this.#socket.on('heard', () => this.#liveness.heard());
    return client;
  }

  #signIn(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onSignedIn = resolve;
      this.onClose(reject);
      this.#client.open({ domain: domainOf(this.#options.jid) }).catch((error: unknown) => this.#end(faultOfLibrary(error)));
    });
  }

  #checkSignedIn(): void {
    if (!this.#login.isDone || this.#jid !== undefined) return;
    try {
      this.#jid = parseFullJid(String(this.#client.jid));
    } catch (error) {
      this.#end(faultOfLibrary(error));
      return;
    }
    this.#liveness.start();
    this.#onSignedIn();
  }

  #receive(element: Element): void {
    this.#checkSignedIn();
    if (this.#jid === undefined) return;
    this.#requests.receive(element, this.#jid);
    this.#handlers.receiveMessage(element);
  }

  #sent(element: Element, bytes: number): void {
    this.#options.trace?.('out', element);
    this.#liveness.said();
    if (!this.#login.hasManagement || !isStanza(element) || !this.#pace.sent(bytes)) return;
    this.#requestAck();
  }

  /** A send that fails shows in the silence that follows. */
  #requestAck(): void {
    this.#client.send(xml('r', { xmlns: NS_SM })).catch(() => undefined);
  }

  #ask(): void {
    if (this.#login.hasManagement) this.#requestAck();
    else this.iq('get', domainOf(this.jid), xml('ping', { xmlns: NS_PING })).catch(() => undefined);
  }

  #assertOpen(): void {
    if (!this.isOpen) throw new Fault('not-connected', 'there is no connection to the XMPP server');
  }

  #end(fault: Fault): void {
    if (this.#ended !== undefined) return;
    this.#ended = fault;
    this.#liveness.stop();
    this.#socket.destroy();
    this.#requests.failAll(
      new Fault('not-connected', `the connection to the XMPP server ended: ${fault.message}`, { cause: fault }),
    );
    dismiss(this.#client, fault);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener(fault);
  }
}
