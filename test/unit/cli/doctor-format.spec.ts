import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/agent/doctor-format.ts';
import { formatCheck, formatVerdict, makeReport } from '../../../src/cli/doctor-format.ts';

const OK: Check = { id: 'pep', state: 'ok', words: 'it keeps an item' };
const WARN: Check = { id: 'proxy', state: 'warn', words: 'there is none', remedy: 'ask for one' };
const BROKEN: Check = { id: 'dns', state: 'broken', code: 'dns', words: 'no such\u001b[31m name', remedy: 'check it\nor do without' };

describe('formatCheck', () => {
  it('is one line, and the remedy under it', () => {
    expect(formatCheck(OK)).toEqual(['ok       pep                it keeps an item']);
    expect(formatCheck(WARN)).toEqual(['warning  proxy              there is none', '                            ask for one']);
  });

  it('lets nothing from outside move the cursor', () => {
    expect(formatCheck(BROKEN)).toEqual(['BROKEN   dns                no such?[31m name', '                            check it', '                            or do without']);
  });
});

describe('formatVerdict', () => {
  it.each([
    [[OK], 'nothing is broken'],
    [[OK, WARN], 'nothing is broken, 1 warning'],
    [[WARN, BROKEN, BROKEN], '2 links of the chain are broken, the first is "dns", 1 warning'],
    [[BROKEN], '1 link of the chain is broken, the first is "dns"'],
  ])('of %# says it', (checks, words) => {
    expect(formatVerdict(checks)).toBe(words);
  });
});

describe('makeReport', () => {
  it('is well while nothing is broken', () => {
    expect(makeReport([OK, WARN], 5)).toEqual({ version: 1, at: 5, isWell: true, checks: [OK, WARN] });
    expect(makeReport([BROKEN], 5).isWell).toBe(false);
  });
});
