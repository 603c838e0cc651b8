// The hubs of one repository, with a real bare one. What goes to and fro is in test/integration/hubs.spec.ts.

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import { Hubs } from '../../../src/agent/hubs.ts';
import { folderOf } from '../../../src/agent/hubs-format.ts';
import { listRefs } from '../../../src/git/refs.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { openAgentRepo, refsBelow } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

let agent: AgentRepo;
let there: { readonly dir: string; readonly gitDir: string };
let first: Oid;
let own: string;
let hubs: Hubs;

beforeEach(async () => {
  agent = await openAgentRepo(makeRepo());
  first = commit(agent.repo, { a: '1' }, 'one');
  const dir = makeFolder();
  there = { dir, gitDir: dir };
  own = `synced/${folderOf('laptop', agent.me)}/main`;
  git(dir, 'init', '-q', '--bare');
  git(agent.repo.dir, 'remote', 'add', 'backup', dir);
  git(agent.repo.dir, 'config', 'remote.backup.xmppSync', 'push');
  git(agent.repo.dir, 'push', '-q', 'backup', 'HEAD:refs/heads/main', `HEAD:refs/heads/${own}`);
  const around = { events: { emit: () => undefined }, clock: realClock, random: () => 0, mounts: { onChange: () => () => undefined } };
  const unasked = { takeOver: () => Promise.resolve(new Map()), forget: () => undefined, announce: () => undefined };
  hubs = new Hubs({ context: agent, deviceName: () => 'laptop', exchanges: new Exchanges(around.events), ...around, ...unasked });
});

afterEach(() => hubs.stop());

/** Tells what stands here, as a look at the branches does. */
const look = async (): Promise<void> => hubs.moved(await listRefs(agent.runGit, agent.repository, ['refs/heads/']));

describe('Hubs', () => {
  it('is asked for nothing, and loses nothing, before the branches here could be looked at', async () => {
    await hubs.start();
    await hubs.contact();
    expect(hubs.all).toEqual([]);
    const second = commit(agent.repo, { a: '2' }, 'two');
    await look();
    await until(() => refsBelow(there, 'refs/heads/')['main'] === second);
    expect(refsBelow(there, 'refs/heads/')).toEqual({ main: second, [own]: second });
    expect(first).not.toBe(second);
  });

  it('goes on after a git that was killed left a lock where it is written down what the hub holds', async () => {
    git(agent.repo.dir, 'config', 'remote.backup.xmppSync', 'both');
    const lock = join(agent.repo.gitDir, 'refs/xmpp/hubs/backup/heads/main.lock');
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, '');
    await hubs.start();
    await look();
    await until(() => hubs.all.some(({ machine }) => machine.trouble !== undefined));
    await until(() => hubs.all.every(({ machine }) => machine.isKnown && machine.trouble === undefined));
    expect(existsSync(lock)).toBe(false);
    expect(refsBelow(agent.repo, 'refs/xmpp/hubs/backup/heads/')['main']).toBe(first);
  });
});
