// The commands that explain the others. Rule: as src/cli/command.ts says, data; what a command does lies in src/cli/help.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

const HELP = command({
  name: 'help',
  group: 'Help',
  summary: 'how a command is used',
  description: [
    'All commands, or how one of them is used. With `errors`: what can go wrong, by its code, and what to do; with one code, that one. `git help xmpp` is the manual.',
  ],
  arguments: [{ name: 'topic', isOptional: true, completes: 'topic' }],
  examples: [
    { line: 'git xmpp help', says: 'all commands' },
    { line: 'git xmpp help share', says: 'one of them' },
    { line: 'git xmpp help peer-offline', says: 'what an error means' },
  ],
  run: async ({ commands }, [topic]) => (await import('../help.ts')).showHelp(commands, topic),
});

export const HELP_COMMANDS: readonly CommandSpec[] = [HELP];
