// The help that is made from the table. Rule: what the table says is in it, whole, and no line is wider than the terminal unless it is typed as it stands.

import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { formatCommandHelp, formatOverview, plain, saysOf } from '../../../src/cli/help-format.ts';

const shown = COMMANDS.filter(({ isHidden }) => !isHidden);

/** Words alone: where lines are broken does not count. */
function words(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

describe('the overview', () => {
  it.each([undefined, 40, 80, 200])('names every command with what it does, and no hidden one, on %s columns', (columns) => {
    const text = formatOverview(COMMANDS, columns);
    for (const { name, summary } of shown) expect(words(text)).toContain(`${name} ${plain(summary)}`);
    for (const { name } of COMMANDS.filter(({ isHidden }) => isHidden)) expect(text).not.toContain(name);
  });
});

describe('the help of a command', () => {
  it.each(shown.map((spec) => [spec.name, spec] as const))('%s holds its words, options, examples and exit codes', (name, spec) => {
    const text = words(formatCommandHelp(spec, undefined));
    expect(text).toContain(`usage: git xmpp ${name}`);
    for (const paragraph of spec.description) expect(text).toContain(plain(paragraph));
    for (const option of spec.options) expect(text).toContain(`--${option.name}`);
    for (const option of spec.options) expect(text).toContain(plain(saysOf(option)));
    for (const { line, says } of spec.examples) expect(text).toContain(`# ${says} ${line}`);
    for (const { says } of spec.exits) expect(text).toContain(plain(says));
  });

  it('shows which words are needed, which are not, and which options exclude each other', () => {
    const share = COMMANDS.find(({ name }) => name === 'share');
    const grant = COMMANDS.find(({ name }) => name === 'grant');
    if (share === undefined || grant === undefined) throw new Error('share and grant are gone');
    expect(words(formatCommandHelp(share, undefined))).toContain('git xmpp share [<path>] [--with <peer|jid>...] [--read | --offer | --write] [--branches <glob>...]');
    expect(words(formatCommandHelp(grant, undefined))).toContain('git xmpp grant <peer> <repo> (read|offer|write|none)');
  });

  it.each([40, 80, 120])('fits %i columns, but for what is typed', (columns) => {
    for (const spec of shown) {
      const rows = formatCommandHelp(spec, columns).split('\n').filter((row) => !spec.examples.some(({ line }) => row === `  ${line}`));
      for (const row of [...rows, ...formatOverview(COMMANDS, columns).split('\n')]) expect(row.length, `${spec.name}: ${row}`).toBeLessThanOrEqual(columns);
    }
  });
});
