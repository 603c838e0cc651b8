// Who answers which IQ, and who hears which headline (RFC 6120 §8.2.3, RFC 6121 §5.2.2).
// Rule: a handler is called at once and in order of arrival; its answer may wait, which is how backpressure reaches the sender.

import { InputFault, messageOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { attrOf } from './element.ts';
import type { Element } from './element.ts';
import type { HeadlineHandler, IncomingIq, IqHandler } from './connection-types.ts';
import { StanzaFault } from './stanza-fault.ts';

/** Requests that may be unanswered at once; more are turned away. */
const MAX_UNANSWERED = 1024;

export class Handlers {
  readonly #log: Log;
  readonly #iq = new Map<string, IqHandler>();
  readonly #headline = new Map<string, Set<HeadlineHandler>>();
  #unanswered = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  handleIq(namespace: string, name: string, handler: IqHandler): () => void {
    const key = `${name} ${namespace}`;
    if (this.#iq.has(key)) throw new Error(`two handlers for ${key}`);
    this.#iq.set(key, handler);
    return () => {
      if (this.#iq.get(key) === handler) this.#iq.delete(key);
    };
  }

  onHeadline(namespace: string, handler: HeadlineHandler): () => void {
    const handlers = this.#headline.get(namespace) ?? new Set();
    this.#headline.set(namespace, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  /** The answer to `iq` to come; undefined when nobody handles it. */
  answer(iq: IncomingIq): Promise<Element | undefined | StanzaFault> | undefined {
    const handler = this.#iq.get(`${iq.payload.getName()} ${iq.payload.getNS() ?? ''}`);
    return handler === undefined ? undefined : this.#run(handler, iq);
  }

  async #run(handler: IqHandler, iq: IncomingIq): Promise<Element | undefined | StanzaFault> {
    if (this.#unanswered >= MAX_UNANSWERED) return new StanzaFault('wait', 'resource-constraint');
    this.#unanswered += 1;
    try {
      return await handler(iq);
    } catch (error) {
      if (error instanceof StanzaFault) return error;
      // What nobody can use is the asker's, who may ask again and again: no line of the usual log each time.
      const isTheirs = error instanceof InputFault;
      this.#log[isTheirs ? 'debug' : 'warn']('request failed', { payload: iq.payload.name, from: iq.from, why: messageOf(error) });
      return isTheirs ? new StanzaFault('modify', 'bad-request') : new StanzaFault('cancel', 'internal-server-error');
    } finally {
      this.#unanswered -= 1;
    }
  }

  /** Hands the children of a headline message to who listens. */
  receiveMessage(message: Element): void {
    const from = attrOf(message, 'from');
    if (message.name !== 'message' || attrOf(message, 'type') !== 'headline' || from === undefined) return;
    for (const payload of message.getChildElements()) {
      for (const handler of this.#headline.get(payload.getNS() ?? '') ?? []) this.#tell(handler, from, payload);
    }
  }

  #tell(handler: HeadlineHandler, from: string, payload: Element): void {
    try {
      handler(from, payload);
    } catch (error) {
      this.#log.warn('headline failed', { payload: payload.name, from, why: messageOf(error) });
    }
  }
}
