// The manual page and docs/ERRORS.md, made from the tables of the code and the prose of scripts/manual.roff.
// Rule: pure: text in, text out; the spec and the script make the same.

import { GROUPS } from '../src/cli/command.ts';
import type { ArgumentSpec, CommandSpec, ExampleSpec, OptionSpec } from '../src/cli/command.ts';
import { alternatives, saysOf } from '../src/cli/help-format.ts';
import { FAULT_CATALOGUE } from '../src/lib/fault-catalogue.ts';

const GENERATED = '.\\" Made by scripts/manual.ts from src/cli/commands/, src/lib/fault-catalogue.ts and scripts/manual.roff: change those.\n';

export interface ManualSources {
  readonly commands: readonly CommandSpec[];
  readonly prose: string;
  readonly version: string;
}

/** docs/git-xmpp.1, in man(7). */
export function formatManual({ commands, prose, version }: ManualSources): string {
  const shown = commands.filter(({ isHidden }) => !isHidden);
  const made: Readonly<Record<string, string>> = {
    VERSION: version,
    SYNOPSIS: formatSynopsis(shown),
    COMMANDS: GROUPS.map((title) => formatGroup(title, shown.filter(({ group }) => group === title))).join('\n'),
    ERRORS: Object.entries(FAULT_CATALOGUE).map(([code, { says, remedy }]) => item(bold(code), [inProse(says), `${inProse(capital(remedy))}.`])).join('\n'),
  };
  return GENERATED + prose.replace(/^\.\\".*\n/, '').replaceAll(/@([A-Z]+)@/g, (_mark, name: string) => made[name] ?? `@${name}@`);
}

/** docs/ERRORS.md. */
export function formatErrors(): string {
  const rows = Object.entries(FAULT_CATALOGUE).map(([code, { says, remedy, exitCode }]) => `| \`${code}\` | ${says} | ${cell(capital(remedy))} | ${exitCode} |`);
  return [
    '# Errors',
    '',
    'A command that fails says, on standard error, its code, what is wrong, and what to do:',
    '',
    '```',
    'git-xmpp: [no-such-peer] no peer is called "tablet"',
    '  there are: laptop, desktop',
    '```',
    '',
    'With `--json`, standard output has one line `{"fault": {"code": …, "message": …, "remedy": …}}` instead of the result. A code keeps its meaning from version to version; the words may',
    'change. What to do is what the error says; where it says nothing better, what stands here. `git xmpp help errors` lists the same. Made by `npm run manual` from `src/lib/fault-catalogue.ts`.',
    '',
    '| Code | What it means | What to do | Exit code |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function formatSynopsis(commands: readonly CommandSpec[]): string {
  const usages = commands.flatMap((spec) => hang(bold(`git xmpp ${spec.name}`), usageOf(spec)));
  return ['.nf', bold('git xmpp'), ...usages, bold('git xmpp --version'), '.sp', `${bold('git clone xmpp::')}${italic('peer')}${bold('/')}${italic('repo')}`, '.fi'].join('\n');
}

function formatGroup(title: string, commands: readonly CommandSpec[]): string {
  return [`.SS ${title}`, ...commands.map(formatCommand)].join('\n');
}

function formatCommand(spec: CommandSpec): string {
  const [first = spec.summary, ...more] = spec.description.map(inProse);
  return [
    item([bold(spec.name), ...usageOf({ ...spec, options: [] })].join(' '), [first]),
    '.RS',
    ...more.map((paragraph) => `.PP\n${paragraph}`),
    ...spec.options.map((option) => item(formatOption(option), [inProse(saysOf(option))])),
    ...spec.exits.map(({ code, says }) => item(`exit code ${bold(String(code))}`, [inProse(says)])),
    ...(spec.examples.length === 0 ? [] : ['.PP', '.nf', ...spec.examples.map(formatExample), '.fi']),
    '.RE',
  ].join('\n');
}

function formatExample({ line, says }: ExampleSpec): string {
  return `${guard(escape(line))}   # ${escape(says)}`;
}

function usageOf({ arguments: words, options }: Pick<CommandSpec, 'arguments' | 'options'>): string[] {
  return [...words.map(formatArgument), ...alternatives(options).map((each) => `[${each.map(formatOption).join(' | ')}]`)];
}

/** Lines of at most 72 characters, those after the first one indented: nothing breaks them later. */
function hang(first: string, words: readonly string[]): string[] {
  const rows: string[] = [];
  let row = first;
  for (const word of words) {
    if (visible(`${row} ${word}`).length <= 72) row += ` ${word}`;
    else {
      rows.push(row);
      row = `        ${word}`;
    }
  }
  return [...rows, row];
}

function visible(roff: string): string {
  return roff.replaceAll(/\\f[BIR]/g, '').replaceAll('\\-', '-');
}

function formatArgument({ name, isOptional, choices }: ArgumentSpec): string {
  const word = choices === undefined ? italic(name) : choices.map(bold).join('|');
  return isOptional === true ? `[${word}]` : word;
}

function formatOption({ name, value, isRepeated }: OptionSpec): string {
  return `${bold(`--${name}`)}${value === undefined ? '' : ` ${italic(value)}`}${isRepeated === true ? '...' : ''}`;
}

function item(tag: string, rows: readonly string[]): string {
  return ['.TP', tag, ...rows].join('\n');
}

/** `typed` is bold, <value> is italic, also within what is typed. */
function inProse(text: string): string {
  const marked = text.replaceAll(/`([^`]*)`|<([^>]*)>/g, (_whole, typed: string | undefined, value: string | undefined) =>
    typed === undefined ? `\u0001I${value ?? ''}\u0001R` : `\u0001B${typed.replaceAll(/<([^>]*)>/g, '\u0001I$1\u0001B')}\u0001R`,
  );
  const [first = '', ...styled] = marked.split('\u0001');
  return guard(escape(first) + styled.map((part) => `\\f${part.slice(0, 1)}${escape(part.slice(1))}`).join(''));
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escape(text)}\\fR`;
}

/** groff_char(7): what is typed by a person must come out of the page as it is. */
function escape(text: string): string {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga').replaceAll('~', '\\(ti').replaceAll('^', '\\(ha');
}

/** A line that begins with a dot would be a request. */
function guard(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function capital(text: string): string {
  return text.replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
