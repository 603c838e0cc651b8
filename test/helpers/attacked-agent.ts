// An agent of romeo's that shares one repository with juliet and keeps another for itself, and juliet's device in the hands of an attacker.
// Rule: the agent is a real one; all that an attack could change of the shared repository can be looked at.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { loadIdentity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { Repos } from '../../src/home/repos.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import { parseRepoId } from '../../src/lib/names.ts';
import type { RepoId } from '../../src/lib/names.ts';
import { Device } from './device.ts';
import { HostilePeer } from './hostile-peer.ts';
import { familyOf } from './memory.ts';
import { playDevice } from './played-device.ts';
import type { Played } from './played-device.ts';
import { startProsody } from './prosody.ts';

const PASSWORDS = { romeo: 'r-secret', juliet: 'j-secret' };

export interface Seen {
  /** Files of the git folder; those of refs with what they hold. */
  readonly refs: Readonly<Record<string, string>>;
  readonly objects: readonly string[];
  readonly files: readonly string[];
  readonly config: string;
  readonly pid: number;
}

/** All that an attack could change: refs, objects, files of the git folder, and which process it is. Read without git, which would cost more than the attacks. */
function lookAt(romeo: Device, play: string): Seen {
  const gitDir = path.join(play, '.git');
  const all = readdirSync(gitDir, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const names = all.map((entry) => path.relative(gitDir, path.join(entry.parentPath, entry.name))).toSorted();
  const isRef = (name: string): boolean => /^(?:refs\/|packed-refs$|HEAD$)/.test(name);
  return {
    refs: Object.fromEntries(names.filter(isRef).map((name) => [name, readFileSync(path.join(gitDir, name), 'utf8').trim()])),
    objects: names.filter((name) => name.startsWith('objects/')),
    files: names.filter((name) => !isRef(name) && !/^(?:objects|logs\/refs\/(?:xmpp|remotes))\//.test(name)),
    config: readFileSync(path.join(gitDir, 'config'), 'utf8'),
    pid: romeo.agentPid(),
  };
}

export interface Attacked {
  readonly romeo: Device;
  readonly eve: HostilePeer;
  /** The shared repository; juliet may read it. */
  readonly play: string;
  /** The id of the other one. */
  readonly secret: RepoId;
  readonly look: () => Seen;
  /** How many processes the agent has started that run. */
  readonly serving: () => number;
  stop(): Promise<void>;
}

/** @param handlers what juliet's device answers when it is asked */
export async function startAttacked(handlers: Played['handlers'] = {}): Promise<Attacked> {
  const started: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    const server = await startProsody({ accounts: PASSWORDS, hasProxy: false });
    started.push(() => server.stop());
    const [romeo, juliet] = [await new Device('romeo').prepare(), await new Device('juliet').prepare()];
    for (const device of [romeo, juliet]) {
      started.push(() => device.remove());
      await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
    }
    await romeo.login(server, 'romeo', PASSWORDS.romeo);
    await juliet.login(server, 'juliet', PASSWORDS.juliet);
    const invite = (await romeo.xmpp('pair', '--invite')).stdout.trim();
    await juliet.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
    await romeo.statusWhen(({ peers }) => peers.length === 1);
    const play = await romeo.repo('play');
    await romeo.xmppIn(play, 'share', '--with', 'juliet@localhost', '--read');
    await romeo.xmppIn(await romeo.repo('diary'), 'share');
    const ids = new Map((await Repos.open(path.join(romeo.home, 'repos.json'))).list().map(({ name, id }) => [name, id]));
    await juliet.stop();
    const played = await playDevice(juliet, { server, account: 'juliet', password: PASSWORDS.juliet, handlers });
    started.push(() => played.stop());
    const { spki } = await loadIdentity(findHome(romeo.env), { name: romeo.name });
    const address = parseFullJid((await romeo.status()).account.address ?? '');
    const eve = new HostilePeer(played, { address, pin: spki, repo: parseRepoId(ids.get('play') ?? '') });
    const secret = parseRepoId(ids.get('diary') ?? '');
    return { romeo, eve, play, secret, look: () => lookAt(romeo, play), serving: () => familyOf(romeo.agentPid()).length, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
