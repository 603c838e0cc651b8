// One in-band stream against a peer that answers as the spec likes.

import { describe, expect, it } from 'vitest';
import type { Element } from 'ltx';
import { formatClose, formatData } from '../../../src/carriers/ibb-format.ts';
import { IbbSession } from '../../../src/carriers/ibb-session.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';
import { TestSink, TestSource } from '../../helpers/carrier-ends.ts';
import { EventClock, settle } from '../../helpers/event-clock.ts';

interface Asked {
  readonly payload: Element;
  readonly answer: () => void;
  readonly refuse: (error: Error) => void;
}

/** A session whose every request waits in `asked` for the spec's answer. */
function createSession() {
  const clock = new EventClock();
  const asked: Asked[] = [];
  const ends: IbbSession[] = [];
  const connection = {
    iq: (_type: 'get' | 'set', _to: string | undefined, payload: Element): Promise<Element | undefined> =>
      new Promise((resolve, reject) => asked.push({ payload, answer: () => resolve(undefined), refuse: reject })),
  };
  const peer = parseFullJid('ben@two.example/desk');
  const session = new IbbSession({ sid: 's', peer, blockSize: 4096, connection, clock, onEnd: (ended) => ends.push(ended) });
  const [source, sink] = [new TestSource(), new TestSink()];
  return { clock, asked, ends, session, source, sink };
}

/** The same, with `count` full blocks waiting to be sent. */
async function createBusySession(count: number) {
  const busy = createSession();
  busy.source.write(new Uint8Array(4096 * count));
  busy.session.start(busy.source, busy.sink);
  await settle();
  return busy;
}

const data = (seq: number, size = 1): Element => formatData('s', { seq, bytes: new Uint8Array(size) });
const names = (asked: readonly Asked[]): string[] => asked.map(({ payload }) => payload.name);

describe('IbbSession', () => {
  it('sends nothing before it is started', async () => {
    const { asked, session, source } = createSession();
    source.write(new Uint8Array(10));
    session.wake();
    await settle();
    expect(asked).toEqual([]);
  });

  it('may be started once', () => {
    const { session, source, sink } = createSession();
    session.start(source, sink);
    expect(() => session.start(source, sink)).toThrow(/twice/);
  });

  it('keeps what arrives before the start for the sink', async () => {
    const { session, source, sink } = createSession();
    const answered = session.receiveData(data(0, 10));
    await settle();
    session.start(source, sink);
    await answered;
    expect(sink.length).toBe(10);
  });

  it.each(['item-not-found', 'service-unavailable', 'remote-server-timeout', 'unexpected-request', 'resource-constraint'])(
    'ends when a block is answered with %s, and never sends it again',
    async (condition) => {
      const { asked, ends, session, source, sink } = await createBusySession(5);
      asked[0]?.refuse(new StanzaFault('wait', condition));
      await settle();
      source.isEnded = true;
      asked[1]?.answer();
      session.wake();
      await settle();
      expect(names(asked)).toEqual(['data', 'data', 'close']);
      expect(sink.faults).toHaveLength(1);
      expect(sink.faults[0]?.message).toContain(condition);
      expect(ends).toEqual([session]);
      expect(source.takenAfterEnd).toBe(false);
    },
  );

  it('ends when a block is not answered for a minute', async () => {
    const { clock, sink } = await createBusySession(1);
    await clock.advance(59_000);
    expect(sink.faults).toEqual([]);
    await clock.advance(1000);
    expect(sink.faults).toMatchObject([{ code: 'timeout' }]);
  });

  it('takes nothing more from the source after close, and says nothing more to the sink', async () => {
    const { asked, session, source, sink } = await createBusySession(5);
    session.wake();
    const closed = session.close();
    source.isEnded = true;
    asked[0]?.answer();
    asked[1]?.refuse(new Error('late'));
    await settle();
    expect(names(asked)).toEqual(['data', 'data', 'close']);
    asked[2]?.answer();
    await closed;
    expect(source.takenAfterEnd).toBe(false);
    expect(sink.faults).toEqual([]);
  });

  it('sends the bytes that the source hands out as it closes, and the close behind them', async () => {
    const { asked, session, sink } = createSession();
    const takeOutgoing = (): Uint8Array => {
      void session.close();
      return Uint8Array.of(1);
    };
    session.start({ takeOutgoing }, sink);
    await settle();
    expect(names(asked)).toEqual(['data', 'close']);
  });

  it('closes once, and even when the peer refuses or does not answer', async () => {
    const { clock, asked, session } = createSession();
    const [first, second] = [session.close(), session.close()];
    await settle();
    asked[0]?.refuse(new StanzaFault('cancel', 'item-not-found'));
    await Promise.all([first, second]);
    expect(names(asked)).toEqual(['close']);
    const silent = createSession();
    await silent.clock.finish(silent.session.close());
    expect(silent.clock.now() - clock.now()).toBe(10_000);
  });

  it('hands over what came before the peer’s close, then answers it and ends', async () => {
    const { asked, session, source } = createSession();
    const releases: (() => void)[] = [];
    const sink = new TestSink(() => new Promise((resolve) => releases.push(resolve)));
    session.start(source, sink);
    const order: string[] = [];
    const blocks = [0, 1].map((seq) => session.receiveData(data(seq)).then(() => order.push(`data ${seq}`)));
    const close = session.receiveClose().then(() => order.push('close'));
    await settle();
    expect(sink.faults).toEqual([]);
    releases[0]?.();
    await settle();
    releases[1]?.();
    await Promise.all([...blocks, close]);
    expect(order).toEqual(['data 0', 'data 1', 'close']);
    expect(sink.faults).toMatchObject([{ code: 'not-connected' }]);
    expect(asked).toEqual([]);
  });

  it('sends nothing and ends for nothing else while it drains', async () => {
    const { asked, session, source } = createSession();
    let release = (): void => undefined;
    const sink = new TestSink(() => new Promise((resolve) => (release = resolve)));
    source.write(new Uint8Array(5 * 4096));
    session.start(source, sink);
    const block = session.receiveData(data(0));
    await settle();
    const close = session.receiveClose();
    asked[0]?.refuse(new StanzaFault('cancel', 'item-not-found'));
    asked[1]?.answer();
    await settle();
    expect(sink.faults).toEqual([]);
    await expect(session.receiveData(data(1))).rejects.toMatchObject({ condition: 'item-not-found' });
    release();
    await Promise.all([block, close]);
    expect(names(asked)).toEqual(['data', 'data']);
    expect(sink.faults).toHaveLength(1);
  });

  it('ends ten seconds after the peer’s close when the sink consumes nothing', async () => {
    const { clock, session, source } = createSession();
    const sink = new TestSink(() => new Promise(() => undefined));
    session.start(source, sink);
    session.receiveData(data(0)).catch(() => undefined);
    await clock.finish(session.receiveClose());
    expect(sink.faults).toHaveLength(1);
  });

  it('does not answer blocks that were not consumed when it ended as if they were', async () => {
    const { session, source } = createSession();
    let release = (): void => undefined;
    const sink = new TestSink(() => new Promise((resolve) => (release = resolve)));
    session.start(source, sink);
    const [first, second] = [session.receiveData(data(0)), session.receiveData(data(1))];
    const outcome = Promise.allSettled([first, second]);
    await settle();
    void session.close();
    release();
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(sink.parts).toHaveLength(1);
  });

  it('answers blocks that waited for a start that never came with item-not-found', async () => {
    const { session } = createSession();
    const block = session.receiveData(data(0));
    void session.close();
    await expect(block).rejects.toMatchObject({ condition: 'item-not-found' });
  });

  it('ends when more waits than it may', async () => {
    const { session, source } = createSession();
    const sink = new TestSink(() => new Promise(() => undefined));
    session.start(source, sink);
    const answers = Array.from({ length: 129 }, (_, seq) => session.receiveData(data(seq)));
    for (const answer of answers.slice(0, 128)) answer.catch(() => undefined);
    await expect(answers[128]).rejects.toMatchObject({ type: 'wait', condition: 'resource-constraint' });
    expect(sink.faults).toHaveLength(1);
  });

  it('ends when the sink fails', async () => {
    const { session, source } = createSession();
    const sink = new TestSink(() => Promise.reject(new Error('broken')));
    session.start(source, sink);
    await expect(session.receiveData(data(0))).rejects.toBeInstanceOf(StanzaFault);
    expect(sink.faults).toMatchObject([{ code: 'internal' }]);
  });

  it.each([
    ['throws', () => { throw new Error('broken'); }],
    ['gives more than there is room for', () => new Uint8Array(5000)],
  ])('ends when the source %s', async (_, takeOutgoing) => {
    const { asked, session, sink } = createSession();
    session.start({ takeOutgoing }, sink);
    await settle();
    expect(sink.faults).toMatchObject([{ code: 'internal' }]);
    expect(names(asked)).toEqual(['close']);
  });

  it('asks by the letter of XEP-0047', async () => {
    const { asked, session } = await createBusySession(1);
    void session.close();
    await settle();
    expect(asked.map(({ payload }) => payload.toString())).toEqual([data(0, 4096).toString(), formatClose('s').toString()]);
  });
});
