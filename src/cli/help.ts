// `git xmpp help`: all commands, or one of them. Rule: the words are those of the table.

import { Fault } from '../lib/errors.ts';
import type { CommandSpec } from './command.ts';
import { formatCommandHelp, formatOverview } from './help-format.ts';

/** @throws Fault `wrong-use` for a command that is not there */
export async function showHelp(commands: readonly CommandSpec[], name: string | undefined): Promise<void> {
  const { columns } = process.stdout;
  const spec = commands.find((each) => each.name === name && !each.isHidden);
  if (name !== undefined && spec === undefined) throw new Fault('wrong-use', `there is no command "${name}"`, { remedy: 'git xmpp help lists them' });
  process.stdout.write(spec === undefined ? formatOverview(commands, columns) : formatCommandHelp(spec, columns));
}
