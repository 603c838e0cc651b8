// States and their deadlines.

import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { DelayedAck } from '../../../src/pipe/delayed-ack.ts';
import { encodeFrame, parseLinkId } from '../../../src/pipe/frame-format.ts';
import { Lifecycle } from '../../../src/pipe/lifecycle.ts';
import { Replay } from '../../../src/pipe/replay.ts';
import { Resumption } from '../../../src/pipe/resumption.ts';

const CARRIER = { kind: 'in-band', sid: 'a' } as const;

function make(hasKey = true): { life: Lifecycle; replay: Replay } {
  const replay = new Replay({ maxBytes: 100, firstOffset: 0 });
  const resumption = new Resumption('dialler', parseLinkId('f'.repeat(32)));
  if (hasKey) resumption.setKey(new Uint8Array(32));
  return { life: new Lifecycle({ replay, resumption, giveUpMs: 60_000 }), replay };
}

describe('Lifecycle', () => {
  it('waits for another carrier from the loss of one that ran, and tries do not start it over', () => {
    const { life } = make();
    life.adopt('running', CARRIER, 0);
    expect(life.lose(1000)).toEqual([]);
    expect(life.nextAt).toBe(61_000);
    life.adopt('resuming', CARRIER, 20_000);
    life.lose(30_000);
    expect(life.nextAt).toBe(61_000);
    expect(life.wakeup(60_999)).toEqual([]);
    expect(life.wakeup(61_000)).toEqual([{ type: 'closed', reason: 'given-up' }]);
    expect([life.state, life.nextAt]).toEqual(['closed', Infinity]);
  });

  it('has something to ask where bytes are under way that nobody answered for, and a carrier that runs', () => {
    const { life } = make();
    const { outbox } = life.adopt('running', CARRIER, 0);
    expect(life.probe(0)).toBe(false);
    life.roundTrip.took(100);
    expect(life.probe(0)).toBe(true);
    expect(outbox.mayFill(new Replay({ maxBytes: 1, firstOffset: 0 }), new DelayedAck(0))).toBe(true);
    life.lose(1);
    expect(life.probe(1)).toBe(false);
  });

  it('says once why it ends, whoever else wants it ended, and has no more time for it', () => {
    const { life } = make();
    const attached = life.adopt('running', CARRIER, 0);
    life.close('refused', 0);
    life.close('done', 10);
    expect(life.nextAt).toBe(5000);
    life.sayFarewell(attached);
    life.sayFarewell(attached);
    expect([...attached.outbox.take(100)]).toEqual([...encodeFrame({ type: 'close', reason: 'refused' })]);
  });

  it('has nothing left to do once it goes on', () => {
    const { life } = make();
    life.adopt('running', CARRIER, 0);
    const attached = life.adopt('resuming', CARRIER, 5);
    expect(life.goOn(attached, 0, 5)).toEqual([{ type: 'attached', attachment: 2, epoch: 0, resumedAt: 0 }]);
    life.expect(5);
    expect(life.nextAt).toBe(Infinity);
  });

  it('asks a carrier of its own for the round trip as soon as it runs, and a late PONG says nothing', () => {
    const { life } = make();
    life.adopt('running', CARRIER, 0);
    const attached = life.adopt('resuming', { kind: 'direct', sid: 'b' }, 5);
    life.goOn(attached, 0, 100);
    life.roundTrip.answered(1, 130);
    expect(life.roundTrip.rttMs).toBe(30);
    life.roundTrip.answered(1, 900);
    expect(life.roundTrip.rttMs).toBe(30);
    life.adopt('running', CARRIER, 1000);
    expect(life.roundTrip.rttMs).toBeUndefined();
  });

  it('gives a carrier of its own up sooner than one through the server', () => {
    for (const [kind, at] of [['in-band', 20_000], ['socks5', 9000], ['direct', 9000]] as const) {
      const { life } = make();
      life.adopt('running', { kind, sid: 'a' }, 0);
      life.setBusy(true, 0);
      let now = 0;
      while (life.current !== undefined) {
        now = life.nextAt;
        life.wakeup(now);
      }
      expect([kind, now]).toEqual([kind, at]);
    }
  });

  it('ends with its first carrier while it has no key', () => {
    const { life, replay } = make(false);
    replay.append(new Uint8Array(5));
    life.adopt('running', CARRIER, 0);
    expect(life.lose(0)).toEqual([{ type: 'closed', reason: 'lost' }]);
    expect([life.state, replay.end - replay.start]).toEqual(['closed', 0]);
  });

  it('blames the carrier before RESUMED, the pipe after it, and passes on what is no input', () => {
    const { life } = make();
    life.adopt('resuming', CARRIER, 0);
    expect(life.blame(new InputFault('x', 'y'), 0)).toEqual([{ type: 'carrier-dead', attachment: 1, why: 'x: y' }]);
    life.adopt('running', CARRIER, 0);
    expect(life.blame(new InputFault('x', 'y'), 0)).toEqual([
      { type: 'fault', why: 'x: y' },
      { type: 'closed', reason: 'protocol' },
    ]);
    expect(() => life.blame(new RangeError('bug'), 0)).toThrow('bug');
  });

  it('gives CLOSE five seconds to be taken', () => {
    const { life } = make();
    life.adopt('running', CARRIER, 0);
    life.close('done', 100);
    expect([life.state, life.nextAt]).toEqual(['closing', 5100]);
    life.wakeup(5099);
    expect(life.state).toBe('closing');
    expect(life.wakeup(5100)).toEqual([]);
    expect(life.state).toBe('closed');
  });
});
