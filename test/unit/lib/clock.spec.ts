import { describe, expect, it } from 'vitest';
import { delay, realClock, steadyNow, withDeadline } from '../../../src/lib/clock.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { defer } from '../../helpers/deferred.ts';

const late = (): Error => new Error('late');

describe('withDeadline', () => {
  it('settles as the work does, and sets no timer that outlives it', async () => {
    const clock = new VirtualClock();
    await expect(withDeadline(Promise.resolve(7), 1000, clock, late)).resolves.toBe(7);
    await expect(withDeadline(Promise.reject(new Error('broken')), 1000, clock, late)).rejects.toThrow('broken');
    expect(clock.timers).toBe(0);
  });

  it('rejects when time is up, whatever the work does then', async () => {
    const clock = new VirtualClock();
    const work = defer<number>();
    const waiting = withDeadline(work.promise, 1000, clock, late);
    clock.advance(999);
    clock.advance(1);
    work.resolve(7);
    await expect(waiting).rejects.toThrow('late');
  });

  it('lets work that fails after its deadline fail in silence', async () => {
    const clock = new VirtualClock();
    const broken = defer();
    const work = broken.promise.then(() => {
      throw new Error('too late to matter');
    });
    const waiting = withDeadline(work, 10, clock, late);
    clock.advance(10);
    await expect(waiting).rejects.toThrow('late');
    broken.resolve();
    await clock.pass(1);
  });
});

describe('delay', () => {
  it('resolves when the time has passed', async () => {
    const clock = new VirtualClock();
    let isOver = false;
    void delay(50, clock).then(() => (isOver = true));
    await clock.pass(49);
    expect(isOver).toBe(false);
    await clock.pass(1);
    expect(isOver).toBe(true);
  });
});

describe('realClock', () => {
  it('fires, unless the timer is taken back', async () => {
    const fired: string[] = [];
    const kept = defer();
    const taken = realClock.setTimer(0, () => fired.push('taken back'));
    taken.cancel();
    realClock.setTimer(1, () => {
      fired.push('kept');
      kept.resolve();
    });
    await kept.promise;
    expect(fired).toEqual(['kept']);
    expect(Math.abs(realClock.now() - new Date().getTime())).toBeLessThan(1000);
  });
});

describe('steadyNow', () => {
  it('goes on from where it was when the clock is set back, and follows it forwards', () => {
    let wall = 1000;
    const now = steadyNow({ ...realClock, now: () => wall });
    expect(now()).toBe(1000);
    wall = 400;
    expect(now()).toBe(1000);
    wall = 450;
    expect(now()).toBe(1050);
    wall = 9000;
    expect(now()).toBe(9600);
  });
});
