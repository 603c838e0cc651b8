// All commands of `git xmpp`, in the order in which they are shown. Rule: a command that is not here does not exist.

import type { CommandSpec } from './command.ts';
import { ACCOUNT_COMMANDS } from './commands/account.ts';
import { AGENT_COMMANDS } from './commands/agent.ts';
import { CONTROL_COMMANDS } from './commands/control.ts';
import { DEVICE_COMMANDS } from './commands/devices.ts';
import { HELP_COMMANDS } from './commands/help.ts';
import { REPOSITORY_COMMANDS } from './commands/repositories.ts';

export const COMMANDS: readonly CommandSpec[] = [...ACCOUNT_COMMANDS, ...DEVICE_COMMANDS, ...REPOSITORY_COMMANDS, ...AGENT_COMMANDS, ...CONTROL_COMMANDS, ...HELP_COMMANDS];
