// What of a part's output stands in the report: its last lines, and what failed by name.

import { expect, it } from 'vitest';
import { Figures } from '../../prove/figures.ts';

const hearing = (...parts: readonly string[]): Figures => {
  const figures = new Figures('/tmp');
  for (const part of parts) figures.hear(part);
  return figures;
};

it('keeps the last lines, without colours, empty lines and names of temporary files', () => {
  const figures = hearing('one\n\n  \n\u001b[32mtwo\u001b[39m\nin /tmp/x\nth', 'ree\nfour');
  expect(figures.last(3)).toEqual(['two', 'three', 'four']);
});

it('names what failed, however much is printed after it, and twenty at most', () => {
  const noise = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`).join('');
  const kept = hearing('begins\n   × syncs 12ms\n FAIL  unit  test/unit/a.spec.ts > syncs\nWRONG  a hang\nNOT CAUGHT  src/a.ts: x\nfailed softly\n', noise).ofFailure();
  expect(kept.slice(0, 5)).toEqual(['   × syncs 12ms', ' FAIL  unit  test/unit/a.spec.ts > syncs', 'WRONG  a hang', 'NOT CAUGHT  src/a.ts: x', 'line 960']);
  expect(kept).toHaveLength(44);
  expect(hearing(Array.from({ length: 1_000 }, (_, index) => `× ${index}\n`).join(''), noise).ofFailure()).toHaveLength(60);
});

it('says nothing twice of what failed at the end', () => {
  expect(hearing('a\n× b\nc\n').ofFailure()).toEqual(['a', '× b', 'c']);
});
