// The command line, from the table to commander and back: what was typed becomes a command with its words and options.
// Rule: whatever is wrong with what was typed is a fault that names it, the nearest thing that exists, and where to read on.

import { Command, CommanderError, Option } from 'commander';
import { Fault } from '../lib/errors.ts';
import type { ArgumentSpec, CommandSpec, Given, OptionSpec } from './command.ts';
import { formatCommandHelp, formatOverview } from './help-format.ts';

export interface ProgramOptions {
  readonly commands: readonly CommandSpec[];
  readonly version: string;
  /** Of the terminal that help is written to. */
  readonly columns: number | undefined;
  /** Does what was asked for. */
  readonly act: (spec: CommandSpec, given: Given) => Promise<void>;
}

/** Commander for the table; it neither ends the process nor writes errors. */
export function buildProgram(options: ProgramOptions): Command {
  const program = new Command('git xmpp')
    .version(options.version, '--version', 'show the version')
    .helpCommand(false)
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({ formatHelp: () => formatOverview(options.commands, options.columns) })
    .enablePositionalOptions()
    .exitOverride();
  for (const spec of options.commands) addCommand(program, spec, options);
  return program;
}

function addCommand(program: Command, spec: CommandSpec, { act, columns }: ProgramOptions): void {
  const made = program.command(spec.name, { hidden: spec.isHidden }).configureHelp({ formatHelp: () => formatCommandHelp(spec, columns) });
  for (const { name, isOptional } of spec.arguments) made.argument(isOptional === true ? `[${name}]` : `<${name}>`);
  for (const option of spec.options) made.addOption(new Option(formatFlag(option)));
  made.action(() => {
    const given = { words: made.processedArgs as readonly (string | undefined)[], options: made.opts() };
    checkWords(spec, given);
    checkOptions(spec, given);
    return act(spec, given);
  });
}

function formatFlag({ name, value, isRepeated }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} <${value}${isRepeated === true ? '...' : ''}>`;
}

function checkWords(spec: CommandSpec, { words }: Given): void {
  spec.arguments.forEach((argument, place) => checkChoice(argument, words[place], spec));
}

function checkChoice({ choices }: Pick<ArgumentSpec, 'choices'>, word: unknown, spec: CommandSpec): void {
  if (choices === undefined || typeof word !== 'string' || choices.includes(word)) return;
  throw new Fault('wrong-use', `"${word}" is none of ${listWords(choices)}`, { remedy: helpOn(spec.name) });
}

function checkOptions(spec: CommandSpec, { options }: Given): void {
  const given = spec.options.filter(({ name }) => options[camelCase(name)] !== undefined);
  for (const option of given) for (const value of [options[camelCase(option.name)]].flat()) checkChoice(option, value, spec);
  for (const { oneOf } of given.filter((option) => option.oneOf !== undefined)) {
    if (given.filter((each) => each.oneOf === oneOf).length < 2) continue;
    const names = spec.options.filter((each) => each.oneOf === oneOf).map(({ name }) => `--${name}`);
    throw new Fault('wrong-use', `only one of ${listWords(names)} can hold`, { remedy: helpOn(spec.name) });
  }
}

/** `a, b and c`. */
function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** As commander names it. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase());
}

function helpOn(name: string): string {
  return `git xmpp help ${name}`;
}

/**
 * What commander has against a command line, in our words; undefined when it was asked for help or the version, and gave it.
 * @param typed the words after `git xmpp`
 */
export function faultOfUsage(error: CommanderError, typed: readonly string[], commands: readonly CommandSpec[]): Fault | undefined {
  if (error.exitCode === 0) return undefined;
  const [first = ''] = typed;
  const [words = '', suggestion] = error.message.replace(/^error: /, '').split(/\n\(Did you mean (.*)\?\)/);
  const nearest = suggestion === undefined ? '' : `did you mean ${suggestion.replace(/^one of /, '')}? `;
  if (error.code === 'commander.unknownCommand') {
    return new Fault('wrong-use', `there is no command "${first}"`, { remedy: `${nearest}git xmpp help lists them` });
  }
  const known = commands.find(({ name, isHidden }) => name === first && !isHidden);
  const remedy = known === undefined ? 'git xmpp help' : helpOn(first);
  return new Fault('wrong-use', words, { remedy: nearest === '' ? remedy : `${nearest.trim()}\n${remedy}` });
}

/** What to say of a word that is no command: the nearest one is named. */
export function unknownCommand(word: string, commands: readonly CommandSpec[]): Fault {
  try {
    // Commander knows which of its commands is near.
    const program = buildProgram({ commands: commands.filter(({ isHidden }) => !isHidden), version: '', columns: undefined, act: () => Promise.resolve() });
    program.parse([word], { from: 'user' });
  } catch (error) {
    const fault = error instanceof CommanderError ? faultOfUsage(error, [word], commands) : undefined;
    if (fault !== undefined) return fault;
  }
  return new Fault('wrong-use', `there is no command "${word}"`, { remedy: 'git xmpp help lists them' });
}
