// What the rest of the program sees of an XMPP connection. Rule: nothing of @xmpp shows through but the elements.

import type { Fault } from '../lib/errors.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import type { Element } from './element.ts';

/** An IQ request that came in. */
export interface IncomingIq {
  readonly type: 'get' | 'set';
  /** Full JID of a client, bare JID of an account, or a server's domain; stamped by the server. */
  readonly from: string;
  readonly id: string;
  readonly payload: Element;
}

/** @throws StanzaFault what is answered as an error; anything else thrown is answered as `internal-server-error` */
export type IqHandler = (iq: IncomingIq) => Promise<Element | undefined>;
export type HeadlineHandler = (from: string, payload: Element) => void;

/** A signed-in stream. Ends once, never comes back: SignIn makes a new one. */
export interface Connection {
  /** As the server bound it, which need not be as asked. */
  readonly jid: FullJid;
  readonly isOpen: boolean;
  /** Longest stanza that is sent, in bytes of UTF-8. */
  readonly maxStanzaBytes: number;

  /**
   * Sends a request; gives the first child of its result.
   * An answer counts only with its id and from whom it was asked (RFC 6120 §8.1.2.1).
   * @param to undefined for the own account
   * @throws StanzaFault an error reply · Fault `timeout`, `not-connected`, `too-large`
   */
  iq(
    type: 'get' | 'set',
    to: string | undefined,
    payload: Element,
    options?: { readonly timeoutMs?: number },
  ): Promise<Element | undefined>;

  /**
   * Answers requests whose payload is `name` in `namespace`.
   * Called in order of arrival, before the next stanza is looked at; the answer may come late.
   * @returns takes the handler away
   */
  handleIq(namespace: string, name: string, handler: IqHandler): () => void;

  /** Called for each child in `namespace` of a headline message. @returns takes the handler away */
  onHeadline(namespace: string, handler: HeadlineHandler): () => void;

  /** @throws Fault `not-connected`, `too-large` */
  sendHeadline(to: FullJid, payload: Element): Promise<void>;

  /** Subscription stanzas only (RFC 6121 §3): this resource never says that it is available. @throws Fault `not-connected` */
  sendPresence(to: BareJid, type: 'subscribe' | 'subscribed'): Promise<void>;

  /**
   * Asks the server at once whether it is still there (after sleep, on another network, when a peer fell silent); one that says nothing in
   * `answerMs` (default 5 000) ends the connection. Several at once share one question.
   * @returns whether it is there
   */
  probe(answerMs?: number): Promise<boolean>;

  /** Called exactly once, when the connection has ended, and why. */
  onClose(listener: (fault: Fault) => void): void;

  /** Ends the stream; when the server does not answer in 2 s, the hard way. */
  close(): Promise<void>;
}
