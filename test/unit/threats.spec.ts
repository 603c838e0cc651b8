// docs/THREATS.md names the tests that show what it says.

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const TEXT = readFileSync(path.join(ROOT, 'docs/THREATS.md'), 'utf8');

/** Files of tests, each with the names that are quoted behind it. */
const NAMED = [...TEXT.matchAll(/(test\/[\w/.-]+\.spec\.ts)((?:,? “[^”]+”)*)/g)].map(([, file = '', names = '']) => ({
  file,
  names: [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name),
}));

describe('docs/THREATS.md', () => {
  it('names tests that are there', () => {
    const missing = NAMED.flatMap(({ file, names }) => {
      const whole = path.join(ROOT, file);
      if (!existsSync(whole)) return [file];
      const source = readFileSync(whole, 'utf8').replaceAll("\\'", "'");
      return names.filter((name) => !source.includes(name)).map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
    expect(NAMED.filter(({ names }) => names.length > 0).length).toBeGreaterThan(50);
  });

  it('has no attack in its tables without one', () => {
    const section = TEXT.slice(TEXT.indexOf('## Attacks from outside'), TEXT.indexOf('## Paired peers'));
    const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Who'));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter((row) => !/ test\/.*“/.test(row.split('|').at(-2) ?? ''))).toEqual([]);
  });
});
