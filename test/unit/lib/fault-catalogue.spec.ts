import { describe, expect, it } from 'vitest';
import { entryOf, FAULT_CATALOGUE, isFaultCode } from '../../../src/lib/fault-catalogue.ts';

describe('the catalogue of faults', () => {
  it.each(Object.entries(FAULT_CATALOGUE))('says of %s what it is in one sentence, and what to do', (code, { says, remedy }) => {
    expect(isFaultCode(code)).toBe(true);
    expect(code).toMatch(/^[a-z]+(?:-[a-z]+)*$/);
    expect(says).toMatch(/^[A-Z][^\n]*\.$/);
    expect(remedy).toMatch(/^[^\nA-Z][^\n]{10,}[^.\n]$/);
    expect((remedy.match(/`/g) ?? []).length % 2).toBe(0);
  });

  it('knows its own codes alone', () => {
    for (const other of ['dance', 'toString', '', 7, undefined, null]) expect(isFaultCode(other)).toBe(false);
    expect(entryOf('wrong-use').exitCode).toBe(2);
  });
});
