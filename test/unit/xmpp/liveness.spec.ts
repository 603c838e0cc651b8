import { describe, expect, it } from 'vitest';
import { Liveness } from '../../../src/xmpp/liveness.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

function setUp(random = 0): { clock: VirtualClock; liveness: Liveness; events: string[] } {
  const clock = new VirtualClock(0);
  const events: string[] = [];
  const at = (what: string) => () => events.push(`${what} at ${clock.now() / 1000}`);
  const liveness = new Liveness({ clock, random: () => random, ask: at('asked'), onDead: at('dead') });
  liveness.start();
  return { clock, liveness, events };
}

describe('Liveness', () => {
  it('asks after two and a half minutes of silence, and gives up 20 s later', () => {
    const { clock, events } = setUp();
    clock.advance(300_000);
    expect(events).toEqual(['asked at 150', 'dead at 170']);
    expect(clock.timers).toBe(0);
  });

  it('waits on when an answer comes, be it in the same millisecond', () => {
    const { clock, liveness, events } = setUp();
    clock.advance(150_000);
    liveness.heard();
    clock.advance(150_000);
    clock.advance(19_000);
    liveness.heard();
    clock.advance(59_999);
    expect(events).toEqual(['asked at 150', 'asked at 300']);
  });

  it('asks nothing while the server talks', () => {
    const { clock, liveness, events } = setUp();
    for (let minute = 0; minute < 20; minute += 1) {
      clock.advance(30_000);
      liveness.heard();
    }
    expect(events).toEqual([]);
  });

  it('asks up to a tenth earlier, so that agents do not ask together', () => {
    const { clock, events } = setUp(0.999);
    clock.advance(136_000);
    expect(events).toHaveLength(1);
  });

  it('asks at once when it is told to, gives up as soon as that, and says so', async () => {
    const { clock, liveness, events } = setUp();
    clock.advance(10_000);
    const alive = liveness.probe(5_000);
    clock.advance(300_000);
    expect([await alive, events]).toEqual([false, ['asked at 10', 'dead at 15']]);
  });

  it('shares one question among all who want to know, and waits on as usual after the answer', async () => {
    const { clock, liveness, events } = setUp();
    const both = [liveness.probe(5_000), liveness.probe(5_000)];
    clock.advance(4_000);
    both.push(liveness.probe(5_000));
    liveness.heard();
    expect(await Promise.all(both)).toEqual([true, true, true]);
    clock.advance(152_000);
    liveness.heard();
    expect(events).toEqual(['asked at 0', 'asked at 154']);
    expect(clock.timers).toBe(1);
  });

  it('asks again when its own question would be answered too late', async () => {
    const { clock, liveness, events } = setUp();
    clock.advance(150_000);
    const alive = liveness.probe(5_000);
    clock.advance(300_000);
    expect([await alive, events]).toEqual([false, ['asked at 150', 'asked at 150', 'dead at 155']]);
  });

  it('leaves nobody waiting when it is stopped', async () => {
    const { liveness } = setUp();
    const alive = liveness.probe(5_000);
    liveness.stop();
    expect(await alive).toBe(false);
  });

  it.each([-3_600_000, 3_600_000])('asks within its time though the clock is set by %d ms', (step) => {
    const { clock } = setUp();
    let set = 0;
    const asked: number[] = [];
    const shaken = { now: () => clock.now() + set, setTimer: clock.setTimer.bind(clock) };
    const liveness = new Liveness({ clock: shaken, random: () => 0, ask: () => asked.push(clock.now()), onDead: () => undefined });
    const from = clock.now();
    liveness.start();
    clock.advance(30_000);
    set = step;
    clock.advance(271_000);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toBeLessThanOrEqual(from + 300_000);
  });

  it('asks before the server ends the stream as idle, again and again, however much the server says itself', () => {
    const clock = new VirtualClock(0);
    let saidAt = 0;
    let longest = 0;
    const say = (): void => {
      longest = Math.max(longest, clock.now() - saidAt);
      saidAt = clock.now();
      liveness.said();
      clock.setTimer(1, () => liveness.heard());
    };
    const liveness = new Liveness({ clock, random: () => 0, ask: say, onDead: () => expect.unreachable('the server answers'), idleMs: () => 10_000 });
    liveness.start();
    for (let second = 0; second < 300; second += 1) {
      clock.advance(1000);
      liveness.heard();
    }
    expect(clock.now() - saidAt).toBeLessThanOrEqual(7000);
    expect(longest).toBe(7000);
  });

  it('takes no longer to find a server dead that is as impatient', () => {
    const clock = new VirtualClock(0);
    const dead: number[] = [];
    const liveness = new Liveness({ clock, random: () => 0, ask: () => liveness.said(), onDead: () => dead.push(clock.now()), idleMs: () => 10_000 });
    liveness.start();
    clock.advance(300_000);
    expect(dead).toEqual([27_000]);
  });

  it('asks no earlier than without it where the server is patient', () => {
    const clock = new VirtualClock(0);
    const asked: number[] = [];
    const liveness = new Liveness({ clock, random: () => 0, ask: () => asked.push(clock.now()), onDead: () => undefined, idleMs: () => 600_000 });
    liveness.start();
    clock.advance(160_000);
    expect(asked).toEqual([150_000]);
  });

  it('is silent once stopped', () => {
    const { clock, liveness, events } = setUp();
    liveness.stop();
    clock.advance(300_000);
    expect(events).toEqual([]);
  });
});
