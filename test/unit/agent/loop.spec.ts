// The loop of one repository, with a peer over a real link.

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RepoLoop } from '../../../src/agent/loop.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { makeAgentPair, makeNearLoop } from '../../helpers/agent-pair.ts';
import type { AgentPair, AgentPairOptions } from '../../helpers/agent-pair.ts';
import { copyOf, cornerIn, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeRepo, tipOf } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const LONG_MS = 120_000;
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');

async function begin(options: Partial<AgentPairOptions> = {}): Promise<{ pair: AgentPair; loop: RepoLoop }> {
  const pair = await makeAgentPair({ near: copyOf(base), far: copyOf(base), ...options });
  const loop = await makeNearLoop(pair);
  await loop.tell({ type: 'granted', peer: pair.world.far.device, isGranted: true });
  return { pair, loop };
}

describe('RepoLoop', () => {
  it('tells a peer what moved, and is settled when it has it', async () => {
    const { pair, loop } = await begin();
    const two = commit(pair.near.repo, { a: '2' }, 'two');
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    await loop.settled(LONG_MS);
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': two });
    await until(() => tipOf(pair.far.repo, 'main') === two);
    const asked = pair.asked.length;
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: pair.loop.engine.maps });
    await loop.settled(LONG_MS);
    expect(pair.asked).toHaveLength(asked);
  });

  it('offers what was committed while an offer was under way', async () => {
    const { pair, loop } = await begin();
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    const two = commit(pair.near.repo, { a: '2' }, 'two');
    await loop.look();
    await loop.settled(LONG_MS);
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': two });
  });
});

describe('what came from a peer', () => {
  it('is not sent back to it, though its own map is further on by now', async () => {
    let carried = 0;
    const { pair, loop } = await begin({ carrier: { block: 4096, onBytes: (total) => (carried = total) } });
    const { near, far } = pair.world;
    await loop.look();
    await loop.tell({ type: 'contact', peer: far.device, maps: new Map() });
    await loop.settled(LONG_MS);
    const theirs = commit(pair.far.repo, { large: randomBytes(300_000) }, 'theirs');
    git(pair.near.repo.dir, 'pull', '--quiet', pair.far.repo.dir, 'main');
    await takeMap(pair.near, far, { counter: 5, refs: refsOf({ main: theirs }) });
    await loop.tell({ type: 'accepted', device: far.device, counter: 5, via: far.device });
    await loop.tell({ type: 'contact', peer: far.device, maps: new Map([...pair.loop.engine.maps, [far.device, 9]]) });
    const before = carried;
    const ours = commit(pair.near.repo, { b: randomBytes(60_000) }, 'ours');
    await loop.look();
    await loop.settled(LONG_MS);
    expect(cornerIn(pair.far.repo, near.device)).toEqual({ 'heads/main': ours });
    expect(carried - before).toBeLessThan(120_000);
  });
});

describe('a map that both have', () => {
  it('is not offered back to whoever offers it', async () => {
    const carol = makeDeviceKey();
    const { pair, loop } = await begin({ others: [carol] });
    const { near, far } = pair.world;
    for (const side of [pair.near, pair.far]) await takeMap(side, carol, { counter: 5, refs: refsOf({ main: one }) });
    await pair.loop.tell({ type: 'granted', peer: near.device, isGranted: true });
    await pair.loop.tell({ type: 'accepted', device: carol.device, counter: 5, via: far.device });
    await pair.loop.tell({ type: 'contact', peer: near.device, maps: new Map() });
    await loop.tell({ type: 'accepted', device: carol.device, counter: 5, via: near.device });
    await loop.tell({ type: 'contact', peer: far.device, maps: new Map() });
    await loop.settled(LONG_MS);
    await until(() => pair.loop.engine.held(near.device).get(carol.device) === 5);
    expect(pair.loop.engine.owed(near.device)).not.toContain(carol.device);
  });
});

describe('a change of what is set', () => {
  it('lets move what was held back, at the next look', async () => {
    const { pair, loop } = await begin();
    for (const [key, value] of [['xmpp.merge', 'none'], ['xmpp.branches', 'other']] as const) git(pair.far.repo.dir, 'config', key, value);
    const two = commit(pair.near.repo, { a: '2' }, 'two');
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    await loop.settled(LONG_MS);
    await until(() => cornerIn(pair.far.repo, pair.world.near.device)['heads/main'] === two);
    await pair.loop.look();
    expect([tipOf(pair.far.repo, 'main'), pair.loop.considering.waiting]).toEqual([one, []]);
    git(pair.far.repo.dir, 'config', '--unset', 'xmpp.branches');
    await pair.loop.look();
    expect([tipOf(pair.far.repo, 'main'), pair.loop.considering.waiting]).toMatchObject([one, [{ why: 'policy' }]]);
    git(pair.far.repo.dir, 'config', '--unset', 'xmpp.merge');
    await pair.loop.look();
    expect([tipOf(pair.far.repo, 'main'), pair.loop.considering.waiting]).toEqual([two, []]);
  });
});

describe('RepoLoop.settled', () => {
  it('waits for nothing that a peer has refused', async () => {
    const { pair, loop } = await begin({ peer: { kind: 'other', jid: parseBareJid('bob@example.net') } });
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    await loop.settled(LONG_MS);
    expect(pair.asked).toEqual(['map']);
    expect(loop.engine.owed(pair.world.far.device)).toEqual([pair.world.near.device]);
  });

  it('serves all who wait', async () => {
    const { pair, loop } = await begin();
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    await Promise.all([loop.settled(LONG_MS), loop.settled(LONG_MS), loop.settled(LONG_MS)]);
    expect(cornerIn(pair.far.repo, pair.world.near.device)).toEqual({ 'heads/main': one });
  });

  it('waits no longer than it is told to', async () => {
    const { pair, loop } = await begin();
    pair.world.acceptor.accept = () => undefined;
    await loop.look();
    await loop.tell({ type: 'contact', peer: pair.world.far.device, maps: new Map() });
    await loop.settled(20);
    expect(loop.engine.isOffering(pair.world.far.device)).toBe(true);
  });
});
