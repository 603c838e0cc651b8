import { describe, expect, it } from 'vitest';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { Strangers } from '../../../src/agent/strangers.ts';

const at = (resource: string | number) => parseFullJid(`anna@localhost/${resource}`);

function setting(): { strangers: Strangers; clock: { advance(ms: number): void }; told: string[] } {
  let now = 1_700_000_000_000;
  const told: string[] = [];
  return { strangers: new Strangers({ emit: ({ words }) => void told.push(words) }, { now: () => now }), clock: { advance: (ms) => void (now += ms) }, told };
}

describe('Strangers', () => {
  it('tells each address once a minute, however often it asks, and how often that was', () => {
    const { strangers, clock, told } = setting();
    for (let times = 0; times < 1000; times += 1) strangers.knocked(at('x'));
    clock.advance(60_000);
    strangers.knocked(at('x'));
    expect(told).toEqual(['anna@localhost/x asked for a link and is not paired', 'anna@localhost/x asked for a link and is not paired; 999 more were turned away before']);
  });

  it('tells sixteen addresses a minute at most', () => {
    const { strangers, clock, told } = setting();
    for (let resource = 0; resource < 1000; resource += 1) strangers.knocked(at(resource));
    expect(told).toHaveLength(16);
    clock.advance(60_000);
    strangers.knocked(at(1));
    expect(told).toHaveLength(17);
  });

  it('goes on when the clock is set back', () => {
    const { strangers, clock, told } = setting();
    strangers.knocked(at('x'));
    clock.advance(-3_600_000);
    strangers.knocked(at('x'));
    expect(told).toHaveLength(2);
  });
});
