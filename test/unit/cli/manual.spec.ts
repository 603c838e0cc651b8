// The manual page and docs/ERRORS.md. Rule: they are what the tables of the code give, and hold all of it.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatErrors, formatManual } from '../../../scripts/manual-format.ts';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { FAULT_CATALOGUE } from '../../../src/lib/fault-catalogue.ts';
import { ROOT } from '../../helpers/source-files.ts';

const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const { version } = JSON.parse(read('package.json')) as { readonly version: string };
const manual = formatManual({ commands: COMMANDS, prose: read('scripts/manual.roff'), version });

/** What is left to read when the marks of man(7) are gone. */
function words(roff: string): string {
  const signs: Readonly<Record<string, string>> = { aq: "'", ga: '`', ti: '~', ha: '^' };
  return roff
    .replaceAll(/\\f[BIR]/g, '')
    .replaceAll(/\\\((aq|ga|ti|ha)/g, (_sign, name: string) => signs[name] ?? '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\');
}

describe('docs/git-xmpp.1', () => {
  it('is what the tables give (npm run manual)', () => {
    expect(read('docs/git-xmpp.1')).toBe(manual);
    expect(manual).not.toMatch(/@[A-Z]+@/);
  });

  it.each(COMMANDS.map((spec) => [spec.name, spec] as const))('has of %s its options and examples, or nothing where it is hidden', (name, { isHidden, options, examples }) => {
    const text = words(manual);
    expect(text.includes(`git xmpp ${name}`)).toBe(!isHidden);
    if (isHidden) return;
    const [, own = ''] = text.split(new RegExp(`^\\.TP\\n${name}(?: .*)?$`, 'm'));
    for (const option of options) expect(own).toContain(`--${option.name}`);
    for (const { line, says } of examples) expect(own).toContain(`${line}   # ${says}`);
  });

  it('has every error', () => {
    for (const code of Object.keys(FAULT_CATALOGUE)) expect(words(manual)).toContain(`.TP\n${code}\n`);
  });

  it('keeps what a person types as it is', () => {
    const spec = { ...COMMANDS[0]!, name: 'dots', description: ['`.x` is \\ no - request', "'neither"], options: [], arguments: [], examples: [] };
    const made = formatManual({ commands: [spec], prose: '.\\" gone\n@COMMANDS@\n@UNKNOWN@\n', version: '1' });
    expect(made).toContain('\n\\fB.x\\fR is \\e no \\- request\n');
    expect(made).toContain('\n\\(aqneither\n');
    expect(made).toContain('@UNKNOWN@');
    expect(made).not.toContain('gone');
  });
});

describe('docs/ERRORS.md', () => {
  it('is what the catalogue gives (npm run manual)', () => {
    expect(read('docs/ERRORS.md')).toBe(formatErrors());
  });
});
