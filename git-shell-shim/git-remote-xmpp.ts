// git-remote-xmpp <remote> <url>: the remote helper behind xmpp::peer/repo (gitremote-helpers(7)).
// Rule: it knows only the agent's door; who the peer is and how it is reached is the agent's business.

import { Fault } from '../src/lib/errors.ts';
import { AgentDoor } from './agent-door.ts';
import { runHelper } from './helper.ts';
import { openStream } from './open-stream.ts';
import type { StreamFields } from './open-stream.ts';
import { relay } from './relay.ts';
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts';
import { runShim, writeError } from './run-shim.ts';
import type { Service } from './ssh-command.ts';

void runShim(main);

async function main(): Promise<number> {
  const [, entry = '', , url] = process.argv;
  if (url === undefined) {
    throw new Fault('wrong-use', 'is started by git, with a remote and a URL', { remedy: 'try: git clone xmpp::peer/repo' });
  }
  const { stdin, stdout } = process;
  const remote = parseRemoteUrl(url);
  const door = new AgentDoor(process.env, entry);
  return runHelper({
    stdin,
    stdout,
    connect: async (service) => {
      const opened = await openStream(door, fieldsOf(remote, service));
      return () => relay(opened, { stdin, stdout, writeError });
    },
  });
}

/** Git sets no GIT_PROTOCOL for a helper, so version 2, git's own default, is asked for here; pushes have no version 2. */
function fieldsOf({ peer, repo }: RemoteUrl, service: Service): StreamFields {
  return { peer, repo, service, ...(service === 'git-upload-pack' ? { protocol: 'version=2' } : {}) };
}
