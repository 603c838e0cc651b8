// When a link looks for a better carrier.

import { describe, expect, it } from 'vitest';
import { LadderMachine } from '../../../src/carriers/ladder-machine.ts';

const at = (now: number) => ({ now, random: 0 });
const idle = { bytes: 0, mayGrow: false };

describe('LadderMachine', () => {
  it('tries for a connection of its own as soon as the link is up, one try at a time', () => {
    const ladder = new LadderMachine();
    expect(ladder.wish(idle, 0)).toBe('own-connection');
    expect(ladder.wish({ bytes: 1e9, mayGrow: true }, 1)).toBeUndefined();
  });

  it('wishes for nothing more once it has one', () => {
    const ladder = new LadderMachine();
    ladder.wish(idle, 0);
    ladder.tried('own-connection', true, at(1));
    ladder.runs('socks5', at(2));
    expect(ladder.wish({ bytes: 1e9, mayGrow: true }, 1e9)).toBeUndefined();
    expect(ladder.rung).toBe('socks5');
  });

  it('tries again after a failure only where bytes move, and ever more rarely', () => {
    const ladder = new LadderMachine();
    let bytes = 0;
    let now = 0;
    const waits = [];
    for (let tries = 0; tries < 10; tries += 1) {
      expect(ladder.wish({ bytes, mayGrow: false }, now)).toBe('own-connection');
      ladder.tried('own-connection', false, at(now));
      expect(ladder.wish({ bytes, mayGrow: false }, now + 1e9)).toBeUndefined();
      bytes += 70_000;
      const began = now;
      while (ladder.wish({ bytes, mayGrow: false }, now) === undefined) now += 1000;
      ladder.tried('own-connection', true, at(now));
      waits.push((now - began) / 1000);
      ladder.runs('in-band', at(now));
      bytes += 70_000;
    }
    expect(waits.slice(0, 4)).toEqual([15, 30, 60, 120]);
    expect(Math.max(...waits)).toBe(900);
  });

  it('tries at once again where a steady connection was lost, and waits where it had only just begun', () => {
    const steady = new LadderMachine();
    steady.runs('direct', at(0));
    steady.runs('in-band', at(60_000));
    expect(steady.wish(idle, 60_000)).toBe('own-connection');
    const brief = new LadderMachine();
    brief.wish(idle, 0);
    brief.tried('own-connection', true, at(0));
    brief.runs('direct', at(0));
    brief.runs('in-band', at(2000));
    expect(brief.wish({ bytes: 1e6, mayGrow: false }, 2001)).toBeUndefined();
    expect(brief.wish({ bytes: 1e6, mayGrow: false }, 17_000)).toBe('own-connection');
  });

  it('starts over when the network is another', () => {
    const ladder = new LadderMachine();
    ladder.wish(idle, 0);
    ladder.tried('own-connection', false, at(0));
    ladder.renew();
    expect(ladder.wish(idle, 1)).toBe('own-connection');
  });

  it('takes larger blocks where the server is fast and no connection of its own is to be had, and not after they failed', () => {
    const ladder = new LadderMachine();
    ladder.wish(idle, 0);
    ladder.tried('own-connection', false, at(0));
    expect(ladder.wish({ bytes: 1, mayGrow: true }, 1)).toBe('large-blocks');
    ladder.tried('large-blocks', true, at(2));
    ladder.runs('large-blocks', at(2));
    expect(ladder.wish({ bytes: 2, mayGrow: true }, 3)).toBeUndefined();
    ladder.runs('in-band', at(4));
    expect(ladder.wish({ bytes: 3, mayGrow: true }, 5)).toBeUndefined();
    expect(ladder.wish({ bytes: 1e6, mayGrow: true }, 20_000)).toBe('own-connection');
  });
});
