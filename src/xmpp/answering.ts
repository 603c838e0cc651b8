// Between the library's IQ callee and our handlers (RFC 6120 §8.2.3).
// Rule: every request is answered once, and no answer is longer than the server takes.

import type { Client } from '@xmpp/client';
import { bareOf } from '../lib/jid.ts';
import type { FullJid } from '../lib/jid.ts';
import { attrOf, xml } from './element.ts';
import type { Element } from './element.ts';
import type { Handlers } from './handlers.ts';
import { StanzaFault, formatStanzaFault } from './stanza-fault.ts';

export interface AnsweringOptions {
  /** The address of the stream, once it has one. */
  readonly own: () => FullJid | undefined;
  readonly maxBytes: () => number;
}

/** What the stanza around an answer, and the request that an error quotes by name, may need. */
const ENVELOPE_BYTES = 4096;

/**
 * Lets `handlers` answer. The library's middleware calls this while it reads the stanza, not later, so order of arrival is kept:
 * all that stands before it there runs synchronously for an IQ.
 */
export function answerIqs(client: Client, handlers: Handlers, { own, maxBytes }: AnsweringOptions): void {
  client.middleware.use(({ type, element: payload, stanza }, next) => {
    const jid = own();
    if (payload === undefined || (type !== 'get' && type !== 'set') || jid === undefined) return next();
    const answer = handlers.answer({
      type,
      from: attrOf(stanza, 'from') ?? bareOf(jid),
      id: attrOf(stanza, 'id') ?? '',
      payload,
    });
    return answer?.then((reply) => formatReply(reply, maxBytes() - ENVELOPE_BYTES)) ?? next();
  });
}

/** In the shape that the library wants; it knows its own kind of element only, so what comes from elsewhere is made anew. */
function formatReply(reply: Element | undefined | StanzaFault, room: number): unknown {
  if (reply === undefined) return true;
  if (reply instanceof StanzaFault) return formatStanzaFault(reply);
  const element = xml(reply.name, reply.attrs, ...reply.children);
  return Buffer.byteLength(element.toString()) <= room
    ? element
    : formatStanzaFault(new StanzaFault('cancel', 'internal-server-error'));
}
