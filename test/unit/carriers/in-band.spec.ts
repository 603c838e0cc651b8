// In-band streams between two agents, and against a peer that speaks raw stanzas.

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SmallServers } from '../../../src/carriers/block-size-machine.ts';
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

describe('InBand, with larger blocks', () => {
  /** Two agents on a fast path; every block that a sends is written down with its size. */
  function fastAgents(options: Partial<InBandOptions> = {}) {
    const clock = new EventClock();
    const { a, b } = createIqPair(clock, { delayMs: () => 5 });
    const accepted: Carrier[] = [];
    const inBandB = createInBand(b, clock);
    inBandB.onCarrier((carrier) => accepted.push(carrier));
    const sizes = (): number[] => a.sent.filter((text) => text.startsWith('<data')).map((text) => Buffer.from(/>([^<]*)</.exec(text)?.[1] ?? '', 'base64').length);
    return { clock, a, b, inBandA: createInBand(a, clock, options), accepted, sizes };
  }

  /** Sends so many bytes over a new stream. */
  async function send(agents: ReturnType<typeof fastAgents>, bytes: number, blockSize?: number) {
    const { clock, b, inBandA, accepted } = agents;
    const carrier = await clock.finish(inBandA.open(b.jid, blockSize === undefined ? {} : { blockSize }));
    const [source, sink, end] = [new TestSource(), new TestSink(), new TestSink()];
    source.write(new Uint8Array(bytes));
    carrier.start(source, end);
    accepted.at(-1)?.start(new TestSource(), sink);
    return { carrier, sink, end };
  }

  it('suggests them once a carrier has shown a fast path, and not before', async () => {
    const agents = fastAgents();
    const { carrier, sink } = await send(agents, 2_000_000);
    expect(agents.inBandA.suggestBlockSize(carrier)).toBe(4096);
    await agents.clock.runUntil(() => sink.length === 2_000_000);
    expect(agents.inBandA.suggestBlockSize(carrier)).toBe(16_384);
    expect(Math.max(...agents.sizes())).toBe(4096);
  });

  it('begins with the usual ones all the same where larger ones are agreed, and grows when the path allows it', async () => {
    const agents = fastAgents();
    const { sink } = await send(agents, 3_000_000, 16_384);
    await agents.clock.runUntil(() => sink.length === 3_000_000);
    expect(agents.a.sent[0]).toContain('block-size="16384"');
    expect(agents.sizes().slice(0, 64).every((size) => size === 4096)).toBe(true);
    expect(agents.sizes()).toContain(16_384);
  });

  it('suggests none on a server that takes no such stanza', async () => {
    const agents = fastAgents();
    agents.a.maxStanzaBytes = 30_000;
    const { carrier, sink } = await send(agents, 3_000_000, 16_384);
    await agents.clock.runUntil(() => sink.length === 3_000_000);
    expect(Math.max(...agents.sizes())).toBe(4096);
    const { carrier: usual } = await send(agents, 1);
    expect(agents.inBandA.suggestBlockSize(usual)).toBe(4096);
    expect(carrier.blockSize).toBe(16_384);
  });

  it('remembers a server that ends the connection over one, for the life of the agent', async () => {
    const smallServers = new SmallServers();
    const agents = fastAgents({ smallServers });
    await send(agents, 3_000_000, 16_384);
    await agents.clock.runUntil(() => agents.sizes().includes(16_384));
    agents.a.drop(new Fault('throttled', 'the server ended the connection: policy-violation'));
    expect(smallServers.isSmall('one.example')).toBe(true);
    expect(smallServers.isSmall('two.example')).toBe(false);
    const again = fastAgents({ smallServers });
    const { sink } = await send(again, 3_000_000, 16_384);
    await again.clock.runUntil(() => sink.length === 3_000_000);
    expect(Math.max(...again.sizes())).toBe(4096);
  });

  it('remembers nothing when a connection ends for another reason, or before one was sent', async () => {
    for (const [fault, isAfter] of [[new Fault('tcp', 'cable pulled'), true], [new Fault('throttled', 'too many of you'), false]] as const) {
      const smallServers = new SmallServers();
      const agents = fastAgents({ smallServers });
      const { sink } = await send(agents, 3_000_000, 16_384);
      await agents.clock.runUntil(() => (isAfter ? agents.sizes().includes(16_384) : sink.length > 0));
      agents.a.drop(fault);
      expect(smallServers.isSmall('one.example')).toBe(false);
    }
  });

  it('halves them from any size when the peer wants smaller ones', async () => {
    const { clock, a, b, inBandA } = twoAgents({}, { largestBlock: 5000 });
    await clock.finish(inBandA.open(b.jid, { blockSize: 16_384 }));
    expect(a.sent.map((text) => /block-size="(\d+)"/.exec(text)?.[1])).toEqual(['16384', '8192', '4096']);
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

  it.each([
    ['eight streams of an account that nobody has started', { accounts: 1, devices: 6, isStarted: false, most: 8 }],
    ['64 streams in all', { accounts: 10, devices: 1, isStarted: true, most: 64 }],
  ])('has at most %s, and refuses the rest in words', async (_what, { accounts, devices, isStarted, most }) => {
    const clock = new EventClock();
    const b = new FakeConnection('ben@two.example/git-xmpp-bbbbbbbb', clock, {});
    const names = Array.from({ length: accounts * devices }, (_none, at) => `a${at % accounts}@one.example/${at}`);
    const peers = names.map((name) => new FakeConnection(name, clock, {}));
    for (const peer of peers) peer.join(b);
    b.join(...peers);
    const accepted: Carrier[] = [];
    createInBand(b, clock).onCarrier((carrier) => {
      accepted.push(carrier);
      if (isStarted) carrier.start(new TestSource(), new TestSink());
    });
    const refused: unknown[] = [];
    for (const peer of peers) {
      for (let count = 0; count < (isStarted ? 8 : 2); count += 1) {
        await clock.finish(peer.iq('set', b.jid, formatOpen(`s${count}`, 4096))).catch((error: unknown) => refused.push(error));
      }
    }
    expect(accepted).toHaveLength(most);
    expect(refused).toHaveLength(isStarted ? 80 - most : 12 - most);
    for (const error of refused) expect(error).toMatchObject({ type: 'wait', condition: 'resource-constraint' });
  });

  it('counts a thousand carriers that a device opens, and says so once', async () => {
    const lines: string[] = [];
    const clock = new EventClock();
    const { a, b } = createIqPair(clock);
    const inBand = createInBand(b, clock, { log: createLog((line) => lines.push(line), 'info', () => 0) });
    inBand.onCarrier(() => undefined);
    const answers = Array.from({ length: 1000 }, (_none, index) => a.iq('set', b.jid, formatOpen(`s${index}`, 4096)));
    const settled = await clock.finish(Promise.allSettled(answers));
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect(inBand.refused).toBe(998);
    expect(lines).toHaveLength(1);
  });

  it('counts blocks larger than agreed, on stream after stream, and says so once', async () => {
    const lines: string[] = [];
    const clock = new EventClock();
    const { a, b } = createIqPair(clock);
    const inBand = createInBand(b, clock, { log: createLog((line) => lines.push(line), 'info', () => 0) });
    inBand.onCarrier((carrier) => carrier.start(new TestSource(), new TestSink()));
    for (let count = 0; count < 10; count += 1) {
      await clock.finish(a.iq('set', b.jid, formatOpen('s', 4096)));
      await expect(clock.finish(a.iq('set', b.jid, block(0, 4097)))).rejects.toMatchObject({ condition: 'bad-request' });
    }
    expect(inBand.refused).toBe(10);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('a wrong block');
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
