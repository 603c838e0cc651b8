// In-band streams between two agents, and against a peer that speaks raw stanzas.

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { formatClose, formatData, formatOpen } from '../../../src/carriers/ibb-format.ts';
import { InBand } from '../../../src/carriers/in-band.ts';
import type { InBandOptions } from '../../../src/carriers/in-band.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { createLog } from '../../../src/lib/log.ts';
import { NS_IBB } from '../../../src/xmpp/namespaces.ts';
import { TestSink, TestSource, patternBytes } from '../../helpers/carrier-ends.ts';
import { EventClock, settle } from '../../helpers/event-clock.ts';
import { FakeConnection, createIqPair } from '../../helpers/iq-pair.ts';
import type { WireOptions } from '../../helpers/iq-pair.ts';

const log = createLog(() => undefined, 'warn', () => 0);

function createInBand(connection: FakeConnection, clock: EventClock, options: Partial<InBandOptions> = {}): InBand {
  return new InBand({ connection, clock, log, random: (size) => randomBytes(size), ...options });
}

/** Two agents; `accepted` fills with what b was handed. */
function twoAgents(wire: WireOptions = {}, options: Partial<InBandOptions> = {}) {
  const clock = new EventClock();
  const pair = createIqPair(clock, wire);
  const [a, b] = [createInBand(pair.a, clock), createInBand(pair.b, clock, options)];
  const accepted: Carrier[] = [];
  b.onCarrier((carrier) => accepted.push(carrier));
  return { clock, ...pair, inBandA: a, inBandB: b, accepted };
}

/** An agent b, and a that speaks raw stanzas. */
function rawPeer(options: Partial<InBandOptions> = {}) {
  const clock = new EventClock();
  const { a, b } = createIqPair(clock);
  const accepted: Carrier[] = [];
  createInBand(b, clock, options).onCarrier((carrier) => accepted.push(carrier));
  const ask = (payload: Parameters<FakeConnection['iq']>[2]) => clock.finish(a.iq('set', b.jid, payload));
  return { clock, a, b, accepted, ask };
}

async function openStream(wire: WireOptions = {}) {
  const agents = twoAgents(wire);
  const carrierA = await agents.clock.finish(agents.inBandA.open(agents.b.jid));
  const carrierB = agents.accepted[0];
  if (carrierB === undefined) throw new Error('nothing was accepted');
  return { ...agents, carrierA, carrierB };
}

describe('InBand', () => {
  it('carries bytes both ways at once', async () => {
    const { clock, carrierA, carrierB } = await openStream({ delayMs: () => 20 });
    const [sourceA, sourceB, sinkA, sinkB] = [new TestSource(), new TestSource(), new TestSink(), new TestSink()];
    const [there, back] = [patternBytes(300_000, 1), patternBytes(200_000, 2)];
    sourceA.write(there);
    sourceB.write(back);
    carrierA.start(sourceA, sinkA);
    carrierB.start(sourceB, sinkB);
    await clock.runUntil(() => sinkB.length === there.length && sinkA.length === back.length);
    expect(Buffer.compare(sinkB.bytes, there)).toBe(0);
    expect(Buffer.compare(sinkA.bytes, back)).toBe(0);
    expect(carrierA.stats).toMatchObject({ bytesOut: 300_000, bytesIn: 200_000 });
    expect(carrierA.stats.srttMs).toBeCloseTo(40, 0);
  });

  it('names its streams by an unguessable NMTOKEN and offers blocks of 4096 in iq stanzas', async () => {
    const { a, carrierA } = await openStream();
    expect(carrierA.sid).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(a.sent[0]).toContain('block-size="4096" stanza="iq"');
  });

  it('puts small writes of one turn into one block', async () => {
    const { clock, a, carrierA, carrierB } = await openStream();
    const [source, sink] = [new TestSource(), new TestSink()];
    carrierA.start(source, new TestSink());
    carrierB.start(new TestSource(), sink);
    await settle();
    for (let count = 0; count < 10; count += 1) {
      source.write(Uint8Array.of(count));
      carrierA.wake();
    }
    await clock.runUntil(() => sink.length === 10);
    expect(a.sent.filter((text) => text.startsWith('<data'))).toHaveLength(1);
  });

  it('has two blocks under way at first and sixteen soon after', async () => {
    const { clock, a, carrierA, carrierB } = await openStream({ delayMs: () => 1 });
    const [source, sink] = [new TestSource(), new TestSink()];
    const blocks = (): number => a.sent.filter((text) => text.startsWith('<data')).length;
    source.write(new Uint8Array(2_000_000));
    carrierA.start(source, new TestSink());
    await settle();
    expect(blocks()).toBe(2);
    carrierB.start(new TestSource(), sink);
    await clock.runUntil(() => blocks() - sink.parts.length >= 16);
    expect(sink.parts.length).toBeLessThan(300);
  });

  it('answers a block only when the sink has consumed it', async () => {
    const releases: (() => void)[] = [];
    const { clock, a, carrierA, carrierB } = await openStream();
    const [source, sink] = [new TestSource(), new TestSink(() => new Promise((resolve) => releases.push(resolve)))];
    source.write(new Uint8Array(5 * 4096));
    carrierA.start(source, new TestSink());
    carrierB.start(new TestSource(), sink);
    await clock.advance(10_000);
    expect(sink.parts).toHaveLength(1);
    expect(a.sent.filter((text) => text.startsWith('<data'))).toHaveLength(2);
    releases[0]?.();
    await clock.advance(1000);
    expect(sink.parts).toHaveLength(2);
    expect(a.sent.filter((text) => text.startsWith('<data')).length).toBeGreaterThan(2);
  });

  it('halves its blocks down to 1024 bytes when the peer wants smaller ones, whatever the type of its error', async () => {
    const { clock, b, inBandA, accepted } = twoAgents({}, { largestBlock: 1024 });
    const carrier = await clock.finish(inBandA.open(b.jid));
    carrier.start(new TestSource(), new TestSink());
    expect(accepted).toHaveLength(1);
  });

  it('gives up on a peer that wants blocks under 1024 bytes', async () => {
    const { clock, a, b, inBandA } = twoAgents({}, { largestBlock: 1000 });
    await expect(clock.finish(inBandA.open(b.jid))).rejects.toMatchObject({ code: 'throttled' });
    expect(a.sent.map((text) => /block-size="(\d+)"/.exec(text)?.[1])).toEqual(['4096', '2048', '1024']);
  });

  it('says that a peer is not signed in when nobody answers at its address', async () => {
    const { clock, inBandA } = twoAgents();
    const gone = parseFullJid('ben@two.example/git-xmpp-cccccccc');
    await expect(clock.finish(inBandA.open(gone))).rejects.toMatchObject({ code: 'peer-offline' });
  });

  it('refuses a stranger with not-acceptable, and says so at the other end', async () => {
    const { clock, b, inBandA, accepted } = twoAgents({}, { isWelcome: () => false });
    await expect(clock.finish(inBandA.open(b.jid))).rejects.toMatchObject({ code: 'not-paired' });
    expect(accepted).toHaveLength(0);
  });

  it('refuses every stream while nobody listens', async () => {
    const clock = new EventClock();
    const { a, b } = createIqPair(clock);
    createInBand(b, clock);
    await expect(clock.finish(a.iq('set', b.jid, formatOpen('s', 4096)))).rejects.toMatchObject({ condition: 'not-acceptable' });
  });

  it('gives up on a peer that does not answer within five seconds, and closes what it may have opened', async () => {
    const clock = new EventClock();
    const { a, b } = createIqPair(clock);
    b.handleIq(NS_IBB, 'open', () => new Promise(() => undefined));
    const before = clock.now();
    await expect(clock.finish(createInBand(a, clock).open(b.jid))).rejects.toMatchObject({ code: 'timeout' });
    expect(clock.now() - before).toBe(5000);
    expect(a.sent.at(-1)).toMatch(/^<close/);
  });

  it('ends every stream at once when the connection ends, and opens none after', async () => {
    const { a, b, carrierA, inBandA } = await openStream();
    const sink = new TestSink();
    carrierA.start(new TestSource(), sink);
    const fault = new Fault('tcp', 'cable pulled');
    a.drop(fault);
    expect(sink.faults).toEqual([fault]);
    await expect(inBandA.open(b.jid)).rejects.toBe(fault);
  });

  it('tells a stream that was started after its end', async () => {
    const { a, carrierA } = await openStream();
    a.drop();
    const sink = new TestSink();
    carrierA.start(new TestSource(), sink);
    await settle();
    expect(sink.faults).toHaveLength(1);
  });

  it('closes both ends when it stops, and takes no more', async () => {
    const { clock, a, b, inBandB, carrierA, carrierB } = await openStream();
    const [sinkA, sinkB] = [new TestSink(), new TestSink()];
    carrierA.start(new TestSource(), sinkA);
    carrierB.start(new TestSource(), sinkB);
    await clock.finish(inBandB.stop());
    expect(sinkA.faults).toMatchObject([{ code: 'not-connected' }]);
    expect(sinkB.faults).toEqual([]);
    const refused = clock.finish(a.iq('set', b.jid, formatOpen('s', 4096)));
    await expect(refused).rejects.toMatchObject({ condition: 'service-unavailable' });
  });
});

describe('InBand, asked by a peer that speaks raw stanzas', () => {
  const block = (seq: number, size = 1) => formatData('s', { seq, bytes: new Uint8Array(size) });

  it.each([
    ['more than 65535 bytes a block', { 'block-size': '65536' }, 'bad-request'],
    ['no bytes a block', { 'block-size': '0' }, 'bad-request'],
    ['a sid with a space', { sid: 'a b' }, 'bad-request'],
    ['messages', { stanza: 'message' }, 'not-acceptable'],
  ])('refuses a stream of %s', async (_, attrs, condition) => {
    const { ask, accepted } = rawPeer();
    const open = formatOpen('s', 4096);
    Object.assign(open.attrs, attrs);
    await expect(ask(open)).rejects.toMatchObject({ condition });
    expect(accepted).toHaveLength(0);
  });

  it('accepts blocks of 65535 bytes and sends none larger than 4096', async () => {
    const { clock, a, b, accepted, ask } = rawPeer();
    const sizes: number[] = [];
    a.handleIq(NS_IBB, 'data', async (iq) => {
      sizes.push(Buffer.from(iq.payload.getText(), 'base64').length);
      return undefined;
    });
    await ask(formatOpen('s', 65_535));
    const [source, sink] = [new TestSource(), new TestSink()];
    source.write(new Uint8Array(8192));
    accepted[0]?.start(source, sink);
    await ask(block(0, 65_535));
    expect(sink.length).toBe(65_535);
    await clock.runUntil(() => sizes.length === 2);
    expect(sizes).toEqual([4096, 4096]);
    expect(b.sent).toHaveLength(2);
  });

  it.each([
    ['out of order', block(1), 'unexpected-request'],
    ['larger than agreed', block(0, 4097), 'bad-request'],
    ['with bytes that are not base64', formatData('s', { seq: 0, bytes: new Uint8Array(0) }).t('A*AA'), 'bad-request'],
  ])('answers a block %s, ends the stream and closes it', async (_, wrong, condition) => {
    const { clock, b, accepted, ask } = rawPeer();
    await ask(formatOpen('s', 4096));
    const sink = new TestSink();
    accepted[0]?.start(new TestSource(), sink);
    await expect(ask(wrong)).rejects.toMatchObject({ condition });
    expect(sink.parts).toEqual([]);
    expect(sink.faults).toMatchObject([{ code: 'server' }]);
    await clock.advance(10);
    expect(b.sent).toEqual([formatClose('s').toString()]);
    await expect(ask(block(0))).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  it('takes nothing that follows a block out of order', async () => {
    const { clock, a, b, accepted, ask } = rawPeer();
    await ask(formatOpen('s', 4096));
    const sink = new TestSink();
    accepted[0]?.start(new TestSource(), sink);
    await ask(block(0));
    const answers = [2, 1, 2].map((seq) => a.iq('set', b.jid, block(seq)));
    const settled = await clock.finish(Promise.allSettled(answers));
    expect(settled.map((one) => one.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(sink.length).toBe(1);
  });

  it.each([
    ['data', block(0)],
    ['a close', formatClose('s')],
  ])('answers %s for an unknown stream with item-not-found', async (_, payload) => {
    const { ask } = rawPeer();
    await expect(ask(payload)).rejects.toMatchObject({ type: 'cancel', condition: 'item-not-found' });
  });

  it('answers another resource of the same account with item-not-found and leaves the stream as it is', async () => {
    const { clock, a, b, accepted, ask } = rawPeer();
    await ask(formatOpen('s', 4096));
    const sink = new TestSink();
    accepted[0]?.start(new TestSource(), sink);
    const other = new FakeConnection('anna@one.example/other', clock, {});
    other.join(b);
    b.join(a, other);
    for (const payload of [block(0), formatClose('s')]) {
      await expect(clock.finish(other.iq('set', b.jid, payload))).rejects.toMatchObject({ condition: 'item-not-found' });
    }
    await ask(block(0));
    expect(sink.length).toBe(1);
    expect(sink.faults).toEqual([]);
  });

  it('refuses a sid that is in use', async () => {
    const { ask, accepted } = rawPeer();
    await ask(formatOpen('s', 4096));
    await expect(ask(formatOpen('s', 4096))).rejects.toMatchObject({ condition: 'not-acceptable' });
    expect(accepted).toHaveLength(1);
  });

  it('lets two streams of a device wait to be started, and more once they are', async () => {
    const { ask, accepted } = rawPeer();
    await ask(formatOpen('s1', 4096));
    await ask(formatOpen('s2', 4096));
    await expect(ask(formatOpen('s3', 4096))).rejects.toMatchObject({ type: 'wait', condition: 'resource-constraint' });
    accepted[0]?.start(new TestSource(), new TestSink());
    await ask(formatOpen('s3', 4096));
    expect(accepted).toHaveLength(3);
  });

  it('has at most eight streams of a device', async () => {
    const { ask, accepted } = rawPeer();
    for (let count = 0; count < 8; count += 1) {
      await ask(formatOpen(`s${count}`, 4096));
      accepted[count]?.start(new TestSource(), new TestSink());
    }
    await expect(ask(formatOpen('s8', 4096))).rejects.toMatchObject({ condition: 'resource-constraint' });
  });

  it('closes a stream that nobody starts within ten seconds', async () => {
    const { clock, b, ask } = rawPeer();
    await ask(formatOpen('s', 4096));
    await clock.advance(10_000);
    expect(b.sent).toEqual([formatClose('s').toString()]);
    await expect(ask(block(0))).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  it('refuses the stream that its listener fails to take', async () => {
    const clock = new EventClock();
    const { a, b } = createIqPair(clock);
    createInBand(b, clock).onCarrier(() => {
      throw new Error('no');
    });
    await expect(clock.finish(a.iq('set', b.jid, formatOpen('s', 4096)))).rejects.toMatchObject({ condition: 'not-acceptable' });
    await expect(clock.finish(a.iq('set', b.jid, block(0)))).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  it('answers a get with an error', async () => {
    const { clock, a, b } = rawPeer();
    await expect(clock.finish(a.iq('get', b.jid, formatOpen('s', 4096)))).rejects.toMatchObject({ condition: 'bad-request' });
  });
});
