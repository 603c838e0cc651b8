import { describe, expect, it } from 'vitest';
import { LOOK_MS, WakeMachine } from '../../../src/agent/wake-machine.ts';
import type { Interfaces } from '../../../src/agent/wake-machine.ts';

const START = 1_700_000_000_000;
const HOME: Interfaces = {
  lo: [{ address: '127.0.0.1', internal: true }],
  eth0: [{ address: '192.0.2.7', internal: false }, { address: '2001:db8::7', internal: false }, { address: 'fe80::1', internal: false }],
};

describe('WakeMachine', () => {
  it('tells nothing of looks that come in time, or a little late, or of a clock that is set back', () => {
    const machine = new WakeMachine(START, HOME);
    const looks = [2_000, 4_050, 16_050, 18_050, -3_600_000, -3_598_000].map((at) => machine.look(START + at, HOME));
    expect(looks.flat()).toEqual([]);
  });

  it('tells once of sleep, and how long it was', () => {
    const machine = new WakeMachine(START, HOME);
    expect(machine.look(START + 3_600_000 + LOOK_MS, HOME)).toEqual([{ type: 'woke', missedMs: 3_600_000 }]);
    expect(machine.look(START + 3_600_000 + 2 * LOOK_MS, HOME)).toEqual([]);
  });

  it('notices sleep just above ten seconds', () => {
    const machine = new WakeMachine(START, HOME);
    expect(machine.look(START + 12_000, HOME)).toEqual([]);
    expect(machine.look(START + 12_000 + 12_001, HOME)).toEqual([{ type: 'woke', missedMs: 10_001 }]);
  });

  it.each<[string, Interfaces]>([
    ['one address is gone', { eth0: HOME['eth0']?.slice(1) ?? [] }],
    ['another came', { ...HOME, wlan0: [{ address: '198.51.100.3', internal: false }] }],
    ['the same address is on another interface', { eth1: HOME['eth0'] ?? [] }],
  ])('tells of another network when %s, once', (_what, there) => {
    const machine = new WakeMachine(START, HOME);
    expect(machine.look(START + LOOK_MS, there)).toEqual([{ type: 'network', what: 'addresses' }]);
    expect(machine.look(START + 2 * LOOK_MS, there)).toEqual([]);
    expect(machine.look(START + 3 * LOOK_MS, HOME)).toEqual([{ type: 'network', what: 'addresses' }]);
  });

  it('tells that the network is lost when no address leads anywhere, and that it is back', () => {
    const machine = new WakeMachine(START, HOME, 'eth0 1');
    const alone: Interfaces = { lo: HOME['lo'] ?? [], eth0: [{ address: 'fe80::1', internal: false }] };
    expect(machine.look(START + LOOK_MS, alone)).toEqual([{ type: 'lostnet' }]);
    expect(machine.hasNetwork).toBe(false);
    expect(machine.look(START + 2 * LOOK_MS, alone)).toEqual([]);
    expect(machine.look(START + 3 * LOOK_MS, HOME, 'eth0 1')).toEqual([{ type: 'network', what: 'return' }]);
    expect(machine.hasNetwork).toBe(true);
  });

  it('tells of another default route, unless there is no network or the addresses say it already', () => {
    const machine = new WakeMachine(START, HOME, 'eth0 1');
    expect(machine.look(START + LOOK_MS, HOME, 'wlan0 2')).toEqual([{ type: 'network', what: 'route' }]);
    expect(machine.look(START + 2 * LOOK_MS, HOME, 'wlan0 2')).toEqual([]);
    expect(machine.look(START + 3 * LOOK_MS, {}, '')).toEqual([{ type: 'lostnet' }]);
  });

  it('does not care in which order addresses are listed, nor for those that lead nowhere', () => {
    const machine = new WakeMachine(START, HOME);
    const container = [{ address: 'fe80::42:acff:fe11:2', internal: false }, { address: '169.254.7.7', internal: false }];
    const there: Interfaces = { veth1: container, eth0: [...(HOME['eth0'] ?? [])].reverse(), lo: [{ address: '::1', internal: true }] };
    expect(machine.look(START + LOOK_MS, there)).toEqual([]);
  });

  it('tells both at once, sleep first', () => {
    const machine = new WakeMachine(START, HOME);
    expect(machine.look(START + 60_000, {}).map(({ type }) => type)).toEqual(['woke', 'lostnet']);
  });
});
