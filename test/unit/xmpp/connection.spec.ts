// What no real server does: each spec says what the server sends, byte for byte.

import net from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseBareJid, parseFullJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { connect } from '../../../src/xmpp/connection.ts';
import type { ConnectOptions, Connection } from '../../../src/xmpp/connection.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import type { TestCertificate } from '../../helpers/certificates.ts';
import { HEADER, offer, startFakeServer } from '../../helpers/fake-xmpp-server.ts';
import type { FakeServer, FakeStream, SignInScript } from '../../helpers/fake-xmpp-server.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const JID = 'anna@localhost/git-xmpp-aaaaaaaa';
const PEER = parseFullJid('ben@two.example/git-xmpp-bbbbbbbb');
let certificate: TestCertificate;
let server: FakeServer;
let clock: VirtualClock;

beforeAll(() => {
  certificate = makeCertificate('localhost');
});

beforeEach(async () => {
  server = await startFakeServer(certificate);
  clock = new VirtualClock();
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await server.stop();
});

function begin(options: Partial<ConnectOptions> = {}): Promise<Connection> {
  const connecting = connect({
    account: {
      jid: parseBareJid('anna@localhost'),
      server: { host: '127.0.0.1', port: server.port, isDirectTls: true },
      ca: certificate.cert,
    },
    password: 'secret',
    resource: 'git-xmpp-aaaaaaaa',
    clock,
    log: silentLog,
    random: () => 0,
    ...options,
  });
  // Specs look at the outcome later than it may come.
  connecting.catch(() => undefined);
  return connecting;
}

async function signedIn(script: Partial<SignInScript> = {}, jid = JID): Promise<{ connection: Connection; stream: FakeStream }> {
  const connecting = begin();
  const stream = await server.accept();
  await stream.signIn(jid, { password: 'secret', ...script });
  return { connection: await connecting, stream };
}

/** The library takes no clock: its timers are these. */
function useLibraryTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
}

function ended(connection: Connection): Promise<{ code: string; message: string }> {
  return new Promise((resolve) => connection.onClose(resolve));
}

function ping(from: string, id: string): string {
  return `<iq type='get' from='${from}' to='${JID}' id='${id}'><ask xmlns='urn:x'/></iq>`;
}

describe('connect, signing in', () => {
  it('gives a connection at the address that the server bound, be it another than asked', async () => {
    const { connection } = await signedIn({}, 'anna@localhost/assigned');
    expect(connection.jid).toBe('anna@localhost/assigned');
    expect(connection.isOpen).toBe(true);
  });

  it('reports the mechanism only once the server has proved itself', async () => {
    const onMechanism = vi.fn();
    const connecting = begin({ onMechanism });
    const stream = await server.accept();
    const signIn = stream.signIn(JID, { password: 'secret', isHonest: false }).catch(() => undefined);
    await expect(connecting).rejects.toMatchObject({ code: 'server', message: expect.stringContaining('impostor') });
    await Promise.all([signIn, stream.closed]);
    expect(onMechanism).not.toHaveBeenCalled();
  });

  it('calls a refused password by its name', async () => {
    const connecting = begin();
    const stream = await server.accept();
    stream.signIn(JID, { password: 'another' }).catch(() => undefined);
    await expect(connecting).rejects.toMatchObject({ code: 'wrong-password' });
    await stream.closed;
  });

  it('refuses a challenge that would make the password easy to guess', async () => {
    const connecting = begin();
    const stream = await server.accept();
    stream.send(offer('SCRAM-SHA-256'));
    const [, first = ''] = await stream.take(/<auth [^>]*>([^<]*)</);
    const nonce = /r=(.*)$/.exec(Buffer.from(first, 'base64').toString())?.[1] ?? '';
    const challenge = Buffer.from(`r=${nonce}x,s=c2FsdA==,i=1`).toString('base64');
    stream.send(`<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>${challenge}</challenge>`);
    await expect(connecting).rejects.toMatchObject({ code: 'server', message: expect.stringContaining('1 rounds') });
    await stream.closed;
  });

  it.each([
    ['only PLAIN', offer('PLAIN')],
    ['no login at all', `${HEADER}<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>`],
    [
      'only SASL2',
      `${HEADER}<stream:features><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256</mechanism></authentication></stream:features>`,
    ],
  ])('refuses a server that offers %s', async (_what, features) => {
    const connecting = begin();
    const stream = await server.accept();
    stream.send(features);
    await expect(connecting).rejects.toMatchObject({ code: 'no-mechanism' });
    await stream.closed;
  });

  it('refuses a success that nobody asked for', async () => {
    const connecting = begin();
    const stream = await server.accept();
    stream.send(`${HEADER}<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`);
    await expect(connecting).rejects.toMatchObject({ code: 'server' });
  });

  it('signs in by plain SASL where SASL2 and STARTTLS are offered beside it', async () => {
    const connecting = begin();
    const stream = await server.accept();
    const more =
      "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism></authentication>";
    stream.send(offer('SCRAM-SHA-256').replace('<stream:features>', `<stream:features>${more}`));
    const [sent] = await stream.take(/<stream:stream[^>]*>(<[a-z]+ )/);
    expect(sent).toMatch(/<auth $/);
    connecting.catch(() => undefined);
  });

  it('does not follow a server that sends it elsewhere', async () => {
    const connecting = begin();
    const stream = await server.accept();
    stream.send(
      `${HEADER}<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:${server.port}</see-other-host></stream:error>`,
    );
    await expect(connecting).rejects.toMatchObject({ code: 'server', remedy: expect.stringContaining('--server') });
    await stream.closed;
  });

  it.each([
    ['never opens its stream', ''],
    ['never says what it offers', HEADER],
    ['never answers the login', offer('SCRAM-SHA-256')],
    ['never gives an address', 'bind'],
  ])('gives up after 30 s on a server that %s, and leaves nothing open', async (_what, text) => {
    useLibraryTimers();
    const connecting = begin();
    const stream = await server.accept();
    if (text === 'bind') stream.signIn(JID, { password: 'secret', isBinding: false }).catch(() => undefined);
    else await stream.take(/<stream:stream[^>]*>/);
    if (text !== '' && text !== 'bind') stream.send(text);
    if (text.includes('SCRAM')) await stream.take(/<auth /);
    if (text === 'bind') await stream.bindAsked;
    clock.advance(29_999);
    expect(await Promise.race([connecting.catch(() => 'given up'), Promise.resolve('waiting')])).toBe('waiting');
    clock.advance(1);
    await expect(connecting).rejects.toMatchObject({ code: 'timeout' });
    await stream.closed;
    expect([clock.timers, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('stops at once when it is told to', async () => {
    const stop = new AbortController();
    const connecting = begin({ signal: stop.signal });
    const stream = await server.accept();
    await stream.take(/<stream:stream[^>]*>/);
    stop.abort();
    await expect(connecting).rejects.toMatchObject({ code: 'not-connected' });
    await stream.closed;
  });

  it('asks nothing of a server when it was told to stop before', async () => {
    const connect = vi.spyOn(net, 'connect');
    await expect(begin({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'not-connected' });
    expect(connect).not.toHaveBeenCalled();
    connect.mockRestore();
  });

  it('switches off the delay of small packets', async () => {
    const setNoDelay = vi.spyOn(net.Socket.prototype, 'setNoDelay');
    const { stream } = await signedIn();
    const ours = setNoDelay.mock.instances.filter(
      (socket) => socket instanceof net.Socket && socket !== stream.socket && socket.remotePort === server.port,
    );
    expect(ours.length).toBeGreaterThan(0);
  });
});

describe('Connection, reading', () => {
  it('puts characters together that come in pieces of one byte', async () => {
    const { connection, stream } = await signedIn();
    const words = 'é€😀'.repeat(20);
    const heard = new Promise<string>((resolve) =>
      connection.onHeadline('urn:x', (_from, payload) => resolve(payload.getText())),
    );
    for (const byte of Buffer.from(`<message type='headline' from='${PEER}'><news xmlns='urn:x'>${words}</news></message>`))
      stream.send(Buffer.of(byte));
    expect(await heard).toBe(words);
  });

  it('does work in proportion to the text, not to its square', async () => {
    const { connection, stream } = await signedIn();
    const heard = new Promise<number>((resolve) =>
      connection.onHeadline('urn:x', (_from, payload) => resolve(payload.getText().length)),
    );
    const indexOf = vi.spyOn(String.prototype, 'indexOf');
    stream.send(`<message type='headline' from='${PEER}'><news xmlns='urn:x'>`);
    for (let piece = 0; piece < 32; piece += 1) stream.send('A'.repeat(4096));
    stream.send('</news></message>');
    expect(await heard).toBe(32 * 4096);
    // Without the holding back it is one search per character: 131 072.
    expect(indexOf.mock.calls.filter(([text]) => text === '<').length).toBeLessThan(1000);
  });

  it('calls handlers in order of arrival, and lets answers come late and in any order', async () => {
    const { connection, stream } = await signedIn();
    const seen: string[] = [];
    const answers = new Map<string, () => void>();
    connection.handleIq('urn:x', 'ask', ({ id }) => {
      seen.push(id);
      return new Promise((resolve) => answers.set(id, () => resolve(xml('told', { xmlns: 'urn:x' }, id))));
    });
    stream.send(['1', '2', '3'].map((id) => ping(PEER, id)).join(''));
    await vi.waitFor(() => expect(seen).toEqual(['1', '2', '3']));
    answers.get('3')?.();
    const [third] = await stream.take(/<iq .*?<\/iq>/);
    expect(third).toBe(`<iq to="${PEER}" from="${JID}" id="3" type="result"><told xmlns="urn:x">3</told></iq>`);
    answers.get('1')?.();
    expect((await stream.take(/<iq .*?<\/iq>/))[0]).toContain('id="1"');
  });

  it('says what it is to whoever asks, and answers no answer', async () => {
    const { connection, stream } = await signedIn();
    const seen: string[] = [];
    connection.handleIq('urn:x', 'ask', ({ id }) => Promise.resolve(void seen.push(id)));
    stream.send(ping(PEER, '1').replace(/type=(['"])get\1/, "type='result'"));
    stream.send(`<iq type='get' from='${PEER}' id='2'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`);
    const [answer] = await stream.take(/<iq .*id="2".*<\/iq>/);
    expect(answer).toContain('<identity category="client" type="bot" name="git-xmpp"/>');
    expect(answer).not.toContain('id="1"');
    expect(seen).toEqual([]);
  });

  it('answers what nobody handles, and an answer that would be too long, with an error', async () => {
    const { connection, stream } = await signedIn();
    connection.handleIq('urn:x', 'ask', async () => xml('told', { xmlns: 'urn:x' }, 'A'.repeat(65_000)));
    stream.send(`<iq type='get' from='${PEER}' id='1'><other xmlns='urn:x'/></iq>${ping(PEER, '2')}`);
    const [both] = await stream.take(/<iq .*id="1".*<\/iq>.*<iq .*id="2".*<\/iq>/);
    expect(both).toMatch(/id="1" type="error".*<service-unavailable.*id="2" type="error".*<internal-server-error/);
    expect(connection.isOpen).toBe(true);
  });

  it('takes an answer only from whom it asked', async () => {
    const { connection, stream } = await signedIn();
    const answer = connection.iq('get', PEER, xml('ask', { xmlns: 'urn:x' }));
    const [, id] = await stream.take(/<iq type="get" to="[^"]*" id="([^"]+)">.*?<\/iq>/);
    const reply = (from: string, words: string): string =>
      `<iq type='result' from='${from}' to='${JID}' id='${id}'><told xmlns='urn:x'>${words}</told></iq>`;
    stream.send(
      reply('mallory@evil.example/x', 'forged') + reply('ben@two.example', 'by his server') + reply(PEER, 'by himself'),
    );
    expect((await answer)?.getText()).toBe('by himself');
  });

  it.each([
    ['an end tag of another name', "<message from='x@y'></iq>"],
    ['an unknown entity', '<message>&nbsp;</message>'],
    ['a forbidden character reference', '<message>&#0;</message>'],
    ['an element without end', `<message>${'<a>A</a>'.repeat(600_000)}`],
    ['text without end', 'A'.repeat(4_300_000)],
    ['a stream error', "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"],
    ['the end of the stream', '</stream:stream>'],
  ])('ends on %s, once, with a fault and no exception', async (_what, text) => {
    const { connection, stream } = await signedIn();
    const faults: string[] = [];
    connection.onClose(({ code }) => faults.push(code));
    stream.send(`${text}<message/>`);
    await stream.closed;
    await ended(connection);
    expect(faults).toEqual(['server']);
    expect(connection.isOpen).toBe(false);
  });

  it('says "conflict" when another program takes over the address', async () => {
    const { connection, stream } = await signedIn();
    stream.send("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    expect(await ended(connection)).toMatchObject({ code: 'conflict' });
  });

  it('counts a stanza that came in one piece with the start of stream management', async () => {
    const { stream } = await signedIn({ after: ping(PEER, '1') });
    await stream.take(/<iq .*?id="1".*?<\/iq>/);
    stream.send("<r xmlns='urn:xmpp:sm:3'/>");
    expect((await stream.take(/<a [^>]*>/))[0]).toBe('<a xmlns="urn:xmpp:sm:3" h="1"/>');
  });
});

describe('Connection, writing', () => {
  it('enables stream management without resumption', async () => {
    const connecting = begin();
    const stream = await server.accept();
    const take = vi.spyOn(stream, 'take');
    await stream.signIn(JID, { password: 'secret' });
    await connecting;
    const [enable] = await (take.mock.results.at(-1)?.value ?? []);
    expect(enable).toBe('<enable xmlns="urn:xmpp:sm:3"/>');
  });

  it('asks for an acknowledgement after each sixteenth stanza of a stream that never pauses', async () => {
    const { connection, stream } = await signedIn();
    await Promise.all(
      Array.from({ length: 40 }, (_one, index) => connection.sendHeadline(PEER, xml('news', { xmlns: 'urn:x', index }))),
    );
    const [all] = await stream.take(/.*index="39"\/><\/message>/s);
    expect(all.split(/<r xmlns="urn:xmpp:sm:3"\/>/).map((part) => part.split('<message').length - 1)).toEqual([16, 16, 8]);
  });

  it('does not ask in each pause as the library would, and leaves no timer of it behind', async () => {
    useLibraryTimers();
    const { connection, stream } = await signedIn();
    vi.advanceTimersByTime(120_000);
    await connection.sendHeadline(PEER, xml('news', { xmlns: 'urn:x', number: 1 }));
    vi.advanceTimersByTime(120_000);
    await connection.sendHeadline(PEER, xml('news', { xmlns: 'urn:x', number: 2 }));
    expect((await stream.take(/.*number="2"\/><\/message>/s))[0]).not.toContain('<r ');
    stream.socket.destroy();
    await ended(connection);
    expect([clock.timers, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('goes on when one answer cannot be sent', async () => {
    const { connection, stream } = await signedIn();
    connection.handleIq('urn:x', 'ask', async ({ id }) => xml('told', { xmlns: 'urn:x' }, id === '1' ? '\u0000' : 'well'));
    stream.send(ping(PEER, '1') + ping(PEER, '2'));
    expect((await stream.take(/<iq .*?<\/iq>/))[0]).toContain('well');
    expect(connection.isOpen).toBe(true);
  });

  it('refuses a stanza that the server would end the stream for, before a byte of it goes out', async () => {
    const { connection, stream } = await signedIn();
    expect(connection.maxStanzaBytes).toBe(65_536);
    const payload = xml('ask', { xmlns: 'urn:x' }, 'é'.repeat(33_000));
    await expect(connection.iq('set', PEER, payload)).rejects.toMatchObject({ code: 'too-large' });
    await expect(connection.sendHeadline(PEER, payload)).rejects.toMatchObject({ code: 'too-large' });
    await connection.sendHeadline(PEER, xml('news', { xmlns: 'urn:x' }));
    expect((await stream.take(/.*<\/message>/s))[0]).not.toContain('é');
    expect(connection.isOpen).toBe(true);
  });

  it('keeps to the limit that the server announces', async () => {
    const { connection } = await signedIn({
      features: "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>12000</max-bytes></limits>",
    });
    expect(connection.maxStanzaBytes).toBe(12_000);
    await expect(connection.iq('set', PEER, xml('ask', { xmlns: 'urn:x' }, 'A'.repeat(12_000)))).rejects.toMatchObject({
      code: 'too-large',
    });
  });

  it('says something before the server would end the stream as idle', async () => {
    const { stream } = await signedIn({ features: "<limits xmlns='urn:xmpp:stream-limits:0'><idle-seconds>20</idle-seconds></limits>" });
    clock.advance(14_000);
    await stream.take(/<r xmlns="urn:xmpp:sm:3"\/>/);
  });

  it('refuses characters that XML does not have', async () => {
    const { connection } = await signedIn();
    for (const character of ['\u0000', '\u001b', '\uffff', '\ud800']) {
      await expect(connection.iq('set', PEER, xml('ask', { xmlns: 'urn:x' }, character))).rejects.toMatchObject({
        code: 'bad-input',
      });
    }
    expect(connection.isOpen).toBe(true);
  });

  it('fails what waits, and what comes after, as soon as the connection is lost', async () => {
    const { connection, stream } = await signedIn();
    const answer = connection.iq('get', PEER, xml('ask', { xmlns: 'urn:x' }));
    await stream.take(/<iq .*?<\/iq>/);
    stream.socket.destroy();
    await expect(answer).rejects.toMatchObject({ code: 'not-connected' });
    await expect(connection.iq('get', PEER, xml('ask', { xmlns: 'urn:x' }))).rejects.toMatchObject({ code: 'not-connected' });
    await expect(connection.sendHeadline(PEER, xml('news', { xmlns: 'urn:x' }))).rejects.toMatchObject({ code: 'not-connected' });
    expect(clock.timers).toBe(0);
  });
});

describe('Connection, liveness', () => {
  it('asks a silent server, and ends 20 s later without an answer', async () => {
    const { connection, stream } = await signedIn();
    clock.advance(150_000);
    await stream.take(/<r xmlns="urn:xmpp:sm:3"\/>/);
    clock.advance(20_000);
    expect(await ended(connection)).toMatchObject({ code: 'timeout' });
    await stream.closed;
    expect(clock.timers).toBe(0);
  });

  it('goes on when the server answers', async () => {
    const { connection, stream } = await signedIn();
    clock.advance(150_000);
    await stream.take(/<r xmlns="urn:xmpp:sm:3"\/>/);
    const heard = new Promise<void>((resolve) => connection.onHeadline('urn:x', () => resolve()));
    stream.send(`<a xmlns='urn:xmpp:sm:3' h='0'/><message type='headline' from='${PEER}'><news xmlns='urn:x'/></message>`);
    await heard;
    clock.advance(20_000);
    expect(connection.isOpen).toBe(true);
  });

  it('pings a server that knows no stream management', async () => {
    const { connection, stream } = await signedIn({ hasManagement: false });
    clock.advance(150_000);
    await stream.take(/<iq type="get" to="localhost" id="[^"]+"><ping xmlns="urn:xmpp:ping"\/><\/iq>/);
    clock.advance(20_000);
    expect(await ended(connection)).toMatchObject({ code: 'timeout' });
  });

  it('sends nothing by itself while the line is quiet for less than a minute', async () => {
    const { stream } = await signedIn();
    clock.advance(53_000);
    stream.send("<r xmlns='urn:xmpp:sm:3'/>");
    const [sent] = await stream.take(/.*?<a [^>]*>/s);
    expect(sent).toBe('<a xmlns="urn:xmpp:sm:3" h="0"/>');
  });
});

describe('Connection.close', () => {
  it('says how much it has handled, ends the stream and waits for the server to do the same', async () => {
    const { connection, stream } = await signedIn({ after: ping(PEER, '1') });
    await stream.take(/id="1".*?<\/iq>/);
    const closed = connection.close();
    expect((await stream.take(/.*<\/stream:stream>/s))[0]).toBe('<a xmlns="urn:xmpp:sm:3" h="1"/></stream:stream>');
    expect(connection.isOpen).toBe(false);
    stream.send('</stream:stream>');
    await closed;
    await stream.closed;
  });

  it('ends the hard way when the server does not answer in 2 s', async () => {
    const { connection, stream } = await signedIn();
    const faults: string[] = [];
    connection.onClose(({ code }) => faults.push(code));
    const closed = connection.close();
    await stream.take(/<\/stream:stream>/);
    clock.advance(2_000);
    await closed;
    await stream.closed;
    await connection.close();
    expect(faults).toEqual(['not-connected']);
    expect(clock.timers).toBe(0);
  });

  it('tells a listener that comes late', async () => {
    const { connection, stream } = await signedIn();
    stream.socket.destroy();
    await ended(connection);
    expect(await ended(connection)).toMatchObject({ code: 'tcp' });
  });
});
