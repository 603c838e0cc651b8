// Counting what was refused.

import { describe, expect, it } from 'vitest';
import { Refused } from '../../../src/carriers/refused.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { createLog } from '../../../src/lib/log.ts';

describe('Refused', () => {
  it('counts everything, and logs each kind of each account once, whatever device it was', () => {
    const lines: string[] = [];
    const refused = new Refused(createLog((line) => lines.push(line), 'info', () => 0));
    for (let count = 0; count < 1000; count += 1) refused.add(parseFullJid(`anna@one.example/device-${count}`), 'too much waits already');
    refused.add(parseFullJid('anna@one.example/x'), 'a wrong block');
    refused.add(parseFullJid('ben@one.example/x'), 'a wrong block');
    expect(refused.count).toBe(1002);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('account=anna@one.example');
  });

  it('logs no more than 256 lines, whoever tries', () => {
    const lines: string[] = [];
    const refused = new Refused(createLog((line) => lines.push(line), 'info', () => 0));
    for (let count = 0; count < 1000; count += 1) refused.add(parseFullJid(`user-${count}@one.example/x`), 'no stream is wanted');
    expect(refused.count).toBe(1000);
    expect(lines).toHaveLength(256);
  });
});
