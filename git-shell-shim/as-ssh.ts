// git-xmpp-shell where git would run ssh: GIT_SSH, GIT_SSH_COMMAND, core.sshCommand (git-config(1), ssh.variant).
// Rule: a host that is no petname goes to the real ssh, same arguments and same pipes, whatever state the agent is in.

import { asFault, Fault } from '../src/lib/errors.ts';
import type { ControlClient } from '../src/control/client.ts';
import { parsePetname } from '../src/lib/names.ts';
import type { AgentDoor } from './agent-door.ts';
import { runProgram } from './program.ts';
import { openStream } from './open-stream.ts';
import { relay } from './relay.ts';
import { say, writeError } from './run-shim.ts';
import { parseProtocol, parseRepoPath, parseServiceCommand, parseSshArguments, type SshArguments } from './ssh-command.ts';
import type { Env } from './start-agent.ts';

export interface ShellContext {
  /** The program's name, before its words to people. */
  readonly name: string;
  readonly env: Env;
  /** Makes the way to the agent; it may fail where no home can be found. */
  readonly openDoor: () => AgentDoor;
}

/** Does what ssh(1) would do for these arguments. @returns the exit code */
export async function runAsSsh(args: readonly string[], context: ShellContext): Promise<number> {
  const asked = parseSshArguments(args);
  const door = asked === undefined ? undefined : await findDoor(asked, context);
  if (asked === undefined || door === undefined) return runProgram('ssh', args, { env: context.env });
  // Git only looks at the exit code: 0 means "an OpenSSH", and then it passes `-o SendEnv=GIT_PROTOCOL`.
  if (asked.isProbe) return 0;
  return carry(asked, door, context.env);
}

/** The door of the agent that has a peer of this name; undefined when the host is for the real ssh. */
async function findDoor({ host, isProbe }: SshArguments, context: ShellContext): Promise<AgentDoor | undefined> {
  if (!isPetname(host)) return undefined;
  try {
    const door = context.openDoor();
    if (!door.isSetUp) return undefined;
    // No agent is started to ask about what looks like a domain: a fetch from elsewhere must not wait for it.
    const mayStart = !host.includes('.');
    return (await door.ask((client) => hasPeer(client, host), { mayStart })) ? door : undefined;
  } catch (error) {
    const isWorthSaying = !isProbe && !host.includes('.');
    if (isWorthSaying) say(context.name, `${asFault(error, 'asking the agent').message}; ${host} is taken for an ssh host`);
    return undefined;
  }
}

async function carry({ host, command, isSendingProtocol }: SshArguments, door: AgentDoor, env: Env): Promise<number> {
  if (command === undefined) {
    throw new Fault('wrong-use', `${host} is a git-xmpp peer, which serves git and no shell`, {
      remedy: `try: git clone ${host}:<repo>`,
    });
  }
  const { service, path } = parseServiceCommand(command);
  const protocol = isSendingProtocol ? parseProtocol(env.GIT_PROTOCOL) : undefined;
  const fields = { peer: host, repo: parseRepoPath(path), service, ...(protocol === undefined ? {} : { protocol }) };
  return relay(await openStream(door, fields), { stdin: process.stdin, stdout: process.stdout, writeError });
}

async function hasPeer(client: ControlClient, petname: string): Promise<boolean> {
  return parsePetnames(await client.request('GET', '/peers')).includes(petname);
}

/** The petnames in the agent's answer to `GET /peers`. */
function parsePetnames(answer: unknown): string[] {
  if (typeof answer !== 'object' || answer === null || !('peers' in answer) || !Array.isArray(answer.peers)) return [];
  const peers: readonly unknown[] = answer.peers;
  return peers.flatMap((peer) =>
    typeof peer === 'object' && peer !== null && 'petname' in peer && typeof peer.petname === 'string' ? [peer.petname] : [],
  );
}

function isPetname(host: string): boolean {
  try {
    parsePetname(host);
    return true;
  } catch {
    return false;
  }
}
