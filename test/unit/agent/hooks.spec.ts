// Hooks of a repository, with real programs. Rule: only this machine's configuration names one.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Events } from '../../../src/agent/events.ts';
import { GATHER_MS } from '../../../src/agent/hooks-machine.ts';
import { Hooks } from '../../../src/agent/hooks.ts';
import { RepoPolicies } from '../../../src/agent/policies.ts';
import { Peers } from '../../../src/home/peers.ts';
import { runProgram } from '../../../src/home/program.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';
import { createLog, silentLog } from '../../../src/lib/log.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { git, makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];

interface World {
  readonly agent: AgentRepo;
  readonly events: Events;
  readonly hooks: Hooks;
  readonly log: string[];
  /** Where the hooks of these specs write. */
  readonly out: string;
  readonly set: (event: string, command: string) => void;
}

async function begin(clock: Clock = realClock): Promise<World> {
  const agent = await openAgentRepo();
  const events = new Events(realClock, silentLog);
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  await peers.add(makePeer('laptop'));
  const log: string[] = [];
  const policies = new RepoPolicies({ context: agent, events, clock: realClock });
  const env = { PATH: process.env['PATH'], HOME: '/nowhere', GIT_DIR: '/wrong', GIT_XMPP_HOME: '/the/home' };
  const hooks = new Hooks({ events, loops: () => [{ context: agent, policies }], peers, clock, log: createLog((line) => log.push(line), 'debug', () => 0), env, run: runProgram });
  return { agent, events, hooks, log, out: join(makeFolder(), 'out'), set: (event, command) => void git(agent.repo.dir, 'config', `xmpp.hook.${event}`, command) };
}

async function textOf(file: string): Promise<string> {
  await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('end\n'));
  return readFileSync(file, 'utf8');
}

describe('Hooks', () => {
  it('run where branches moved, once for all of them, in the repository', async () => {
    const { agent, events, out, set } = await begin();
    set('changed', `{ pwd; env | grep ^GIT_; echo end; } > '${out}'`);
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes', ref: 'refs/heads/main', from: ONE, to: TWO });
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes', ref: 'refs/heads/new', from: undefined, to: TWO });
    const lines = (await textOf(out)).split('\n');
    expect(lines[0]).toBe(agent.repo.dir);
    expect(lines).toEqual(expect.arrayContaining([
      `GIT_XMPP_REPO=${agent.repo.dir}`,
      'GIT_XMPP_REPO_NAME=notes',
      'GIT_XMPP_PEER=laptop',
      'GIT_XMPP_EVENT=changed',
      `GIT_XMPP_REFS=${ONE} ${TWO} refs/heads/main`,
      'GIT_XMPP_HOME=/the/home',
    ]));
    expect(lines).not.toContain('GIT_DIR=/wrong');
  });

  it('are told of conflicts with their files, and of a peer that went', async () => {
    const { events, out, set } = await begin();
    set('conflict', `{ echo "$GIT_XMPP_PATHS"; echo end; } > '${out}.conflict'`);
    set('offline', `{ echo "$GIT_XMPP_PEER"; echo end; } > '${out}.offline'`);
    events.emit({ type: 'conflict', words: '', peer: 'laptop', repo: 'notes', ref: 'refs/heads/main', paths: ['a.txt', 'b c.txt'] });
    events.emit({ type: 'offline', words: '', peer: 'laptop' });
    expect(await textOf(`${out}.conflict`)).toBe('a.txt\nb c.txt\nend\n');
    expect(await textOf(`${out}.offline`)).toBe('laptop\nend\n');
  });

  it('say in the log what they say, and in an event how they failed', async () => {
    const { events, log, set } = await begin();
    set('changed', 'echo "all is well"; exit 4');
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes' });
    await until(() => events.recent.some(({ type }) => type === 'hook-failed'));
    expect(events.recent.at(-1)).toMatchObject({ repo: 'notes', words: 'xmpp.hook.changed ended with exit code 4; what it said is in the log' });
    expect(log.join('\n')).toContain('xmpp.hook.changed repo=notes said="all is well"');
  });

  it('are ended after the time that is set', async () => {
    const { agent, events, set } = await begin();
    set('changed', 'sleep 1000');
    git(agent.repo.dir, 'config', 'xmpp.hookTimeout', '1s');
    events.emit({ type: 'moved', words: '', repo: 'notes' });
    await until(() => events.recent.some(({ type }) => type === 'hook-failed'));
    expect(events.recent.at(-1)?.words).toBe('xmpp.hook.changed was ended after 1s (xmpp.hookTimeout)');
  });

  it('are nothing where none is set, and for events of others', async () => {
    const clock = new VirtualClock();
    const { events, hooks } = await begin(clock);
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes' });
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'other' });
    events.emit({ type: 'offline', words: '', peer: 'nobody' });
    await clock.pass(GATHER_MS);
    await hooks.stop();
    expect(events.recent.map(({ type }) => type)).toEqual(['moved', 'moved', 'offline']);
  });

  it('end with the agent, and none begins after', async () => {
    const { events, hooks, out, set } = await begin();
    set('changed', `echo end > '${out}'; exec sleep 1000`);
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes' });
    await textOf(out);
    events.emit({ type: 'moved', words: '', peer: 'laptop', repo: 'notes' });
    await hooks.stop();
    expect(events.recent.filter(({ type }) => type === 'hook-failed')).toEqual([]);
  });
});
