import { describe, expect, it } from 'vitest';
import { createLog } from '../../../src/lib/log.ts';
import { Offences } from '../../../src/link/offences.ts';

function setUp(): { offences: Offences; lines: string[] } {
  const lines: string[] = [];
  return { offences: new Offences(createLog((line) => lines.push(line.replace(/^\S+ /, '')), 'info', () => 0)), lines };
}

describe('Offences', () => {
  it('tells the first of each link, counts the rest, and tells their sum at the end', () => {
    const { offences, lines } = setUp();
    for (let count = 0; count < 1000; count += 1) offences.note('one', 'refused', { why: `epoch ${count} is spent` });
    offences.note('two', 'refused', { why: 'spent' });
    offences.ended('one');
    offences.ended('two');
    offences.ended('never');
    expect(lines).toEqual(['info refused why="epoch 0 is spent"', 'info refused why=spent', 'info refused in all on a link that has ended count=1000']);
    expect(offences.total).toBe(1001);
  });

  it('has few lines however many links offend at once', () => {
    const { offences, lines } = setUp();
    for (let count = 0; count < 5000; count += 1) offences.note(`link ${count}`, 'refused', {});
    expect(lines.length).toBeLessThan(600);
    expect(offences.total).toBe(5000);
  });
});
