// The tables and tools of `npm run sabotage`, without running a spec.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../helpers/source-files.ts';
import { breakText, specFile } from '../../sabotage/breakage.ts';
import { BREAKAGES } from '../../sabotage/breakages/index.ts';
import { describeMutation, mutate, mutationsOf } from '../../sabotage/mutate.ts';
import { readReport } from '../../sabotage/report-format.ts';
import { specsOf } from '../../sabotage/specs-of.ts';

const report = (...files: readonly { readonly status: string; readonly tests: readonly string[] }[]): string =>
  JSON.stringify({
    testResults: files.map(({ status, tests }) => ({ name: 'x', status, assertionResults: tests.map((each) => ({ fullName: `a ${each} test`, status: each })) })),
  });

describe('the breakages', () => {
  it('each find the one place that they break, and specs that are there', () => {
    const wrong = BREAKAGES.flatMap((breakage) => {
      try {
        breakText(readFileSync(path.join(ROOT, breakage.file), 'utf8'), breakage);
        return breakage.specs.filter((spec) => !existsSync(path.join(ROOT, specFile(spec)))).map((spec) => `${breakage.file}: no ${specFile(spec)}`);
      } catch (error) {
        return [error instanceof Error ? error.message : String(error)];
      }
    });
    expect(wrong).toEqual([]);
    expect(BREAKAGES.length).toBeGreaterThan(100);
  });

  it('each have words of their own in their file, and somebody to notice', () => {
    const keys = BREAKAGES.map(({ file, from, to, specs }) => `${file}\n${from}\n${to}\n${specs.join(' ')}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(BREAKAGES.filter(({ invariant, specs }) => invariant === '' || specs.length === 0)).toEqual([]);
  });
});

describe('breakText', () => {
  it('replaces the one place, whatever the text holds', () => {
    expect(breakText('a $& b', { file: 'x', from: '$&', to: "$'$1" })).toBe("a $'$1 b");
  });

  it.each([
    ['is not there', 'c'],
    ['is there twice', 'a'],
    ['is nothing', ''],
  ])('refuses a place that %s', (_what, from) => {
    expect(() => breakText('a b a', { file: 'x', from, to: 'z' })).toThrow(/times, not once/);
  });

  it('refuses to break nothing', () => {
    expect(() => breakText('a b', { file: 'x', from: 'a', to: 'a' })).toThrow(/nothing is broken/);
  });
});

describe('readReport', () => {
  it('takes a test that failed for red, by its name', () => {
    expect(readReport(report({ status: 'failed', tests: ['passed', 'failed'] }), 1)).toEqual({ kind: 'red', by: 'a failed test' });
  });

  it('takes an error that nothing caught for red', () => {
    expect(readReport(report({ status: 'passed', tests: ['passed'] }), 1)).toMatchObject({ kind: 'red' });
  });

  it('takes what could not be loaded for neither', () => {
    expect(readReport('', 1)).toEqual({ kind: 'unloaded' });
    expect(readReport(report({ status: 'failed', tests: [] }), 1)).toEqual({ kind: 'unloaded' });
    expect(readReport(report({ status: 'failed', tests: [] }, { status: 'passed', tests: ['passed'] }), 1)).toEqual({ kind: 'unloaded' });
  });

  it('takes tests that all passed for green', () => {
    expect(readReport(report({ status: 'passed', tests: ['passed', 'skipped'] }), 0)).toEqual({ kind: 'green' });
  });
});

describe('mutationsOf', () => {
  const TEXT = ['export const MAX_X = 5;', '// if (a < b) return;', 'function f(a, b) {', '  if (a < b) return;', '  this.x = a + b;', '}', ''].join('\n');

  it('finds comparisons, operators, statements and limits, and leaves comments alone', () => {
    const lines = mutationsOf(TEXT).map((each) => describeMutation(TEXT, each).replace(/\n\s+/, ' '));
    expect(lines).toContain('1: export const MAX_X = 5; → export const MAX_X = 1e12;');
    expect(lines).toContain('4: if (a < b) return; → if (a <= b) return;');
    expect(lines).toContain('4: if (a < b) return; → if (a < b) ;');
    expect(lines).toContain('5: this.x = a + b; → this.x = a - b;');
    expect(lines).toContain('5: this.x = a + b; → ;');
    expect(lines.filter((line) => line.startsWith('2:'))).toEqual([]);
  });

  it('changes one place each', () => {
    const texts = mutationsOf(TEXT).map((each) => mutate(TEXT, each));
    expect(new Set(texts).size).toBe(texts.length);
    expect(texts).not.toContain(TEXT);
  });
});

describe('specsOf', () => {
  it('names the mirror, those of who uses it beside it, and property specs', () => {
    expect(specsOf('src/pipe/replay.ts')).toEqual(expect.arrayContaining(['test/unit/pipe/replay.spec.ts', 'test/unit/pipe/pipe-machine.spec.ts', 'test/property/pipe.spec.ts']));
    expect(specsOf('src/pairing/typer-machine.ts')).toEqual(expect.arrayContaining(['test/unit/pairing/typer-machine.spec.ts', 'test/property/pairing.spec.ts']));
  });
});
