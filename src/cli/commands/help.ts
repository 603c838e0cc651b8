// The commands that explain the others. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/help.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const HELP = command({
  name: 'help',
  group: 'Help',
  summary: 'how a command is used',
  description: ['All commands, or how one of them is used. `git help xmpp` is the manual.'],
  arguments: [{ name: 'command', isOptional: true, completes: 'command' }],
  examples: [
    { line: 'git xmpp help', says: 'all commands' },
    { line: 'git xmpp help share', says: 'one of them' },
  ],
  run: async ({ commands }, [name]) => (await import('../help.ts')).showHelp(commands, name),
});

export const HELP_COMMANDS: readonly CommandSpec[] = [HELP];
