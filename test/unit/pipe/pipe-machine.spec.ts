// The pipe between two machines and one virtual time; schedules at random are in test/property/pipe.spec.ts.

import { describe, expect, it } from 'vitest';
import { FrameDecoder } from '../../../src/pipe/frame-decoder.ts';
import { encodeFrame, parseLinkId } from '../../../src/pipe/frame-format.ts';
import type { Frame } from '../../../src/pipe/frame-format.ts';
import { PipeMachine } from '../../../src/pipe/pipe-machine.ts';
import { Resumption } from '../../../src/pipe/resumption.ts';
import { KEY, Pair, SIDES } from '../../helpers/pair.ts';
import type { Side } from '../../helpers/pair.ts';

function framesOf(bytes: Uint8Array): Frame[] {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const frames: Frame[] = [];
  for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) frames.push(frame);
  return frames;
}

function running(options: ConstructorParameters<typeof Pair>[0] = {}): Pair {
  const pair = new Pair(options);
  pair.attach();
  pair.settle();
  return pair;
}

/** Hands a side one frame as if it came over the newest carrier. */
function inject(pair: Pair, side: Side, frame: Frame): string[] {
  const attachment = pair.wire.attachments[side] ?? -1;
  return pair.note(side, pair.machines[side].receive(attachment, encodeFrame(frame), pair.now)).map(({ type }) => type);
}

describe('PipeMachine', () => {
  it('opens with OPEN and sends behind it without waiting', () => {
    const pair = new Pair();
    pair.attach();
    pair.write('dialler', 10);
    expect(framesOf(pair.pull('dialler', 4096)).map(({ type }) => type)).toEqual(['open', 'data']);
  });

  it('says nothing at all while it is idle', () => {
    const pair = running();
    expect(SIDES.map((side) => [pair.machines[side].nextWakeup(), pair.machines[side].hasOutgoing])).toEqual([
      [undefined, false],
      [undefined, false],
    ]);
  });

  it('acknowledges on data that goes out anyway, else alone after six seconds', () => {
    const pair = running();
    pair.write('dialler', 100);
    pair.pull('dialler', 4096);
    pair.deliver('listener', Infinity);
    expect(pair.machines.listener.hasOutgoing).toBe(false);
    pair.write('listener', 5);
    expect(framesOf(pair.pull('listener', 4096)).map(({ type }) => type)).toEqual(['ack', 'data']);
    pair.deliver('dialler', Infinity);
    expect(pair.machines.dialler.hasOutgoing).toBe(false);
    pair.pass(5999);
    expect(pair.machines.dialler.hasOutgoing).toBe(false);
    pair.pass(1);
    expect(framesOf(pair.pull('dialler', 4096)).map(({ type }) => type)).toEqual(['ack']);
  });

  it('resumes over a new carrier from the byte that the other end has', () => {
    const pair = running();
    pair.write('dialler', 1000);
    pair.pull('dialler', 513);
    pair.deliver('listener', Infinity);
    pair.pull('dialler', 400);
    pair.wire.cut();
    pair.attach();
    pair.events.dialler.length = 0;
    pair.settle();
    expect(pair.events.dialler).toEqual([
      { type: 'acknowledged', offset: 500 },
      { type: 'attached', attachment: 2, epoch: 1, resumedAt: 500 },
      { type: 'acknowledged', offset: 1000 },
    ]);
    expect(pair.delivered.listener).toBe(1000);
  });

  it('sends nothing behind RESUME before RESUMED has come', () => {
    const pair = running();
    pair.attach();
    pair.write('dialler', 100);
    expect(framesOf(pair.pull('dialler', 4096)).map(({ type }) => type)).toEqual(['resume']);
    expect(pair.pull('dialler', 4096)).toHaveLength(0);
    expect(pair.machines.dialler.hasOutgoing).toBe(false);
  });

  it('ignores an older carrier: its bytes, its end, and its wish for more', () => {
    const pair = running();
    const [older] = pair.wires;
    pair.write('listener', 100);
    pair.pull('listener', 4096);
    pair.attach();
    pair.settle();
    expect(pair.deliver('dialler', Infinity, older)).toEqual([]);
    for (const side of SIDES) {
      pair.write(side, 50);
      expect(pair.detach(side, older)).toEqual([]);
      expect(pair.pull(side, 4096, older)).toHaveLength(0);
      expect(pair.machines[side].attachment).toBe(2);
    }
    pair.settle();
    expect(pair.delivered).toEqual({ dialler: 150, listener: 50 });
  });

  it('takes the higher of two RESUMEs that arrive in the wrong order', () => {
    const pair = running();
    const first = pair.attach();
    pair.pull('dialler', 4096, first);
    const second = pair.attach();
    pair.pull('dialler', 4096, second);
    pair.deliver('listener', Infinity, second);
    expect(pair.deliver('listener', Infinity, first)).toEqual([]);
    expect(pair.events.listener.at(-1)).toMatchObject({ type: 'refused', why: 'epoch 1 is spent' });
    pair.write('dialler', 50);
    pair.settle();
    expect(pair.delivered.listener).toBe(50);
  });

  it('closes with its first carrier while it has no resume key', () => {
    for (const side of SIDES) {
      const pair = running({ hasKey: false });
      expect(pair.detach(side)).toEqual([{ type: 'closed', reason: 'lost' }]);
      expect(() => pair.write(side, 1)).toThrow('the pipe is closed');
    }
  });

  it('refuses to change its carrier before the key is set, and leaves it be', () => {
    const pair = running({ hasKey: false });
    expect(() => pair.attach()).toThrow('cannot be put on a carrier');
    pair.write('dialler', 9);
    pair.settle();
    expect([pair.delivered.listener, pair.machines.dialler.stats.epoch]).toEqual([9, 0]);
  });

  it('never opens a second carrier as the listener', () => {
    const { machines, now } = running();
    expect(() => machines.listener.attach({ kind: 'direct', sid: 'mine' }, now)).toThrow('cannot be put on a carrier');
  });

  it.each<[string, Frame]>([
    ['an acknowledgement beyond what was sent', { type: 'ack', received: 11 }],
    ['an acknowledgement of what was not sent yet', { type: 'ack', received: 5 }],
    ['data beyond the next byte', { type: 'data', offset: 1, bytes: Uint8Array.of(1) }],
    ['an OPEN in the middle', { type: 'open', version: 1, linkId: parseLinkId('f'.repeat(32)) }],
  ])('ends the link on %s, and tells why', (_what, frame) => {
    const pair = running();
    pair.write('dialler', 10);
    expect(inject(pair, 'dialler', frame)).toEqual(['fault', 'closed']);
    expect([pair.machines.dialler.isOver, pair.machines.dialler.isFinished]).toEqual([true, false]);
    expect(framesOf(pair.pull('dialler', 4096))).toEqual([{ type: 'close', reason: 'protocol' }]);
    expect(pair.machines.dialler.isFinished).toBe(true);
    expect(pair.deliver('listener', Infinity)).toEqual([{ type: 'closed', reason: 'protocol' }]);
  });

  it('ends the link on an acknowledgement below what was discarded', () => {
    const pair = running();
    pair.write('dialler', 10);
    pair.settle();
    expect(pair.machines.dialler.stats.acknowledged).toBe(10);
    expect(inject(pair, 'dialler', { type: 'ack', received: 9 })).toEqual(['fault', 'closed']);
  });

  describe('acceptResume', () => {
    const carrier = { kind: 'direct', sid: 'new' } as const;
    const NO_RESUME = 'this pipe cannot be resumed';

    /** What a dialler with `key` would ask of this pair's listener. */
    function ask(options: { key?: Uint8Array; linkId?: string; role?: Side; received?: number; skip?: number } = {}) {
      const { key = KEY, role = 'dialler', received = 0, skip = 0 } = options;
      const linkId = parseLinkId(options.linkId ?? '00112233445566778899aabbccddeeff');
      const resumption = new Resumption(role, linkId);
      resumption.setKey(key);
      for (let count = 0; count < skip; count += 1) resumption.ask(carrier, received);
      return resumption.ask(carrier, received);
    }

    it.each([
      ['under another key', { key: new Uint8Array(32) }, 'the MAC is wrong'],
      ['for another link', { linkId: 'f'.repeat(32) }, 'it is for another link'],
      ['made in the role of the listener', { role: 'listener' }, 'it was made by the wrong side'],
      ['with an epoch that was used', {}, 'epoch 1 is spent'],
      ['with an epoch below', { skip: 1 }, 'epoch 2 is spent'],
    ] as const)('refuses one %s, and the running carrier is unharmed', (_what, options, why) => {
      const pair = running();
      for (let count = 0; count < 2; count += 1) {
        pair.attach();
        pair.settle();
      }
      const before = pair.machines.listener.stats;
      expect(pair.machines.listener.acceptResume(ask(options), carrier, pair.now)).toEqual({
        attachment: undefined,
        events: [{ type: 'refused', why }],
      });
      expect(pair.machines.listener.stats).toEqual(before);
      for (const side of SIDES) pair.write(side, 700);
      pair.settle();
      expect(pair.delivered).toEqual({ dialler: 700, listener: 700 });
    });

    it('refuses a replay of the very frame that was accepted', () => {
      const pair = running();
      const wire = pair.attach();
      pair.settle();
      if (wire.resume === undefined) throw new Error('no RESUME came');
      const { attachment, events } = pair.machines.listener.acceptResume(wire.resume, wire.carrier, pair.now);
      expect([attachment, events]).toEqual([undefined, [{ type: 'refused', why: 'epoch 1 is spent' }]]);
    });

    it('refuses before the key is set, after the end, and as the dialler', () => {
      const keyless = running({ hasKey: false });
      expect(keyless.machines.listener.acceptResume(ask(), carrier, 0).events).toMatchObject([{ why: 'the link was not up' }]);
      const pair = running();
      expect(pair.machines.dialler.acceptResume(ask(), carrier, 0).events).toMatchObject([{ why: NO_RESUME }]);
      pair.machines.listener.close('done', pair.now);
      expect(pair.machines.listener.acceptResume(ask(), carrier, 0).events).toMatchObject([{ why: NO_RESUME }]);
    });

    it('ends the link on a received offset that was never sent, and says so on the new carrier', () => {
      const pair = running();
      const { attachment = -1, events } = pair.machines.listener.acceptResume(ask({ received: 1 }), carrier, pair.now);
      expect(events.map(({ type }) => type)).toEqual(['fault', 'closed']);
      const frames = framesOf(pair.machines.listener.takeOutgoing(attachment, 4096, pair.now));
      expect(frames.map(({ type }) => type)).toEqual(['resumed', 'close']);
    });

    it('ends the link on a received offset below what was discarded', () => {
      const pair = running();
      pair.write('listener', 10);
      pair.settle();
      const { events } = pair.machines.listener.acceptResume(ask({ received: 9 }), carrier, pair.now);
      expect(events.map(({ type }) => type)).toEqual(['fault', 'closed']);
    });
  });

  it('loses only the carrier when what answers RESUME is not the listener', () => {
    const answers: Frame[] = [
      { type: 'data', offset: 0, bytes: Uint8Array.of(1) },
      { type: 'open', version: 1, linkId: parseLinkId('f'.repeat(32)) },
    ];
    const stranger = new Resumption('listener', parseLinkId('00112233445566778899aabbccddeeff'));
    stranger.setKey(new Uint8Array(32));
    for (const index of [0, 1, 2]) {
      const pair = running();
      const { carrier } = pair.attach();
      const asked = new Resumption('dialler', pair.machines.dialler.linkId);
      asked.setKey(KEY);
      const answer = answers[index] ?? stranger.answer(asked.ask(carrier, 0), 0);
      expect(inject(pair, 'dialler', answer)).toEqual(['carrier-dead']);
      pair.attach();
      pair.write('dialler', 20);
      pair.settle();
      expect(pair.delivered.listener).toBe(20);
    }
  });

  it('ends the link when a signed RESUMED is impossible', () => {
    const pair = running();
    pair.attach();
    const [resume] = framesOf(pair.pull('dialler', 4096));
    if (resume?.type !== 'resume') throw new Error('no RESUME was sent');
    const listener = new Resumption('listener', pair.machines.dialler.linkId);
    listener.setKey(KEY);
    expect(inject(pair, 'dialler', listener.answer(resume, 1))).toEqual(['fault', 'closed']);
  });

  it('ends when the listener no longer knows the link', () => {
    const pair = running();
    pair.attach();
    expect(inject(pair, 'dialler', { type: 'close', reason: 'unknown-link' })).toEqual(['closed']);
    expect(pair.machines.dialler.isFinished).toBe(true);
  });

  it('pings every 8 s while bytes are owed, and gives the carrier up after 20 s unheard', () => {
    const pair = running();
    const start = pair.now;
    pair.write('dialler', 10);
    pair.pull('dialler', 4096);
    pair.wire.cut();
    for (const at of [8000, 16_000]) {
      expect(pair.machines.dialler.nextWakeup()).toBe(start + at);
      pair.pass(8000);
      expect(framesOf(pair.pull('dialler', 4096))).toMatchObject([{ type: 'ping' }]);
    }
    pair.pass(3999);
    expect(pair.events.dialler).toEqual([]);
    pair.pass(1);
    expect(pair.events.dialler).toEqual([{ type: 'carrier-dead', attachment: 1, why: 'nothing was heard for 20 s' }]);
    expect(pair.machines.dialler.attachment).toBeUndefined();
  });

  it('pings while it is busy, and a PONG keeps the carrier', () => {
    const pair = running();
    pair.machines.dialler.setBusy(true, pair.now);
    for (let count = 1; count < 10; count += 1) {
      pair.pass(8000);
      expect(framesOf(pair.pull('dialler', 4096))).toEqual([{ type: 'ping', number: count }]);
      pair.deliver('listener', Infinity);
      expect(framesOf(pair.pull('listener', 4096))).toEqual([{ type: 'pong', number: count }]);
      pair.deliver('dialler', Infinity);
    }
    expect(pair.events.dialler).toEqual([]);
    pair.machines.dialler.setBusy(false, pair.now);
    expect(pair.machines.dialler.nextWakeup()).toBeUndefined();
  });

  it('gives up a carrier that never answers RESUME, though strange bytes drip from it', () => {
    const pair = running();
    const { carrier } = pair.attach();
    expect(carrier.sid).toBe('carrier-1');
    const attachment = pair.wire.attachments.dialler ?? -1;
    const stranger = new Resumption('listener', pair.machines.dialler.linkId);
    stranger.setKey(new Uint8Array(32));
    const asked = { type: 'resume', linkId: pair.machines.dialler.linkId, role: 'dialler', carrier, received: 0 } as const;
    const drip = encodeFrame(stranger.answer({ ...asked, epoch: 1, mac: new Uint8Array(32) }, 0));
    for (let second = 0; second < 20; second += 1) {
      pair.machines.dialler.receive(attachment, drip.subarray(second, second + 1), pair.now);
      pair.pass(1000);
    }
    expect(pair.events.dialler.at(-1)).toMatchObject({ type: 'carrier-dead', attachment: 2 });
  });

  it('gives up after an hour without a carrier that runs', () => {
    const pair = running();
    pair.write('listener', 10);
    pair.detach('listener');
    expect(pair.machines.listener.nextWakeup()).toBe(pair.now + 3_600_000);
    pair.pass(3_600_000);
    expect(pair.events.listener).toEqual([{ type: 'closed', reason: 'given-up' }]);
    expect(pair.machines.listener.isFinished).toBe(true);
  });

  it('sends CLOSE behind what was written, and takes nothing more', () => {
    const pair = running();
    pair.write('dialler', 3000);
    pair.machines.dialler.close('done', pair.now);
    expect(() => pair.write('dialler', 1)).toThrow('the pipe is closed');
    expect(inject(pair, 'dialler', { type: 'data', offset: 0, bytes: Uint8Array.of(1) })).toEqual([]);
    pair.settle();
    expect(pair.delivered.listener).toBe(3000);
    expect(pair.events.listener.at(-1)).toEqual({ type: 'closed', reason: 'done' });
    expect([pair.machines.dialler.isFinished, pair.machines.dialler.hasOutgoing]).toEqual([true, false]);
  });

  it('hears nothing behind CLOSE', () => {
    const pair = running();
    const frames: Frame[] = [
      { type: 'close', reason: 'busy' },
      { type: 'data', offset: 0, bytes: Uint8Array.of(1) },
      { type: 'close', reason: 'done' },
    ];
    const events = pair.machines.dialler.receive(1, Buffer.concat(frames.map(encodeFrame)), pair.now);
    expect(events).toEqual([{ type: 'closed', reason: 'busy' }]);
  });

  it('gives up what is unsent when it is closed before RESUMED, and still says CLOSE', () => {
    const pair = running();
    pair.attach();
    pair.write('dialler', 100);
    pair.machines.dialler.close('gone-away', pair.now);
    expect(framesOf(pair.pull('dialler', 4096)).map(({ type }) => type)).toEqual(['resume', 'close']);
    pair.deliver('listener', Infinity);
    expect(pair.events.listener.at(-1)).toEqual({ type: 'closed', reason: 'gone-away' });
  });

  it('takes no carrier any more when it is over', () => {
    const pair = running();
    pair.machines.dialler.close('done', pair.now);
    expect(() => pair.attach()).toThrow('cannot be put on a carrier');
  });

  it('just ends when it is closed without a carrier', () => {
    const pair = running();
    pair.write('dialler', 10);
    pair.detach('dialler');
    pair.machines.dialler.close('gone-away', pair.now);
    expect([pair.machines.dialler.isFinished, pair.machines.dialler.nextWakeup()]).toEqual([true, undefined]);
  });

  it('stops taking bytes at its bound, and goes on when they are acknowledged', () => {
    const pair = running({ replayBytes: 100_000 });
    expect(pair.write('dialler', 150_000)).toBe(100_000);
    expect([pair.machines.dialler.writableBytes, pair.write('dialler', 1)]).toEqual([0, 0]);
    pair.settle();
    expect(pair.events.dialler.some(({ type }) => type === 'acknowledged')).toBe(true);
    expect(pair.machines.dialler.writableBytes).toBe(100_000);
  });

  it('counts right beyond 2^32', () => {
    const pair = running({ firstOffset: 2 ** 32 - 100 });
    pair.write('dialler', 300);
    pair.pull('dialler', 150);
    pair.deliver('listener', Infinity);
    pair.attach();
    pair.settle();
    expect(pair.delivered.listener).toBe(300);
    expect(pair.machines.dialler.stats).toMatchObject({ acknowledged: 2 ** 32 + 200, written: 2 ** 32 + 200 });
  });

  it('keeps apart what it hears from both ends of the same carrier', () => {
    const machine = new PipeMachine({ role: 'listener', linkId: parseLinkId('f'.repeat(32)) });
    const attachment = machine.attach({ kind: 'in-band', sid: 'a' }, 0);
    expect(machine.receive(attachment + 1, encodeFrame({ type: 'close', reason: 'done' }), 0)).toEqual([]);
    expect(machine.isOver).toBe(false);
  });
});
