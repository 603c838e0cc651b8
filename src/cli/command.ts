// What is known of a command, as plain data: commander, the help, the man page and the completion are made from it.
// Rule: a command is declared once, in src/cli/commands/; what it does is loaded when it is run. In its prose `words` between backquotes are typed
// as they are, and <words> stand for a value.

import type { Door, World } from './door.ts';

/** What a value names, so that a shell can complete it: from the table, the running agent or the file system. */
export type Completed = 'peer' | 'repo' | 'peer/repo' | 'topic' | 'file' | 'folder';

/** A word of a command, in order. */
export interface ArgumentSpec {
  readonly name: string;
  readonly isOptional?: true;
  /** The only words it may be. */
  readonly choices?: readonly string[];
  readonly completes?: Completed;
}

/** `--name`, or `--name <value>`. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  /** What its value is called; without it the option is a flag. */
  readonly value?: string;
  /** Whether it takes several values. */
  readonly isRepeated?: true;
  readonly choices?: readonly string[];
  /** What holds without it, in words. */
  readonly default?: string;
  /** Of the options of a command with the same word here only one may be given. */
  readonly oneOf?: string;
  readonly completes?: Completed;
  readonly says: string;
}

export interface ExampleSpec {
  /** What is typed in a shell; holds `git xmpp` and this command. */
  readonly line: string;
  readonly says: string;
}

export interface ExitSpec {
  readonly code: number;
  readonly says: string;
}

/** The headings that commands stand under, in order. */
export const GROUPS = ['Account', 'Devices', 'Repositories', 'The agent', 'Help'] as const;

/** What a command is given of the world. */
export interface Context {
  readonly world: World;
  /** The agent's door; made when a command asks for it. */
  readonly door: () => Door;
  /** The whole table, for the commands that explain it. */
  readonly commands: readonly CommandSpec[];
}

/** What every reader of the table sees of a command. */
export interface CommandSpec {
  readonly name: string;
  readonly group: (typeof GROUPS)[number];
  /** One line, without a full stop. */
  readonly summary: string;
  /** Paragraphs. */
  readonly description: readonly string[];
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly ExampleSpec[];
  /** Beside 0, 1 and 2, which mean the same for all. */
  readonly exits: readonly ExitSpec[];
  /** For git and shells, not for people. */
  readonly isHidden: boolean;
  /** Whether an account is asked for first, where there is none. */
  readonly needsAccount: boolean;
  run(context: Context, given: Given): Promise<unknown>;
}

/** What was typed, by its place or its name. */
export interface Given {
  readonly words: readonly (string | undefined)[];
  readonly options: Readonly<Record<string, unknown>>;
}

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<CamelCase<Tail>>}` : Name;
type ChosenFrom<Spec> = Spec extends { readonly choices: readonly (infer Choice)[] } ? Choice : string;
type WordOf<Spec> = Spec extends { readonly isOptional: true } ? ChosenFrom<Spec> | undefined : ChosenFrom<Spec>;
type ValueOf<Spec> = Spec extends { readonly isRepeated: true } ? readonly ChosenFrom<Spec>[] : Spec extends { readonly value: string } ? ChosenFrom<Spec> : boolean;
type WordsOf<Specs extends readonly ArgumentSpec[]> = { readonly [Place in keyof Specs]: WordOf<Specs[Place]> };
type OptionsOf<Specs extends readonly OptionSpec[]> = { readonly [Spec in Specs[number] as CamelCase<Spec['name']>]?: ValueOf<Spec> };

/** A command as it is written down: `run` is handed its words and options with the types that are declared beside it. */
interface Declared<Words extends readonly ArgumentSpec[], Options extends readonly OptionSpec[]>
  extends Pick<CommandSpec, 'name' | 'group' | 'summary' | 'description' | 'examples'> {
  readonly arguments?: Words;
  readonly options?: Options;
  readonly exits?: readonly ExitSpec[];
  readonly isHidden?: true;
  readonly needsAccount?: true;
  run(context: Context, words: WordsOf<Words>, options: OptionsOf<Options>): Promise<unknown>;
}

/** Declares a command. */
export function command<const Words extends readonly ArgumentSpec[] = [], const Options extends readonly OptionSpec[] = []>(
  declared: Declared<Words, Options>,
): CommandSpec {
  return {
    exits: [],
    ...declared,
    arguments: declared.arguments ?? [],
    options: declared.options ?? [],
    isHidden: declared.isHidden ?? false,
    needsAccount: declared.needsAccount ?? false,
    run: (context, given) => declared.run(context, parseWords<Words>(given), parseOptions<Options>(given)),
  };
}

/** Commander counted the words by the same table. */
function parseWords<Words extends readonly ArgumentSpec[]>({ words }: Given): WordsOf<Words> {
  return words as unknown as WordsOf<Words>;
}

/** Commander read the options by the same table. */
function parseOptions<Options extends readonly OptionSpec[]>({ options }: Given): OptionsOf<Options> {
  return options as OptionsOf<Options>;
}
