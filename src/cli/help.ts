// `git xmpp help`: all commands, one of them, or what can go wrong. Rule: the words are those of the tables.

import { entryOf, FAULT_CATALOGUE, isFaultCode } from '../lib/fault-catalogue.ts';
import type { CommandSpec } from './command.ts';
import { formatCommandHelp, formatErrorHelp, formatOverview } from './help-format.ts';
import { unknownCommand } from './program.ts';

/** The topic that lists every error. */
export const ERRORS = 'errors';

/** @throws Fault `wrong-use` for what is neither a command nor an error */
export async function showHelp(commands: readonly CommandSpec[], topic: string | undefined): Promise<void> {
  process.stdout.write(textOf(commands, topic, process.stdout.columns));
}

function textOf(commands: readonly CommandSpec[], topic: string | undefined, columns: number | undefined): string {
  if (topic === undefined) return formatOverview(commands, columns);
  const spec = commands.find(({ name, isHidden }) => name === topic && !isHidden);
  if (spec !== undefined) return formatCommandHelp(spec, columns);
  if (topic === ERRORS) return formatErrorHelp(Object.entries(FAULT_CATALOGUE), columns);
  if (isFaultCode(topic)) return formatErrorHelp([[topic, entryOf(topic)]], columns);
  throw unknownCommand(topic, commands);
}
