import { describe, expect, it } from 'vitest';
import { formatStormFault, isOfADevice, isOfTheWay, KINDS, planStorm } from '../../soak/storm-plan.ts';
import { judgeWords } from '../../soak/storm-words.ts';

const devices = ['laptop', 'desktop', 'tower'];

describe('the plan of a storm', () => {
  it('is the same for the same seed, and another one for another', () => {
    const plan = planStorm(1, { lengthMs: 600_000, devices, hasClock: true });
    expect(planStorm(1, { lengthMs: 600_000, devices, hasClock: true })).toEqual(plan);
    expect(planStorm(2, { lengthMs: 600_000, devices, hasClock: true })).not.toEqual(plan);
  });

  it('has every kind within a minute and a half, whatever the seed, and every device within ten', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const plan = planStorm(seed, { lengthMs: 600_000, devices, hasClock: true });
      expect(new Set(plan.filter(({ at }) => at < 90_000).map(({ kind }) => kind))).toEqual(new Set(KINDS));
      for (const device of devices) expect(plan.filter(({ place, kind }) => place === device && isOfADevice(kind)).length).toBeGreaterThan(5);
      expect(plan.every(({ kind, place }) => devices.includes(place) || (place === 'proxy65' && isOfTheWay(kind)))).toBe(true);
    }
  });

  it('sets no clock where none can be set', () => {
    expect(planStorm(1, { lengthMs: 600_000, devices, hasClock: false }).some(({ kind }) => kind.startsWith('clock'))).toBe(false);
  });

  it('has a line for every kind, which says what happens and to whom', () => {
    const plan = planStorm(3, { lengthMs: 120_000, devices, hasClock: true });
    const lines = new Set(plan.map(formatStormFault));
    expect([...lines].filter((line) => line.includes('undefined') || line.includes('NaN'))).toEqual([]);
    expect(lines.size).toBeGreaterThan(KINDS.length);
  });
});

describe('words of a failure', () => {
  it.each([
    ['fatal: unable to write loose object file: No space left on device', 'machine'],
    ['git-xmpp: [too-many-files] looking: too many files are open', 'machine'],
    ['git-remote-xmpp: desktop is offline (last seen 14:02)', 'no way'],
    ['git-xmpp: [tcp] localhost closed the connection before it was encrypted', 'no way'],
    [' ! [rejected] main -> race-1 (fetch first)', 'race'],
    ['git-xmpp: [internal] reading the map: EMFILE: too many open files', 'untrue'],
    ['TypeError: undefined is not a function (no space left on device)', 'untrue'],
    ['fatal: the remote end hung up unexpectedly', 'untrue'],
    ['', 'untrue'],
  ])('%s: %s', (words, verdict) => {
    expect(judgeWords(words)).toBe(verdict);
  });
});
