// What this client says of itself when asked (XEP-0030, XEP-0092).
// Rule: the same few words to everyone; nothing about devices or repositories.

import type { Connection } from './connection-types.ts';
import { attrOf, xml } from './element.ts';
import { NS_AGENT, NS_BYTESTREAMS, NS_DISCO_INFO, NS_IBB, NS_PAIR, NS_PING, NS_VERSION } from './namespaces.ts';
import { StanzaFault } from './stanza-fault.ts';

const NAME = 'git-xmpp';
/** The generation of the protocol; which build runs here is nobody's business. */
const VERSION = '1';
const FEATURES: readonly string[] = [NS_DISCO_INFO, NS_VERSION, NS_PING, NS_IBB, NS_BYTESTREAMS, NS_AGENT, NS_PAIR];

/** Answers disco#info and version on `connection`. Ping is answered by the library. */
export function answerDiscovery(connection: Pick<Connection, 'handleIq'>): void {
  connection.handleIq(NS_DISCO_INFO, 'query', async ({ type, payload }) => {
    const node = attrOf(payload, 'node');
    if (type !== 'get') throw new StanzaFault('cancel', 'not-allowed');
    if (node !== undefined) throw new StanzaFault('cancel', 'item-not-found');
    return xml(
      'query',
      { xmlns: NS_DISCO_INFO },
      xml('identity', { category: 'client', type: 'bot', name: NAME }),
      ...FEATURES.map((feature) => xml('feature', { var: feature })),
    );
  });
  connection.handleIq(NS_VERSION, 'query', async ({ type }) => {
    if (type !== 'get') throw new StanzaFault('cancel', 'not-allowed');
    return xml('query', { xmlns: NS_VERSION }, xml('name', {}, NAME), xml('version', {}, VERSION));
  });
}
