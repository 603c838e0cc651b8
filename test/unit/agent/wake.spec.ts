import { describe, expect, it } from 'vitest';
import { Wake } from '../../../src/agent/wake.ts';
import type { Interfaces } from '../../../src/agent/wake-machine.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

function setUp() {
  const clock = new VirtualClock();
  const told: string[] = [];
  let slept = 0;
  let addresses: Interfaces = { eth0: [{ address: '192.0.2.7', internal: false }] };
  let route = 'eth0 1';
  const wake = new Wake({
    clock: { now: () => clock.now() + slept, setTimer: clock.setTimer.bind(clock) },
    interfaces: () => addresses,
    routes: () => route,
    events: { emit: ({ type, words }) => told.push(`${type}: ${words}`) },
    onChange: () => told.push('changed'),
    onLost: () => told.push('lost'),
  });
  return {
    clock,
    told,
    wake,
    sleep: (ms: number) => (slept += ms),
    move: (address: string) => (addresses = { eth0: [{ address, internal: false }] }),
    lose: () => (addresses = { lo: [{ address: '127.0.0.1', internal: true }] }),
    reroute: () => (route = 'wlan0 2'),
  };
}

describe('Wake', () => {
  it('tells nothing for days in which nothing happens', () => {
    const { clock, told, wake } = setUp();
    wake.start();
    clock.advance(3 * 86_400_000);
    expect(told).toEqual([]);
    expect(clock.timers).toBe(1);
  });

  it('tells of sleep and of another network, and lets things be tried again once for both', () => {
    const { clock, told, wake, sleep, move } = setUp();
    wake.start();
    clock.advance(12_000);
    sleep(5_400_000);
    move('192.0.2.1');
    clock.advance(60_000);
    expect(told).toEqual(['woke: nothing ran for 90m: the machine slept, or its clock was set', 'network: the addresses of this machine changed', 'changed']);
  });

  it('tells at once of a network that is lost, and of its return, each once', () => {
    const { clock, told, wake, move, lose } = setUp();
    wake.start();
    expect(wake.hasNetwork).toBe(true);
    lose();
    clock.advance(2_000);
    expect([wake.hasNetwork, told]).toEqual([false, ['lostnet: this machine has no network', 'lost']]);
    clock.advance(600_000);
    move('192.0.2.7');
    clock.advance(2_000);
    expect([wake.hasNetwork, told.slice(2)]).toEqual([true, ['network: the network is back', 'changed']]);
  });

  it('tells of another default route under the same addresses', () => {
    const { clock, told, wake, reroute } = setUp();
    wake.start();
    reroute();
    clock.advance(60_000);
    expect(told).toEqual(['network: the default route of this machine changed', 'changed']);
  });

  it('looks no more once it is stopped', () => {
    const { clock, told, wake, sleep } = setUp();
    wake.start();
    wake.stop();
    sleep(5_400_000);
    clock.advance(60_000);
    expect([told, clock.timers]).toEqual([[], 0]);
  });
});
