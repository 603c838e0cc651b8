// The command of the service. Rule: as src/cli/command.ts says, data; what it does lies in src/cli/service.ts.

import { command } from '../command.ts';
import type { CommandSpec } from '../command.ts';

export const SERVICE: CommandSpec = command({
  name: 'service',
  group: 'The agent',
  summary: 'have the agent run by itself, from sign-in on',
  description: [
    '`install` writes a unit for systemd\'s user manager (on macOS, where it is untried, an agent of launchd) and runs it: the agent begins when you sign in, and again after a crash or an upgrade. Commands that need the agent then start the service. Done again, it changes nothing, or what has changed: run it after you moved git-xmpp or Node, or when git needs another PATH.',
    'A user\'s services end when the user signs out. `loginctl enable-linger` has them run from boot on.',
    '`status` says whether it is installed, enabled, active and lingering, and what to do. `uninstall` stops it and leaves no file of it. Remove it before you remove the package.',
    'Its log is in the journal: `journalctl --user --unit git-xmpp`. Each home has a service of its own: that of another GIT_XMPP_HOME has a name that `status` shows.',
    'The agent, and what it starts (git, ssh, hooks), can gain no privileges by sudo or the like; it is not shut off from any folder. A hook that needs them asks another service.',
  ],
  arguments: [{ name: 'action', choices: ['install', 'uninstall', 'status'] }],
  examples: [
    { line: 'git xmpp service install', says: 'from now on it runs by itself' },
    { line: 'git xmpp service status', says: 'how it stands' },
    { line: 'git xmpp service uninstall', says: 'before the package is removed' },
  ],
  exits: [{ code: 1, says: 'With `status`: it is not installed, or does not run as it should.' }],
  run: async ({ door, world }, [action]) => (await import('../service.ts')).service(door(), world, action),
});
