// git-xmpp-shell: the GIT_SHELL shim. `git-xmpp-shell [ssh options] host command` where git runs ssh; `-c command`, or
// SSH_ORIGINAL_COMMAND and no argument, as a login shell. Rule: it only tells the two apart, and gives nobody a shell.

import { hostname } from 'node:os';
import { Fault } from '../src/lib/errors.ts';
import { AgentDoor } from './agent-door.ts';
import { serveCommand } from './as-login-shell.ts';
import { runAsSsh } from './as-ssh.ts';
import { runShim } from './run-shim.ts';

const NAME = 'git-xmpp-shell';

void runShim(main);

async function main(): Promise<number> {
  const { env } = process;
  const [, entry = '', ...args] = process.argv;
  const openDoor = (): AgentDoor => new AgentDoor(env, entry);
  // `-c` is also an option of ssh(1), but there a host follows it.
  const command = args[0] === '-c' && args.length === 2 ? args[1] : args.length === 0 ? env.SSH_ORIGINAL_COMMAND : undefined;
  if (command !== undefined) return serveCommand(command, { env, door: openDoor() });
  if (args.length > 0) return runAsSsh(args, { name: NAME, env, openDoor });
  throw noShell(env.USER ?? env.LOGNAME ?? 'somebody');
}

function noShell(user: string): Fault {
  return new Fault('wrong-use', `you are ${user} on ${hostname()}, which serves git over ssh here and gives no shell`, {
    remedy: `try: git clone ${user}@${hostname()}:<repo>`,
  });
}
