// Maps on a real repository: signature, counter and corner always say the same.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../src/lib/base64.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { cornerRef } from '../../../src/agent/maps-format.ts';
import type { MapStore } from '../../../src/agent/maps.ts';
import { isMapSignedBy } from '../../../src/sync/map-format.ts';
import { copyOf, cornerIn, openAgentRepo, refsOf, signAs } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';

const me = makeDeviceKey();
const laptop = makeDeviceKey();
const NOW = 1_700_000_000_000;

const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const two = commit(base, { a: '2' }, 'two');

let agent: AgentRepo;
let maps: MapStore;

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base), { pins: [me, laptop] });
  ({ maps } = agent);
});

const publish = (refs: Readonly<Record<string, Oid>>, now = NOW): Promise<number | undefined> => maps.publish(me.device, refsOf(refs), { keyPem: me.keyPem, now });

/** What a push of the laptop leaves: its refs, and a statement about them. */
async function push(refs: Readonly<Record<string, Oid>>, said: { counter?: number; refs?: Readonly<Record<string, Oid>>; key?: typeof laptop } = {}): Promise<boolean> {
  for (const ref of Object.keys(cornerIn(agent.repo, laptop.device))) git(agent.repo.dir, 'update-ref', '-d', `refs/xmpp/${laptop.device}/${ref}`);
  for (const [name, oid] of refsOf(refs)) git(agent.repo.dir, 'update-ref', cornerRef(laptop.device, name), oid);
  const key = { ...laptop, keyPem: said.key?.keyPem ?? laptop.keyPem };
  const signed = signAs(key, agent, { counter: said.counter ?? 1, refs: refsOf(said.refs ?? refs) });
  return maps.acceptPushed(laptop.device, signed, laptop.spki);
}

function isGenuine(store: MapStore, key: typeof me): boolean {
  const signed = store.signed(key.device);
  if (signed === undefined) return false;
  const statement = { repo: agent.shared().id, device: key.device, counter: signed.counter, refs: store.refsOf(key.device) };
  return isMapSignedBy(statement, decodeBase64(signed.signature, 64), key.spki);
}

describe('MapStore', () => {
  it('holds signature and refs of one moment at every moment, while maps come in and go out', async () => {
    const took = (counter: number, refs: Readonly<Record<string, Oid>>): Promise<boolean> => {
      const said = { counter, refs: refsOf(refs) };
      return maps.acceptRecorded(laptop.device, signAs(laptop, agent, said), { refs: said.refs, spki: laptop.spki });
    };
    let isOver = false;
    const writing = Promise.all([took(1, { main: one }), publish({ main: one }), took(2, { main: two, topic: one }), publish({ main: two })]).finally(() => (isOver = true));
    while (!isOver) {
      for (const key of [me, laptop]) expect(maps.signed(key.device) === undefined || isGenuine(maps, key)).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await writing).toEqual([true, NOW, true, NOW + 1]);
  });
});

describe('MapStore.publish', () => {
  it('writes our corner and signs it', async () => {
    expect(await publish({ main: two, 'refs/tags/v1': one })).toBe(NOW);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two, 'tags/v1': one });
    expect(isGenuine(maps, me)).toBe(true);
    expect(maps.counters).toEqual(new Map([[me.device, NOW]]));
  });

  it('names the book of left commits beside branches and tags', async () => {
    await publish({ main: two, 'refs/xmpp/left': one });
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two, left: one });
    const { maps: again } = await agent.reopen();
    expect(again.refsOf(me.device)).toEqual(refsOf({ main: two, 'refs/xmpp/left': one }));
    expect(isGenuine(again, me)).toBe(true);
    await publish({ main: two }, NOW + 1);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two });
  });

  it('says again what the disk did not take', async () => {
    const stateDir = makeFolder();
    ({ maps } = agent = await openAgentRepo(copyOf(base), { pins: [me, laptop], stateDir }));
    await publish({ main: one });
    rmSync(stateDir, { recursive: true });
    await expect(publish({ main: two }, NOW + 1)).rejects.toThrow('maps.json');
    expect(maps.counters).toEqual(new Map([[me.device, NOW]]));
    mkdirSync(stateDir);
    expect(await publish({ main: two }, NOW + 2)).toBe(NOW + 2);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two });
    expect(isGenuine(maps, me)).toBe(true);
  });

  it('says nothing where nothing has changed', async () => {
    await publish({ main: two });
    expect(await publish({ main: two }, NOW + 5)).toBeUndefined();
  });

  it('counts on, though the clock stands still or goes back', async () => {
    await publish({ main: one });
    expect(await publish({ main: two })).toBe(NOW + 1);
    expect(await publish({ main: one }, 5)).toBe(NOW + 2);
    expect(await publish({ main: two }, NOW + 100)).toBe(NOW + 100);
  });

  it('counts on from a clock that was a year ahead and was set back, also after a restart', async () => {
    const YEAR = 365 * 86_400_000;
    expect(await publish({ main: one }, NOW + YEAR)).toBe(NOW + YEAR);
    expect(await publish({ main: two }, NOW)).toBe(NOW + YEAR + 1);
    const again = await agent.reopen();
    const signing = { keyPem: me.keyPem, now: NOW + 5 };
    expect(await again.maps.publish(me.device, refsOf({ main: one }), signing)).toBe(NOW + YEAR + 2);
  });

  it('says that a branch is gone, also the last one', async () => {
    await publish({ main: two, topic: one });
    await publish({ main: two });
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two });
    await publish({});
    expect(cornerIn(agent.repo, me.device)).toEqual({});
    expect(isGenuine(maps, me)).toBe(true);
  });

  it('says, in a repository without a commit, that there is nothing', async () => {
    expect(await publish({})).toBe(NOW);
    expect(await publish({})).toBeUndefined();
    expect(isGenuine(maps, me)).toBe(true);
  });

  it('follows a branch whose new name needs the place of the old one', async () => {
    await publish({ topic: one, main: two });
    expect(await publish({ 'topic/one': one, 'topic/two': two, main: one })).toBe(NOW + 1);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': one, 'heads/topic/one': one, 'heads/topic/two': two });
    expect(await publish({ topic: two })).toBe(NOW + 2);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/topic': two });
    expect(isGenuine(maps, me)).toBe(true);
  });

  it('takes back what somebody else wrote in our corner', async () => {
    await publish({ main: one });
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${me.device}/heads/main`, two);
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${me.device}/heads/stray`, two);
    expect(await publish({ main: two, topic: one })).toBe(NOW + 1);
    expect(cornerIn(agent.repo, me.device)).toEqual({ 'heads/main': two, 'heads/topic': one });
  });

  it('does one thing at a time', async () => {
    const counters = await Promise.all([publish({ main: one }), publish({ main: two }), publish({ main: two }), publish({ topic: one })]);
    expect(counters).toEqual([NOW, NOW + 1, undefined, NOW + 2]);
    expect(isGenuine(maps, me)).toBe(true);
  });
});

describe('MapStore.forget', () => {
  it('believes a device no more that is not paired, not even what was on its way, and again when it is', async () => {
    const pins = [me, laptop];
    agent = await openAgentRepo(copyOf(base), { pins });
    ({ maps } = agent);
    expect(await push({ main: one })).toBe(true);
    await maps.setActed(laptop.device, { 'refs/heads/main': one });
    pins.pop();
    await maps.forget(laptop.device);
    expect([maps.signed(laptop.device), maps.acted(laptop.device), maps.refsOf(laptop.device).size]).toEqual([undefined, {}, 0]);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main': one });
    expect(await push({ main: two }, { counter: 2 })).toBe(false);
    const refs = refsOf({ main: two });
    expect(await maps.acceptRecorded(laptop.device, signAs(laptop, agent, { counter: 3, refs }), { refs, spki: laptop.spki })).toBe(false);
    pins.push(laptop);
    expect(await push({ main: two }, { counter: 4 })).toBe(true);
  });
});

describe('MapStore.acceptPushed', () => {
  it('takes in at the next try what the disk did not take', async () => {
    const stateDir = makeFolder();
    ({ maps } = agent = await openAgentRepo(copyOf(base), { pins: [me, laptop], stateDir }));
    rmSync(stateDir, { recursive: true });
    await expect(push({ main: two })).rejects.toThrow('maps.json');
    expect(maps.signed(laptop.device)).toBeUndefined();
    mkdirSync(stateDir);
    expect(await push({ main: two })).toBe(true);
    expect(isGenuine(maps, laptop)).toBe(true);
  });

  it('holds what it held where the disk does not take what comes, and knows what was before that afterwards', async () => {
    const stateDir = makeFolder();
    ({ maps } = agent = await openAgentRepo(copyOf(base), { pins: [me, laptop], stateDir }));
    await push({ main: one }, { counter: 7 });
    rmSync(stateDir, { recursive: true });
    await expect(push({ main: two }, { counter: 8 })).rejects.toThrow('maps.json');
    expect(maps.refsOf(laptop.device)).toEqual(refsOf({ main: one }));
    mkdirSync(stateDir);
    expect(await push({ main: two }, { counter: 8 })).toBe(true);
    expect(maps.version(laptop.device, 7)).toEqual(refsOf({ main: one }));
    expect(isGenuine(maps, laptop)).toBe(true);
  });

  it('takes in a map that its device has signed', async () => {
    expect(await push({ main: one, 'refs/tags/v1': one }, { counter: 7 })).toBe(true);
    expect(maps.signed(laptop.device)?.counter).toBe(7);
    expect(maps.refsOf(laptop.device)).toEqual(refsOf({ main: one, 'refs/tags/v1': one }));
    expect(isGenuine(maps, laptop)).toBe(true);
  });

  it.each<[string, Parameters<typeof push>[1]]>([
    ['that says other refs', { counter: 8, refs: {} }],
    ['with an old counter', { counter: 7 }],
    ['with an older counter', { counter: 1 }],
    ['that another device signed', { counter: 8, key: makeDeviceKey() }],
  ])('puts the corner back after a push with a map %s', async (_name, said) => {
    await push({ main: one, topic: one, deep: two }, { counter: 7 });
    expect(await push({ main: two, 'deep/er': two, more: one }, said)).toBe(false);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main': one, 'heads/topic': one, 'heads/deep': two });
    expect(maps.signed(laptop.device)?.counter).toBe(7);
    expect(maps.refsOf(laptop.device)).toEqual(refsOf({ main: one, topic: one, deep: two }));
    expect(isGenuine(maps, laptop)).toBe(true);
  });

  it('leaves an empty corner behind a first push that was wrong', async () => {
    expect(await push({ main: one }, { refs: {} })).toBe(false);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({});
    expect(maps.counters.size).toBe(0);
  });

  it('says that a map is taken in which came by another way meanwhile', async () => {
    await push({ main: one }, { counter: 7 });
    const signed = signAs(laptop, agent, { counter: 7, refs: refsOf({ main: one }) });
    expect(await maps.acceptPushed(laptop.device, signed, laptop.spki)).toBe(true);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main': one });
  });

  it('refuses a signature that is none', async () => {
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/heads/main`, one);
    expect(await maps.acceptPushed(laptop.device, { counter: 1, signature: `${'A'.repeat(86)}==` }, laptop.spki)).toBe(false);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({});
  });
});

describe('MapStore.acceptRecorded', () => {
  const record = (refs: Readonly<Record<string, Oid>>, counter: number, key = laptop): Promise<boolean> =>
    maps.acceptRecorded(laptop.device, signAs({ ...laptop, keyPem: key.keyPem }, agent, { counter, refs: refsOf(refs) }), { refs: refsOf(refs), spki: laptop.spki });

  it('writes the corner and keeps the signature', async () => {
    expect(await record({ main: one }, 7)).toBe(true);
    expect(await record({ 'main/x': two }, 8)).toBe(true);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main/x': two });
    expect(isGenuine(maps, laptop)).toBe(true);
  });

  it('says that a map is taken in which came by another way meanwhile', async () => {
    const twice = await Promise.all([record({ main: one }, 7), record({ main: one }, 7)]);
    expect(twice).toEqual([true, true]);
  });

  it('refuses an old counter and a wrong signature, and changes nothing', async () => {
    await record({ main: one }, 7);
    expect(await record({ main: two }, 7)).toBe(false);
    expect(await record({ main: two }, 6)).toBe(false);
    expect(await record({ main: two }, 8, makeDeviceKey())).toBe(false);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main': one });
    expect(maps.signed(laptop.device)?.counter).toBe(7);
  });
});

describe('MapStore.open', () => {
  it('knows after a restart what it knew before', async () => {
    await publish({ main: two });
    await push({ main: one }, { counter: 7 });
    await maps.setActed(laptop.device, { 'refs/heads/main': one });
    const again = await agent.reopen();
    expect(again.maps.counters).toEqual(maps.counters);
    expect(again.maps.refsOf(laptop.device)).toEqual(refsOf({ main: one }));
    expect(again.maps.acted(laptop.device)).toEqual({ 'refs/heads/main': one });
    expect(await again.maps.publish(me.device, refsOf({ main: two }), { keyPem: me.keyPem, now: NOW + 9 })).toBeUndefined();
  });

  it('signs again after a crash between our corner and its signature', async () => {
    await publish({ main: one });
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${me.device}/heads/main`, two);
    const again = await agent.reopen();
    expect(await again.maps.publish(me.device, refsOf({ main: two }), { keyPem: me.keyPem, now: 5 })).toBe(NOW + 1);
    expect(isGenuine(again.maps, me)).toBe(true);
  });

  it('counts on where all our branches are gone', async () => {
    await publish({ main: one });
    git(agent.repo.dir, 'update-ref', '-d', `refs/xmpp/${me.device}/heads/main`);
    const again = await agent.reopen();
    expect(await again.maps.publish(me.device, refsOf({ main: two }), { keyPem: me.keyPem, now: 5 })).toBe(NOW + 1);
  });

  it('forgets a map whose corner was left half written, so that it is asked for anew', async () => {
    await push({ main: one }, { counter: 7 });
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/heads/main`, two);
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/heads/stray`, two);
    const again = await agent.reopen();
    expect(again.maps.counters.has(laptop.device)).toBe(false);
    expect(again.maps.refsOf(laptop.device)).toEqual(new Map());
    const refs = refsOf({ main: one });
    expect(await again.maps.acceptRecorded(laptop.device, signAs(laptop, agent, { counter: 7, refs }), { refs, spki: laptop.spki })).toBe(true);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({ 'heads/main': one });
  });

  it('keeps a map that says there is nothing', async () => {
    expect(await push({}, { counter: 7 })).toBe(true);
    expect((await agent.reopen()).maps.signed(laptop.device)?.counter).toBe(7);
  });

  it('forgets maps of another clone, whose corners are not here', async () => {
    await push({ main: one }, { counter: 7 });
    await maps.setActed(laptop.device, { 'refs/heads/main': one });
    const clone = await openAgentRepo(makeRepo(), { stateDir: agent.stateDir, pins: [me, laptop] });
    expect(clone.maps.counters.size).toBe(0);
    expect(clone.maps.acted(laptop.device)).toEqual({});
  });

  it('forgets the map of a device that is not paired any more', async () => {
    await push({ main: one }, { counter: 7 });
    const again = await openAgentRepo(agent.repo, { stateDir: agent.stateDir, pins: [me] });
    expect(again.maps.counters.size).toBe(0);
  });

  it.each(['{', '{"signed":{}}', '{"signed":{"x":{}},"acted":{}}', `{"signed":{},"acted":{"${'a'.repeat(32)}":{"refs/heads/x":7}}}`])(
    'names a file that is damaged: %s',
    async (text) => {
      const path = join(agent.stateDir, 'maps.json');
      writeFileSync(path, text, { mode: 0o600 });
      await expect(agent.reopen()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
    },
  );
});

describe('a push that wrote more than a map can name', () => {
  it('leaves nothing of it, and no name that blocks the branches to come', async () => {
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/heads`, one);
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/junk`, one);
    git(agent.repo.dir, 'update-ref', `refs/xmpp/${laptop.device}/left/x`, one);
    const signed = signAs(laptop, agent, { counter: 1, refs: refsOf({ main: one }) });
    expect(await maps.acceptPushed(laptop.device, signed, laptop.spki)).toBe(false);
    expect(cornerIn(agent.repo, laptop.device)).toEqual({});
    expect(await push({ main: one, 'refs/xmpp/left': one })).toBe(true);
  });
});
