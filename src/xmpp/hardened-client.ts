// @xmpp/client 0.14 with its defects mended, for one attempt on one socket (RFC 6120, XEP-0198).
// Rule: every mend stands here or in what this calls; whatever goes wrong inside the library ends in `onFault`, never in a throw.
/* oxlint-disable no-underscore-dangle -- the library's inner names; its version is pinned for them */

import { client as createLibraryClient } from '@xmpp/client';
import type { Client, SaslMechanism } from '@xmpp/client';
import { Fault, InputFault } from '../lib/errors.ts';
import { attrOf } from './element.ts';
import type { Element } from './element.ts';
import { faultOfLibrary } from './faults.ts';
import { NS_SM } from './namespaces.ts';
import type { StreamSocket } from './socket.ts';
import { boundedParser } from './stanza-door.ts';
import { MAX_INCOMING } from './stream-text.ts';

export interface ClientHooks {
  /** Looks at an element before the library does. @throws Fault to end the connection */
  admit(element: Element): void;
  /** After the library has seen it. */
  onElement(element: Element): void;
  /** Ends the connection. */
  onFault(fault: Fault): void;
  /** One stanza could not be sent; the connection goes on. */
  onUnsent(fault: Fault): void;
  onSent(element: Element, bytes: number): void;
  /** Bytes that a stanza may have now. */
  maxBytes(): number;
  /** Stanzas taken in since stream management began. */
  handled(): number;
}

export interface ClientLogin {
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly resource: string;
}

/** Pieces that an element may come in: each costs as much as all before it where ltx waits for the end of an attribute, and servers send 16 KiB in one. */
const MAX_PIECES = 4_096;
/** The longest a timer can be set for: the library's own requests for acknowledgement never come due. */
const NEVER_MS = 2 ** 31 - 1;
const NO_XML = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]|\p{Surrogate}/u;
/** The same where every character is one byte, in a third of the time: most of what goes out is base64. */
const NO_XML_ASCII = /[^\t\n\r\x20-\x7e]/;

/** Nothing has gone out, so the stream is as good as before. */
class UnsentFault extends Fault {}

export function createClient(socket: StreamSocket, login: ClientLogin, hooks: ClientHooks): Client {
  const client = createLibraryClient(login);
  client.reconnect.stop();
  client.timeout = NEVER_MS;
  client.streamManagement.requestAckInterval = 0;
  client.streamManagement.requestAckDebounce = NEVER_MS;
  client.streamManagement.timeout = 0;
  // Nothing is resumed, so nothing has to be kept until the server acknowledges it, which a server may never do.
  client.on('send', () => void client.streamManagement.outbound_q.splice(0));
  hardenReading(client, hooks);
  hardenWriting(client, hooks);
  client.on('error', (error: unknown) => {
    if (error instanceof UnsentFault) hooks.onUnsent(error);
    else hooks.onFault(faultOfLibrary(error));
  });
  client.on('close', () => hooks.onFault(new Fault('server', 'the server ended the stream')));
  client.on('disconnect', () => hooks.onFault(new Fault('tcp', 'the connection to the server was lost')));
  attach(client, socket);
  return client;
}

/** What the library's connect() does, with a socket that is up already. */
function attach(client: Client, socket: StreamSocket): void {
  const transport = client._findTransport('xmpp://localhost');
  if (transport === undefined) throw new Error('@xmpp/client has no TCP transport');
  client.Transport = transport;
  client.Parser = boundedParser(transport.prototype.Parser);
  client._attachSocket(socket);
  client._status('connect');
}

function hardenReading(client: Client, hooks: ClientHooks): void {
  const libraryOnElement = client._onElement.bind(client);
  let unfinished = 0;
  let pieces = 0;
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      hooks.onFault(faultOfLibrary(error));
    }
  };
  client._onData = (data) =>
    guarded(() => {
      const text = data.toString();
      unfinished += text.length;
      pieces += 1;
      // The parser is gone while the stream starts anew, and after it was closed.
      client.parser?.write(text);
      if (unfinished > MAX_INCOMING || pieces > MAX_PIECES) throw new InputFault('the stream from the server', 'holds an element that is too long');
    });
  client._onElement = (element) =>
    guarded(() => {
      unfinished = 0;
      pieces = 0;
      hooks.admit(element);
      // The library counts off its queue, which is empty.
      if (!element.is('a', NS_SM)) libraryOnElement(element);
      hooks.onElement(element);
    });
}

function hardenWriting(client: Client, hooks: ClientHooks): void {
  const librarySend = client.send.bind(client);
  let bytes = 0;
  client.write = async (text) => {
    const { socket } = client;
    bytes = Buffer.byteLength(text);
    if (socket === null) throw new UnsentFault('not-connected', 'there is no connection to the XMPP server');
    if (bytes > hooks.maxBytes()) throw new UnsentFault('too-large', 'a stanza is longer than the server takes');
    if ((bytes === text.length ? NO_XML_ASCII : NO_XML).test(text)) throw new UnsentFault('bad-input', 'a stanza holds a character that XML does not have');
    await new Promise<void>((resolve, reject) => {
      socket.write(text, (error) => (error ? reject(faultOfLibrary(error)) : resolve()));
    });
  };
  client.send = (element) => {
    // Without resumption a dead session answers at once, and the pipe above survives anyway.
    if (element.is('enable', NS_SM)) delete element.attrs['resume'];
    // The library forgets what came in together with <enabled/>.
    if (element.is('a', NS_SM) && attrOf(element, 'h') !== undefined) element.attrs['h'] = String(hooks.handled());
    // An answer is not to grow with what was asked: neither its length nor its depth is ours.
    if (element.is('iq') && element.attrs['type'] === 'error') element.children = element.getChildren('error');
    const sent = librarySend(element);
    hooks.onSent(element, bytes);
    return sent;
  };
}

/** Makes `mechanism` the only one that the library can use. */
export function useMechanism(client: Client, mechanism: SaslMechanism): void {
  client.saslFactory._mechs = [mechanism];
  client.saslFactory.create = () => mechanism;
}

/** Settles every promise and timer of the library that would outlive the connection. */
export function dismiss(client: Client, fault: Fault): void {
  for (const waiting of client.iqCaller.handlers.values()) waiting.reject(fault);
  client.emit('error', fault);
}
