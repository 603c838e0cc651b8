// What is set for one repository, while it runs: a change counts at once, and a fault is told once.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Events } from '../../../src/agent/events.ts';
import { LeftBooks } from '../../../src/agent/left-book.ts';
import { OwnRefs } from '../../../src/agent/own-refs.ts';
import { RepoPolicies, syncedOf } from '../../../src/agent/policies.ts';
import { parseSynced } from '../../../src/agent/synced-format.ts';
import { Peers } from '../../../src/home/peers.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { openAgentRepo, refsOf } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeFolder } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

async function begin(): Promise<{ agent: AgentRepo; clock: VirtualClock; events: Events; policies: RepoPolicies; asked: () => number }> {
  const opened = await openAgentRepo();
  let asked = 0;
  const agent: AgentRepo = { ...opened, runGit: (args, options) => (asked += Number(args[0] === 'config'), opened.runGit(args, options)) };
  const clock = new VirtualClock();
  const events = new Events(clock, silentLog);
  return { agent, clock, events, policies: new RepoPolicies({ context: agent, events, clock }), asked: () => asked };
}

describe('RepoPolicies', () => {
  it('asks git again only when the file has changed, or after a while', async () => {
    const { agent, clock, policies, asked } = await begin();
    expect((await policies.read()).policy.merge).toBe('ff');
    expect((await policies.read()).policy.merge).toBe('ff');
    expect(asked()).toBe(1);
    git(agent.repo.dir, 'config', 'xmpp.merge', 'none');
    expect((await policies.read()).policy.merge).toBe('none');
    await clock.pass(6_000);
    await policies.read();
    expect(asked()).toBe(3);
  });

  it('tells a value that cannot be used once, whoever read it', async () => {
    const { agent, clock, events, policies } = await begin();
    git(agent.repo.dir, 'config', 'xmpp.merge', 'rebase');
    await policies.read();
    await clock.pass(6_000);
    await policies.read();
    policies.of(new Map([['xmpp.merge', ['rebase']]]));
    expect(events.recent).toMatchObject([{ type: 'bad-setting', repo: 'notes', words: 'xmpp.merge: "rebase" is none of ff, merge, none; the default holds' }]);
  });
});

describe('a branch that is not synced', () => {
  it('is told as it was when it stopped to be, and again when it is one more time', async () => {
    const { agent, events, policies } = await begin();
    const key = makeDeviceKey();
    const mine = { ...agent, me: key.device };
    const peers = await Peers.open(join(makeFolder(), 'peers.json'));
    const left = new LeftBooks({ context: mine, peers, events, clock: new VirtualClock() });
    const ownRefs = new OwnRefs(mine, { events, left, policies });
    const one = commit(agent.repo, { a: '1' }, 'one');
    git(agent.repo.dir, 'branch', 'wip');
    const publish = async (): Promise<void> => void (await agent.maps.publish(key.device, (await ownRefs.read()).shown, { keyPem: key.keyPem, now: 1 }));
    await publish();
    git(agent.repo.dir, 'config', 'xmpp.branches', 'main');
    const two = commit(agent.repo, { a: '2' }, 'two');
    git(agent.repo.dir, 'branch', '--force', 'wip', two);
    git(agent.repo.dir, 'branch', 'new');
    await publish();
    expect(agent.maps.refsOf(key.device)).toEqual(refsOf({ main: two, wip: one }));
    git(agent.repo.dir, 'config', '--unset', 'xmpp.branches');
    await publish();
    expect(agent.maps.refsOf(key.device)).toEqual(refsOf({ main: two, wip: two, new: two }));
  });

  it('of another device does not move, and is not taken for deleted', () => {
    const source = { refs: refsOf({ main: '1'.repeat(40), wip: '1'.repeat(40) }), acted: { 'refs/heads/main': '2'.repeat(40), 'refs/heads/gone': '2'.repeat(40) } };
    const seen = syncedOf(source, parseSynced(['main']));
    expect(seen).toEqual({ refs: refsOf({ main: '1'.repeat(40) }), acted: { 'refs/heads/main': '2'.repeat(40) } });
    expect(syncedOf(source, parseSynced([]))).toBe(source);
  });
});
