// The help of the command line, made from the table. Rule: nothing stands here that the table does not say, and no line is wider than the terminal.

import { GROUPS } from './command.ts';
import type { ArgumentSpec, CommandSpec, OptionSpec } from './command.ts';
import type { CatalogueEntry } from '../lib/fault-catalogue.ts';

const WIDEST = 96;
const NARROWEST = 30;
const USUAL = 80;
/** Where the second column begins at most; a longer first one stands on a line of its own. */
const SECOND_COLUMN = 16;

export const ABOUT = 'Keeps git repositories in sync between machines that cannot reach each other, over any XMPP account.';

/** All commands, by group. @param columns of the terminal, undefined when it is none */
export function formatOverview(commands: readonly CommandSpec[], columns: number | undefined): string {
  const width = widthOf(columns);
  const shown = commands.filter(({ isHidden }) => !isHidden);
  const groups = GROUPS.map((title) => ({ title, rows: shown.filter(({ group }) => group === title) })).filter(({ rows }) => rows.length > 0);
  return lines([
    'usage: git xmpp [<command> [<args>]]',
    '',
    ...wrap(ABOUT, width),
    ...wrap('Without a command: account, devices and repositories, and the next command to type.', width),
    ...groups.flatMap(({ title, rows }) => ['', title, ...rows.flatMap(({ name, summary }) => twoColumns(name, plain(summary), width))]),
    '',
    ...wrap('"git xmpp help <command>" explains one of them, "git xmpp help errors" what can go wrong; "git help xmpp" is the manual.', width),
  ]);
}

/** How a command is used. @param columns of the terminal, undefined when it is none */
export function formatCommandHelp(spec: CommandSpec, columns: number | undefined): string {
  const width = widthOf(columns);
  const chosen = spec.arguments.filter(({ choices }) => choices !== undefined);
  return lines([
    ...wrap(`usage: ${formatUsage(spec, GLUE)}`, width, ' '.repeat(width < USUAL ? 4 : `usage: git xmpp ${spec.name} `.length)),
    ...(spec.description.length === 0 ? [spec.summary] : spec.description).flatMap((paragraph) => ['', ...wrap(plain(paragraph), width)]),
    ...section('Arguments', chosen.flatMap(({ name, choices = [] }) => twoColumns(`<${name}>`, choices.join(', '), width))),
    ...section('Options', [...spec.options.map(optionRow), HELP_ROW].flatMap(([flag, says]) => twoColumns(flag, says, width))),
    ...section('Examples', spec.examples.flatMap(({ line, says }) => [...wrap(`# ${says}`, width, '  # ', '  '), `  ${line}`])),
    ...section('Exit codes', spec.exits.flatMap(({ code, says }) => twoColumns(String(code), plain(says), width))),
  ]);
}

/** What can go wrong: every code, or one. @param columns of the terminal, undefined when it is none */
export function formatErrorHelp(entries: readonly (readonly [code: string, entry: CatalogueEntry])[], columns: number | undefined): string {
  const width = widthOf(columns);
  const rows = entries.flatMap(([code, { says, remedy }]) => ['', code, ...wrap(`  ${says}`, width, '  '), ...wrap(`  ${plain(remedy)}`, width, '  ')]);
  return lines(entries.length === 1 ? rows.slice(1) : [...wrap(ON_ERRORS, width), ...rows]);
}

const ON_ERRORS =
  'A command that fails says "git-xmpp: [code] what is wrong", and below it what to do. With --json, standard output has {"fault": {"code", "message", "remedy"}} as well. ' +
  'A code keeps its meaning, the words may change. The exit code is 2 for wrong-use and no-account, 3 for already-running, else 1.';

const HELP_ROW = ['-h, --help', 'This.'] as const;

/** `git xmpp share [<path>] [--join <peer/repo> | --new]`. @param space between words that belong together */
function formatUsage({ name, arguments: words, options }: CommandSpec, space: string): string {
  const flags = alternatives(options).map((each) => `[${each.map(formatOption).join(' | ')}]`.replaceAll(' ', space));
  return [`git${space}xmpp${space}${name}`, ...words.map(formatArgument), ...flags].join(' ');
}

/** Options of which only one may be given stand together. */
export function alternatives(options: readonly OptionSpec[]): (readonly OptionSpec[])[] {
  return options
    .filter(({ oneOf }, place) => oneOf === undefined || options.findIndex((each) => each.oneOf === oneOf) === place)
    .map((option) => (option.oneOf === undefined ? [option] : options.filter((each) => each.oneOf === option.oneOf)));
}

function formatArgument({ name, isOptional, choices }: ArgumentSpec): string {
  const word = choices === undefined ? `<${name}>` : choices.join('|');
  return isOptional === true ? `[${word}]` : choices === undefined ? word : `(${word})`;
}

/** `--with <peer|jid>...`. */
export function formatOption({ name, value, isRepeated }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>${isRepeated === true ? '...' : ''}`;
}

function optionRow(option: OptionSpec): readonly [string, string] {
  return [formatOption(option), plain(saysOf(option))];
}

/** What an option does, what it may be and what holds without it. */
export function saysOf({ says, choices, default: usual }: OptionSpec): string {
  return [says, ...(choices === undefined ? [] : [`One of ${choices.join(', ')}.`]), ...(usual === undefined ? [] : [`Default: ${usual}.`])].join(' ');
}

/** The prose of the table without its marks. */
export function plain(prose: string): string {
  return prose.replaceAll('`', '');
}

function section(title: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : ['', title, ...rows];
}

function twoColumns(first: string, second: string, width: number): string[] {
  const indent = ' '.repeat(SECOND_COLUMN + 2);
  const isNarrow = width < SECOND_COLUMN * 3;
  if (isNarrow || first.length > SECOND_COLUMN - 2) return [`  ${first}`, ...wrap(second, width, isNarrow ? '      ' : indent, isNarrow ? '      ' : indent)];
  return wrap(`  ${first.padEnd(SECOND_COLUMN)}${second}`, width, indent, '');
}

/** Stands for a space at which no line is broken. */
const GLUE = '\u00a0';

/** Breaks at spaces; the first line begins with `start`, the others with `indent`. */
function wrap(text: string, width: number, indent = '', start = ''): string[] {
  const rows: string[] = [];
  let row = start;
  for (const [leading, word = ''] of [...text.matchAll(/( *)([^ ]+)/g)].map((found) => [found[1] ?? '', found[2] ?? ''] as const)) {
    const isFresh = row.trim() === '';
    if (!isFresh && row.length + leading.length + word.length > width) {
      rows.push(row);
      row = `${indent}${word}`;
    } else row += `${leading}${word}`;
  }
  return [...rows, row].map((each) => each.replaceAll(GLUE, ' '));
}

function widthOf(columns: number | undefined): number {
  return Math.max(NARROWEST, Math.min(WIDEST, columns ?? USUAL));
}

function lines(rows: readonly string[]): string {
  return `${rows.join('\n')}\n`;
}
