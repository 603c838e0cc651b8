// What the three shells' completions have in common: what may stand where, from the table. Rule: nothing is offered that the table has not.

import { FAULT_CATALOGUE } from '../lib/fault-catalogue.ts';
import type { ArgumentSpec, CommandSpec, Completed, OptionSpec } from './command.ts';
import { plain } from './help-format.ts';

/** What may stand at a place: one of these words, what the running agent names, something in the file system, or anything. */
export type Offered =
  | { readonly from: 'words'; readonly words: readonly string[] }
  | { readonly from: 'agent'; readonly kind: Extract<Completed, 'peer' | 'repo' | 'peer/repo'> }
  | { readonly from: 'files'; readonly isFolder: boolean }
  | undefined;

/** The commands that people see. */
export function shownCommands(commands: readonly CommandSpec[]): readonly CommandSpec[] {
  return commands.filter(({ isHidden }) => !isHidden);
}

/** What may stand at the place of a word, or of an option's value. */
export function offeredFor({ choices, completes }: Pick<ArgumentSpec & OptionSpec, 'choices' | 'completes'>, commands: readonly CommandSpec[]): Offered {
  if (choices !== undefined) return { from: 'words', words: choices };
  switch (completes) {
    case undefined:
      return undefined;
    case 'file':
    case 'folder':
      return { from: 'files', isFolder: completes === 'folder' };
    case 'topic':
      return { from: 'words', words: [...new Set([...shownCommands(commands).map(({ name }) => name), 'errors', ...Object.keys(FAULT_CATALOGUE)])] };
    default:
      return { from: 'agent', kind: completes };
  }
}

/** A description of a few words: the first sentence, without marks. */
export function brief(prose: string): string {
  return plain(prose).split(/[.;](?:\s|$)/, 1)[0] ?? '';
}

/** A word of sh, bash and zsh that is taken as it is. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
