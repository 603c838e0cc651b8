// What another implementation of XMPP gets for its questions, the proper ones and the others (RFC 6120 §8, XEP-0030, XEP-0047, XEP-0092, XEP-0115,
// XEP-0199). Runs where XMPP_INTEROP=slixmpp says that Debian's python3-slixmpp is installed; then a missing one fails.

import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InBand } from '../../src/carriers/in-band.ts';
import { realClock } from '../../src/lib/clock.ts';
import { parseBareJid } from '../../src/lib/jid.ts';
import { silentLog } from '../../src/lib/log.ts';
import { connect } from '../../src/xmpp/connection.ts';
import type { Connection } from '../../src/xmpp/connection.ts';
import { TestSink, TestSource } from '../helpers/carrier-ends.ts';
import { startProcess } from '../helpers/processes.ts';
import type { Running } from '../helpers/processes.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';

const PROGRAM = path.join(import.meta.dirname, '../fixtures/programs/slixmpp-examine.py');
const FEATURES = [
  'http://jabber.org/protocol/bytestreams',
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/ibb',
  'jabber:iq:version',
  'urn:git-xmpp:agent:1',
  'urn:git-xmpp:pair:1',
  'urn:xmpp:ping',
];

describe.runIf(process.env['XMPP_INTEROP'] === 'slixmpp')('asked by slixmpp, a connection', () => {
  let server: Prosody;
  let connection: Connection;
  let peer: Running;
  let answers: ReadonlyMap<string, unknown>;

  beforeAll(async () => {
    server = await startProsody({ accounts: { anna: 'pw-anna', ben: 'pw-ben' } });
    const account = { jid: parseBareJid('anna@localhost'), server: { host: server.host, port: server.port, isDirectTls: false }, ca: server.caPem };
    connection = await connect({ account, password: 'pw-anna', resource: 'git-xmpp-aaaaaaaa', clock: realClock, log: silentLog });
    const inBand = new InBand({ connection, clock: realClock, log: silentLog, random: (size) => randomBytes(size), largestBlock: 8192 });
    inBand.onCarrier((carrier) => carrier.start(new TestSource(), new TestSink()));
    const env = { PATH: process.env['PATH'], JID: 'ben@localhost/desk', PASSWORD: 'pw-ben', HOST: server.host, PORT: String(server.port), CA_FILE: server.caFile, TARGET: connection.jid };
    peer = await startProcess('/usr/bin/python3', [PROGRAM], { name: 'slixmpp', env, isReady: (output) => output.endsWith('done\n'), deadlineMs: 60_000 });
    answers = new Map(peer.output().split('\n').flatMap((line) => {
      const [, name, answer] = /^([\w ]+): (.+)$/.exec(line) ?? [];
      return name === undefined || answer === undefined ? [] : [[name, JSON.parse(answer)]];
    }));
  });

  afterAll(async () => {
    await peer?.stop();
    await connection?.close();
    await server?.stop();
  });

  it('says what it is and what it can, in a form whose hash can be checked', () => {
    expect(answers.get('identities')).toEqual([['client', 'bot']]);
    expect(answers.get('features')).toEqual(FEATURES);
    expect(answers.get('twice')).toBe(false);
    // It shows no presence, so no hash; whoever makes one of the answer gets the one that XEP-0115 §5.1 says.
    const text = `client/bot//git-xmpp<${FEATURES.join('<')}<`;
    expect(answers.get('caps')).toBe(createHash('sha1').update(text).digest('base64'));
    expect(answers.get('version')).toEqual(['git-xmpp', '1', '']);
    expect(answers.get('ping')).toBe('result');
  });

  it.each([
    ['info by set', 'not-allowed', 'cancel'],
    ['info of a node', 'item-not-found', 'cancel'],
    ['items', 'service-unavailable', 'cancel'],
    ['unknown get', 'service-unavailable', 'cancel'],
    ['unknown set', 'service-unavailable', 'cancel'],
    ['known name in another namespace', 'service-unavailable', 'cancel'],
    ['two questions', 'bad-request', 'modify'],
    ['no question', 'bad-request', 'modify'],
  ])('answers %s with %s', (name, condition, type) => {
    expect(answers.get(name)).toEqual([condition, type]);
  });

  it('says nothing to messages and presence of any kind', () => {
    expect(answers.get('ping after messages')).toBe('result');
    expect(answers.get('came')).toEqual([]);
  });

  it.each(['open', 'open without stanza', 'data', 'open to close', 'data beside a message', 'close'])('takes %s of in-band streams', (name) => {
    expect(answers.get(name)).toBe('result');
  });

  it.each([
    ['open again', 'not-acceptable', 'cancel'],
    ['open by messages', 'not-acceptable', 'cancel'],
    ['open with large blocks', 'resource-constraint', 'modify'],
    ['open with block size none', 'bad-request', 'cancel'],
    ['open with block size 0', 'bad-request', 'cancel'],
    ['open with block size 65536', 'bad-request', 'cancel'],
    ['open with block size words', 'bad-request', 'cancel'],
    ['open with block size sign', 'bad-request', 'cancel'],
    ['open without sid', 'bad-request', 'cancel'],
    ['open with a sid of two words', 'bad-request', 'cancel'],
    ['open by get', 'bad-request', 'modify'],
    ['data of no stream', 'item-not-found', 'cancel'],
    ['data twice', 'unexpected-request', 'cancel'],
    ['data after that', 'item-not-found', 'cancel'],
    ['data that leaps', 'unexpected-request', 'cancel'],
    ['no base64', 'bad-request', 'cancel'],
    ['padding within', 'bad-request', 'cancel'],
    ['too large', 'bad-request', 'cancel'],
    ['close again', 'item-not-found', 'cancel'],
    ['close of no stream', 'item-not-found', 'cancel'],
  ])('refuses %s of in-band streams with %s, as XEP-0047 says', (name, condition, type) => {
    expect(answers.get(name)).toEqual([condition, type]);
  });

  it('closes a stream whose blocks are wrong', () => {
    expect(answers.get('closed')).toEqual(['one', 'two', 'no-base64', 'padding-within', 'too-large']);
  });
});
