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

const COMPLETION = command({
  name: 'completion',
  group: 'Help',
  summary: 'completion for bash, zsh or fish',
  description: [
    'Prints the script that completes `git xmpp` and `git-xmpp` in a shell: commands, options, and the names of peers and repositories, which a running agent is asked for.',
    'bash: the line below in `~/.bashrc`, after git\'s own completion. zsh: into a folder of `$fpath`, before `compinit` is run. fish: into `conf.d`.',
  ],
  arguments: [{ name: 'shell', choices: ['bash', 'zsh', 'fish'] }],
  examples: [
    { line: 'source <(git xmpp completion bash)', says: 'bash: in ~/.bashrc' },
    { line: 'git xmpp completion zsh > ~/.zfunc/_git-xmpp', says: 'zsh: and fpath+=~/.zfunc before compinit in ~/.zshrc' },
    { line: 'git xmpp completion fish > ~/.config/fish/conf.d/git-xmpp.fish', says: 'fish: for every new shell' },
  ],
  run: async ({ commands }, [shell]) => (await import('../completion.ts')).printCompletion(commands, shell),
});

/** What the completions ask. */
const NAMES = command({
  name: 'names',
  group: 'Help',
  summary: 'names that a running agent knows',
  description: [],
  arguments: [{ name: 'kind', choices: ['peer', 'repo', 'peer/repo'] }, { name: 'typed', isOptional: true }],
  examples: [],
  isHidden: true,
  run: async ({ door }, [kind, typed]) => (await import('../completion.ts')).printNames(door, kind, typed ?? ''),
});

export const HELP_COMMANDS: readonly CommandSpec[] = [HELP, COMPLETION, NAMES];
