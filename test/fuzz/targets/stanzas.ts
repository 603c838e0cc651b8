// What a server or a contact sends: the stream's bytes, and every element that is read out of it.

import { xml as library } from '@xmpp/client';
import * as fc from 'fast-check';
import { parse } from 'ltx';
import type { Element } from 'ltx';
import { parseQuery, parseStreamhosts, parseUsed } from '../../../src/carriers/bytestreams-format.ts';
import { parseData, parseOpen, parseSid } from '../../../src/carriers/ibb-format.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { formatPairingMessage, parsePairingMessage } from '../../../src/pairing/messages-format.ts';
import { formatRefusal, parseRefusal } from '../../../src/pairing/refusal-format.ts';
import { faultOfSaslFailure, faultOfStreamError } from '../../../src/xmpp/faults.ts';
import { ScramExchange } from '../../../src/xmpp/scram.ts';
import { boundedParser } from '../../../src/xmpp/stanza-door.ts';
import { parseStanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { StreamText } from '../../../src/xmpp/stream-text.ts';
import { cuts, inPieces, mutatedBytes, mutatedText } from '../mutate.ts';
import { target } from '../target.ts';
import type { Target } from '../target.ts';
import { FULL } from './seeds.ts';

const IBB = "xmlns='http://jabber.org/protocol/ibb'";
const BYTESTREAMS = "xmlns='http://jabber.org/protocol/bytestreams'";
const STANZAS = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
const STREAM = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='1' version='1.0'>";
const IQ = `<iq type='set' id='a1' from='${FULL}' to='anna@example.org/x'><data ${IBB} sid='s1' seq='12'>AAEC</data></iq>`;

/** An element of `seeds`, spoiled in its text and read again; what is no XML any more is passed over. */
function element(name: string, seeds: readonly string[], read: (element: Element) => unknown): Target {
  return target(name, mutatedText(seeds), (text) => {
    let root: Element;
    try {
      root = parse(text);
    } catch {
      return;
    }
    if (typeof root === 'object') read(root);
  });
}

/** Reads a stream as the connection does: text by whole elements, then the parser. */
function readStream(bytes: Uint8Array, lengths: readonly number[]): void {
  const text = new StreamText();
  const parser = new (boundedParser(library.Parser))();
  let isBroken = false;
  parser.on('error', () => (isBroken = true));
  for (const piece of inPieces(bytes, lengths)) {
    const whole = text.receive(piece);
    if (isBroken) return;
    try {
      parser.write(whole);
    } catch (error) {
      throw new Fault('server', 'is no XML', { cause: error });
    }
  }
}

const share = Buffer.alloc(32, 3);

export const STANZA_TARGETS: readonly Target[] = [
  target('stream of XML', fc.tuple(mutatedBytes([STREAM + IQ, STREAM + IQ.repeat(3), `${STREAM}<message><body>x</body></message></stream:stream>`].map((text) => Buffer.from(text))), cuts), ([bytes, lengths]) =>
    readStream(bytes, lengths),
  ),
  element('in-band open', [`<open ${IBB} sid='s1' block-size='4096' stanza='iq'/>`], parseOpen),
  element('in-band block', [`<data ${IBB} sid='s1' seq='12'>AAECAw==</data>`, `<data ${IBB} sid='s1' seq='65535'>${'A'.repeat(400)}</data>`], (data) => [parseSid(data), parseData(data, 256)]),
  element(
    'SOCKS5 streamhosts',
    [`<query ${BYTESTREAMS} sid='s1' mode='tcp'><streamhost jid='${FULL}' host='192.168.1.4' port='5086'/><streamhost jid='proxy.example.org' host='fe80::1' port='7777'/></query>`],
    (query) => [parseQuery(query), parseStreamhosts(query)],
  ),
  element('SOCKS5 streamhost used', [`<query ${BYTESTREAMS} sid='s1'><streamhost-used jid='proxy.example.org'/></query>`], parseUsed),
  element(
    'pairing message',
    [
      formatPairingMessage({ type: 'hello', version: 1, id: '4', nonce: Buffer.alloc(16, 1) }).toString(),
      formatPairingMessage({ type: 'share', share }).toString(),
      formatPairingMessage({ type: 'confirm', tag: share, sealed: Buffer.alloc(100, 9) }).toString(),
    ],
    parsePairingMessage,
  ),
  element('pairing refusal', [formatRefusal('wrong-code').toString(), formatRefusal('busy').toString()], parseRefusal),
  element(
    'stanza error',
    [`<iq type='error' id='a1' from='x@y.z'><error type='wait'><resource-constraint ${STANZAS}/><text ${STANZAS}>later</text><x xmlns='urn:x'/></error></iq>`],
    parseStanzaFault,
  ),
  element('stream error', ["<stream:error xmlns:stream='http://etherx.jabber.org/streams'><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>b:1</see-other-host></stream:error>"], faultOfStreamError),
  element('SASL failure', ["<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/><text>no</text></failure>"], (failure) => faultOfSaslFailure(failure, 'anna@example.org')),
  // The rounds themselves take milliseconds each, so only challenges that are refused before them are tried.
  target('SCRAM challenge', mutatedText(['r=abcdefNONCE,s=QSXCR+Q6sek8bf92,i=4095', 'r=abcdef,s=QSXCR+Q6sek8bf92,i=4096', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=']), async (text) => {
    const scram = new ScramExchange({ hash: 'sha1', username: 'anna', password: 'x', nonce: 'abcdefg', binding: { flag: 'n' } });
    await scram.final(text.replace('abcdefg', 'abcdef'));
  }),
  target('SCRAM signature', mutatedText(['v=rmF9pqV8S7suAoZWja4dJRkFsKQ=', 'e=other-error']), (text) =>
    new ScramExchange({ hash: 'sha1', username: 'anna', password: 'x', nonce: 'abcdefg', binding: { flag: 'n' } }).verify(text),
  ),
];
