// `git xmpp help`: all commands, one of them, or what can go wrong. Rule: the words are those of the tables.

import { entryOf, FAULT_CATALOGUE, isFaultCode } from '../lib/fault-catalogue.ts';
import type { CommandSpec } from './command.ts';
import { formatCommandHelp, formatErrorHelp, formatOverview } from './help-format.ts';
import { unknownCommand } from './program.ts';

/** The topic that lists every error. */
const ERRORS = 'errors';

/** @throws Fault `wrong-use` for what is neither a command nor an error */
export async function showHelp(commands: readonly CommandSpec[], topic: string | undefined): Promise<void> {
  process.stdout.write(textOf(commands, topic, process.stdout.columns));
}

function textOf(commands: readonly CommandSpec[], topic: string | undefined, columns: number | undefined): string {
  if (topic === undefined) return formatOverview(commands, columns);
  if (topic === ERRORS) return formatErrorHelp(Object.entries(FAULT_CATALOGUE), columns);
  const spec = commands.find(({ name, isHidden }) => name === topic && !isHidden);
  // A word may be both, such as "service".
  const texts = [spec === undefined ? '' : formatCommandHelp(spec, columns), isFaultCode(topic) ? formatErrorHelp([[topic, entryOf(topic)]], columns) : ''];
  const text = texts.filter((each) => each !== '').join('\nAs the code of an error\n');
  if (text === '') throw unknownCommand(topic, commands);
  return text;
}
