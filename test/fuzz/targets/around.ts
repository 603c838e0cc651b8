// What else is read from outside: a server's records and what it says of its proxies, bulk lanes, questions at the agent's door, the lines of a program that
// drives it, and files that something else has written.

import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { parse } from 'ltx';
import type { Element } from 'ltx';
import { EMPTY_BOOK, formatDeviceBook, parseDeviceBook } from '../../../src/agent/device-book-format.ts';
import { parseListBody } from '../../../src/agent/devices-telling.ts';
import { parseDefaultRoutes } from '../../../src/agent/network-format.ts';
import { parsePauses } from '../../../src/agent/pauses-format.ts';
import { json as handler, parsePath } from '../../../src/agent/routing.ts';
import { Proxies } from '../../../src/carriers/proxies.ts';
import { formatHeaders } from '../../../src/control/door-format.ts';
import { parseOutputPlace } from '../../../src/control/output-format.ts';
import { LineReader, parseConsumed, parseEmitted } from '../../../src/control/remotedaemon-format.ts';
import { parseQuestion } from '../../../src/control/request.ts';
import { PushHead } from '../../../src/git/push-head-machine.ts';
import { parseReflogLine } from '../../../src/git/reflog-format.ts';
import { SideBandWords } from '../../../src/git/side-band-machine.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { parseFaultLines } from '../../../src/lib/errors.ts';
import { parseBareJid, parseFullJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { AckDecoder, LaneDecoder, encodeAck, encodeDone, encodeHello, encodePartHeader, encodeStart, formatLaneLost, formatReceived, parseHello, parseLaneWord, parseReceived } from '../../../src/link/lane-format.ts';
import { parseLinkId } from '../../../src/pipe/frame-format.ts';
import { readAddress } from '../../../src/xmpp/address.ts';
import { readDevices } from '../../../src/xmpp/devices.ts';
import { mutatedBytes, mutatedText } from '../mutate.ts';
import { target } from '../target.ts';
import type { Target } from '../target.ts';
import { FULL, inJson, inStream, json, OID, PEER, REPO } from './seeds.ts';

const LINK = parseLinkId('00112233445566778899aabbccddeeff');
const ACCOUNT = parseBareJid('anna@example.org');
const LANE = Buffer.concat([encodeStart(4096), encodePartHeader(5), Buffer.from('hello'), encodeDone()]);
const NOTHING = handler(() => Promise.resolve({}));
const ROUTES = { 'GET /status': NOTHING, 'POST /status': NOTHING };
const ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'><item jid='proxy.example.org'/><item jid='conference.example.org' name='x'/></query>";
const INFO = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='proxy' type='bytestreams'/><feature var='x'/></query>";
const WHERE = "<query xmlns='http://jabber.org/protocol/bytestreams'><streamhost jid='proxy.example.org' host='192.0.2.7' port='7777'/></query>";

/** A server that answers every question with what is read out of `text`; undefined for what is no XML. */
function serverThatSays(text: string): { readonly iq: () => Promise<Element | undefined> } {
  let answer: Element | undefined;
  try {
    const root = parse(text);
    answer = typeof root === 'object' ? root : undefined;
  } catch {
    answer = undefined;
  }
  return { iq: () => Promise.resolve(answer) };
}

function pepRecord(node: string, record: string): string {
  return `<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${node}'><item id='current'>${record}</item></items></pubsub>`;
}

/** A question at the door, as Node hands it on. */
function asked(method: string, url: string, body: Uint8Array): Parameters<typeof parseQuestion>[0] {
  const incoming = Object.assign(Readable.from([body], { objectMode: false }), { method, url, headers: formatHeaders({ home: '/home/anna' }) });
  return incoming as unknown as Parameters<typeof parseQuestion>[0];
}

export const AROUND_TARGETS: readonly Target[] = [
  target('address record', mutatedText([pepRecord(`urn:git-xmpp:address:1#${PEER.device}`, `<address xmlns='urn:git-xmpp:address:1' jid='${FULL}' device='${PEER.device}'/>`)]), (text) => readAddress(serverThatSays(text), ACCOUNT, PEER.device)),
  target('record of devices', mutatedText([pepRecord(`urn:git-xmpp:devices:1:devices#${PEER.device}`, "<devices xmlns='urn:git-xmpp:devices:1'>AAEC</devices>")]), (text) => readDevices(serverThatSays(text), 'devices', PEER.device, ACCOUNT)),
  target('what a server says of its proxies', mutatedText([ITEMS, INFO, WHERE]), (text) => new Proxies({ connection: { ...serverThatSays(text), jid: parseFullJid(FULL) }, clock: realClock, log: silentLog }).find()),
  target('hello of a bulk lane', mutatedBytes([encodeHello(LINK, { stream: 5, way: 'down' })]), parseHello),
  inStream('bulk lane', [LANE], () => {
    const decoder = new LaneDecoder();
    return (bytes) => decoder.receive(bytes);
  }),
  inStream('acknowledgements of a bulk lane', [Buffer.concat([encodeAck(1), encodeAck(2 ** 40)])], () => {
    const decoder = new AckDecoder();
    return (bytes) => decoder.receive(bytes);
  }),
  inJson('word of a bulk lane', [formatLaneLost({ stream: 5, way: 'down' }, 900), { lane: { stream: 5, way: 'up' }, sid: 's1' }], parseLaneWord),
  inJson('what came over a lost lane', [formatReceived(900)], parseReceived),
  inJson('list of devices over a link', [{ list: 'AAEC' }], parseListBody),
  inStream('commands of a push', [Buffer.from(`0076${OID} ${'4'.repeat(40)} refs/xmpp/${PEER.device}/heads/main\0 report-status\n0000PACK`)], () => {
    const head = new PushHead(`refs/xmpp/${PEER.device}`);
    return (bytes) => head.push(bytes);
  }),
  inStream('words of a git on a side band', [Buffer.concat([Buffer.from('0008NAK\n'), Buffer.from('000a\u0002half\n'), Buffer.from('0009\u0001PACK'), Buffer.from('0000')])], () => {
    const words = new SideBandWords();
    return (bytes) => words.clean(bytes);
  }),
  target('question at the door', fc.tuple(fc.constantFrom('GET', 'POST', '__proto__'), mutatedText(['/status', '/repos?peer=anna', '//x/%ff']), mutatedBytes([Buffer.from(json({ path: '/home/anna/notes' }))])), ([method, url, body]) =>
    parseQuestion(asked(method, url, body), { home: '/home/anna', routes: ROUTES, signal: new AbortController().signal }),
  ),
  target('path of a question', mutatedText(['/home/anna/notes', 'C:\\notes']), parsePath),
  target('place of an output', mutatedText(['1234 1 3f2a91c0-d4b5-4e6f-8192-a3b4c5d6e7f8 567890']), parseOutputPlace),
  target('line of a program that drives the agent', mutatedText(['PAUSE', 'CHANGED refs/heads/main', 'STOP']), parseConsumed),
  target('line to such a program', mutatedText(['CONNECTED xmpp::laptop/notes', 'WARNING xmpp::laptop/notes what', 'DONESYNCING xmpp::laptop/notes 1']), parseEmitted),
  inStream('lines of such a program', [Buffer.from('PAUSE\nRESUME\n')], () => {
    const reader = new LineReader();
    return (bytes) => reader.receive(bytes);
  }),
  inJson('file of devices', [formatDeviceBook({ ...EMPTY_BOOK, counter: 17, seen: { [PEER.device]: 3 } })], parseDeviceBook),
  inJson('file of pauses', [{ version: 1, all: { since: 1_700_000_000_000, until: 1_700_000_009_000 }, repos: [{ repo: REPO, since: 1_700_000_000_000 }] }], parsePauses),
  target('line of a reflog', mutatedText([`${OID} ${'4'.repeat(40)} Anna <anna@example.org> 1700000000 +0000\tcommit: x`]), parseReflogLine),
  target('table of routes', mutatedText(['Iface\tDestination\tGateway\neth0\t00000000\t0101A8C0\t0003\n']), parseDefaultRoutes),
  target('last words of an agent', mutatedText(['git-xmpp: [peer-offline] laptop is offline\n  start it\n']), parseFaultLines),
];
