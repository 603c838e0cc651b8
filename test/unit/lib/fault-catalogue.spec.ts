import { describe, expect, it } from 'vitest';
import { readSources } from '../../helpers/source-files.ts';
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

  it('holds no code that nothing throws', () => {
    const code = [...readSources('src'), ...readSources('git-shell-shim')].map((source) => source.code).join('\n');
    const isThrown = (name: string): boolean => new RegExp(`(?:Fault\\(|super\\(|return |: |\\? )\\s*'${name}'`).test(code.replaceAll(/^.*(?:REFUSALS|HOPELESS|SLOW).*$/gm, ''));
    expect(Object.keys(FAULT_CATALOGUE).filter((name) => !isThrown(name))).toEqual([]);
    expect(isThrown('frobnicated')).toBe(false);
  });
});
