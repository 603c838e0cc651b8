// Every XML namespace on the wire, with the text that defines it. Rule: no other file spells one out.

/** RFC 6120 */
export const NS_CLIENT = 'jabber:client';
export const NS_STREAM = 'http://etherx.jabber.org/streams';
export const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
export const NS_STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';
export const NS_STARTTLS = 'urn:ietf:params:xml:ns:xmpp-tls';
export const NS_SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
/** XEP-0388 Extensible SASL Profile (not used: stripped from what is offered) */
export const NS_SASL2 = 'urn:xmpp:sasl:2';
/** XEP-0440 SASL Channel-Binding Type Capability */
export const NS_CHANNEL_BINDING = 'urn:xmpp:sasl-cb:0';
/** XEP-0198 Stream Management */
export const NS_SM = 'urn:xmpp:sm:3';
/** XEP-0478 Stream Limits Advertisement */
export const NS_LIMITS = 'urn:xmpp:stream-limits:0';
/** XEP-0004 Data Forms */
export const NS_FORM = 'jabber:x:data';
/** XEP-0030 Service Discovery */
export const NS_DISCO_INFO = 'http://jabber.org/protocol/disco#info';
export const NS_DISCO_ITEMS = 'http://jabber.org/protocol/disco#items';
/** XEP-0047 In-Band Bytestreams */
export const NS_IBB = 'http://jabber.org/protocol/ibb';
/** XEP-0060 Publish-Subscribe, by XEP-0163 Personal Eventing Protocol */
export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
export const NS_PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner';
export const NS_PUBSUB_NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config';
export const NS_PUBSUB_PUBLISH_OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options';
/** XEP-0065 SOCKS5 Bytestreams */
export const NS_BYTESTREAMS = 'http://jabber.org/protocol/bytestreams';
/** RFC 6121 §2 */
export const NS_ROSTER = 'jabber:iq:roster';
/** XEP-0092 Software Version */
export const NS_VERSION = 'jabber:iq:version';
/** XEP-0202 Entity Time */
export const NS_TIME = 'urn:xmpp:time';
/** XEP-0199 XMPP Ping */
export const NS_PING = 'urn:xmpp:ping';

/** Ours; docs/PROTOCOL.md */
export const NS_OURS = 'urn:git-xmpp:';
export { NS_PAIR } from '../pairing/messages-format.ts';
export const NS_ADDRESS = 'urn:git-xmpp:address:1';
/** hello and bye between agents */
export const NS_AGENT = 'urn:git-xmpp:agent:1';
export const NS_ANNOUNCE = 'urn:git-xmpp:announce:1';
/** what devices of one account say of each other */
export const NS_DEVICES = 'urn:git-xmpp:devices:1';
/** what a device asks of itself through the server, to measure it; and an item that it keeps for a moment */
export const NS_DOCTOR = 'urn:git-xmpp:doctor:1';
