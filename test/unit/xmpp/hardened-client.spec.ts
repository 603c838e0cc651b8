// What a server, or a stranger through it, sends to fill the memory, to keep the processor busy, or to have the connection end.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { OWN, signInAtFake } from '../../helpers/fake-session.ts';
import { until } from '../../helpers/waiting.ts';

const STRANGER = 'mallory@evil.example/x';
const PEER = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
const iq = (id: string, content: string): string => `<iq type='get' from='${STRANGER}' to='${OWN}' id='${id}'>${content}</iq>`;

describe('a stanza of a stranger', () => {
  it.each([
    ['nests ten thousand levels', `<q xmlns='urn:x'>${'<a>'.repeat(10_000)}${'</a>'.repeat(10_000)}</q>`, 'bad-request'],
    ['holds sixty thousand elements', `<q xmlns='urn:x'>${'<a/>'.repeat(60_000)}</q>`, 'bad-request'],
    ['is longer than any answer may be', `<q xmlns='urn:x'>${'A'.repeat(500_000)}</q>`, 'service-unavailable'],
    ['has each of its characters written as six', `<q xmlns='urn:x'>${'&quot;'.repeat(500_000)}</q>`, 'service-unavailable'],
    ['holds nothing', '', 'bad-request'],
    ['holds two questions', "<q xmlns='urn:x'/><q xmlns='urn:x'/>", 'bad-request'],
    ['has names that objects have', "<__proto__ xmlns='constructor' __proto__='x' hasOwnProperty='x'/>", 'service-unavailable'],
  ])('that %s is answered with an error that repeats nothing of it, and the connection goes on', async (_what, content, condition) => {
    const { stream, isStillThere, faults } = await signInAtFake();
    stream.send(iq('1', content));
    const [answer] = await stream.take(/<iq .*?<\/iq>/);
    expect(answer).toMatch(new RegExp(`^<iq to="${STRANGER}" from="${OWN}" id="1" type="error"><error type="\\w+"><${condition} [^>]*/></error></iq>$`));
    expect(await isStillThere()).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each([
    ['a chat message', "<message type='chat' from='x@y/z'><body>hello</body></message>"],
    ['an error that answers nothing', "<message type='error' from='x@y/z'><error type='cancel'/></message><iq type='error' from='x@y/z' id='9'><error type='cancel'/></iq>"],
    ['a result that answers nothing', "<iq type='result' from='x@y/z' id='9'/>"],
    ['a request to see when it is there', "<presence type='subscribe' from='x@y'/><presence from='x@y/z'/>"],
    ['a headline of nobody', "<message type='headline'><news xmlns='urn:x'/></message>"],
    ['a count of what was never sent', "<a xmlns='urn:xmpp:sm:3' h='4294967295'/>"],
    ['a comment, an instruction and a document type with entities', '<!-- x --><?evil x?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]]>'],
    ['bytes that are no UTF-8', Buffer.from([...Buffer.from("<message from='x@y/z'><body>"), 0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80, ...Buffer.from('</body></message>')])],
  ])('is passed over in silence where it is %s', async (_what, text) => {
    const { stream, isStillThere } = await signInAtFake();
    stream.send(text);
    stream.send(iq('after', "<ping xmlns='urn:xmpp:ping'/>"));
    const [said] = await stream.take(/^.*?id="after"[^>]*>/s);
    expect(said).toBe(`<iq to="${STRANGER}" from="${OWN}" id="after" type="result"/>`);
    expect(await isStillThere()).toBe(true);
  });
});

describe('a server', () => {
  it.each([
    ['an entity of its own', '<message><body>&lol;</body></message>'],
    ['a start tag that never ends', `<message ${"a='>' ".repeat(900_000)}`],
    ['nesting that never ends', '<a>'.repeat(1_500_000)],
  ])('that sends %s is left, with a fault that says so', async (_what, text) => {
    const { stream, faults } = await signInAtFake();
    stream.send(text);
    await stream.closed;
    await until(() => faults.length > 0);
    expect(faults).toEqual([expect.stringMatching(/^server: the server sent what cannot be used/)]);
  });

  it('that sends one attribute in thousands of pieces is left before it costs much', async () => {
    const { stream, faults } = await signInAtFake();
    stream.send("<message a='");
    for (let pieces = 0; pieces < 5_000 && faults.length === 0; pieces += 1) {
      // A record of TLS each.
      stream.send('>'.repeat(32));
      await new Promise(setImmediate);
    }
    await stream.closed;
    await until(() => faults.length > 0);
    expect(faults).toEqual([expect.stringContaining('too long')]);
  });

  it('that acknowledges nothing has nothing kept for it', async () => {
    const { connection, stream } = await signInAtFake();
    const sent: WeakRef<object>[] = [];
    for (let count = 0; count < 50; count += 1) {
      const news = xml('news', { xmlns: 'urn:x', count });
      sent.push(new WeakRef(news));
      await connection.sendHeadline(PEER, news);
    }
    await stream.take(/count="49"/);
    setFlagsFromString('--expose_gc');
    await until(() => {
      runInNewContext('gc()');
      return sent.filter((each) => each.deref() !== undefined).length <= 1;
    });
  });
});
