// What a peer is answered, by what it was granted; on a real repository.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Answers } from '../../../src/agent/answer.ts';
import type { AnswerParts } from '../../../src/agent/answer.ts';
import type { RepoLoop } from '../../../src/agent/loop.ts';
import { Peers } from '../../../src/home/peers.ts';
import type { Peer } from '../../../src/home/peers.ts';
import type { SharedRepo } from '../../../src/home/repos.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { parseOid } from '../../../src/lib/names.ts';
import type { Grant, RepoId } from '../../../src/lib/names.ts';
import type { Fact } from '../../../src/sync/engine.ts';
import { formatRecordedMap } from '../../../src/sync/record-format.ts';
import { copyOf, cornerIn, openAgentRepo, refsOf, signAs, takeMap } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { commit, makeFolder, makeRepo } from '../../helpers/repo.ts';

const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const OTHER = parseBareJid('berta@example.org');
/** Who asks, and whose maps it passes on. */
const asker = makeDeviceKey();
const carol = makeDeviceKey();

interface Scene {
  readonly answers: Answers;
  readonly context: AgentRepo;
  readonly told: Fact[];
  readonly contacts: Peer[];
  readonly events: string[];
}

/** A repository that `asker`, a device of another account, may do `grant` with. */
async function setScene(grant: Grant, options: { readonly paused?: SharedRepo } = {}): Promise<Scene> {
  const grants = { [OTHER]: grant };
  const context = await openAgentRepo(copyOf(base), { pins: [asker, carol], shared: { audience: [OTHER], grants } });
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  await peers.add(makePeer('asker', { device: asker.device, spki: asker.spki, kind: 'other', jid: OTHER }));
  await peers.add(makePeer('carol', { device: carol.device, spki: carol.spki }));
  const [told, contacts, events]: [Fact[], Peer[], string[]] = [[], [], []];
  const loop = {
    context,
    engine: { maps: context.maps.counters },
    tell: (fact: Fact) => Promise.resolve(void told.push(fact)),
  } as unknown as RepoLoop;
  const parts = {
    me: context.me,
    peers,
    loops: {
      all: () => [loop],
      byId: (id: RepoId) => (id === context.shared().id ? loop : undefined),
      standing: {
        why: (_peer: Peer, id: RepoId) => (options.paused?.id === id ? new Fault('paused', 'it is paused') : undefined),
        show: () => Promise.resolve([]),
      },
    },
    exchanges: { during: (_repo: unknown, _name: unknown, work: () => Promise<void>) => work() },
    slices: { taken: () => undefined },
    onContact: (peer: Peer) => contacts.push(peer),
    clock: realClock,
    events: { emit: ({ type }: { readonly type: string }) => events.push(type) },
  } as unknown as AnswerParts;
  return { answers: new Answers(parts), context, told, contacts, events };
}

/** Carol's map as it is told by name. */
function mapOf(context: AgentRepo, said: { readonly counter: number; readonly oid?: string; readonly base?: number; readonly key?: typeof carol }): unknown {
  const { counter, oid = one, base: builtOn = 0, key = carol } = said;
  const refs = refsOf({ main: oid });
  return formatRecordedMap({ device: key.device, base: builtOn, changes: refs, maybe: [], ...signAs(key, context, { counter, refs }) });
}

describe('a digest', () => {
  const digest = { version: 1, repos: [] };

  it.each([
    ['none', 0],
    ['read', 1],
    ['offer', 1],
  ] as const)('names a repository to whoever may %s: %i', async (grant, count) => {
    const { answers, contacts } = await setScene(grant);
    const answer = (await answers.digest(asker.device, digest)) as { repos: unknown[] };
    expect(answer.repos).toHaveLength(count);
    expect(contacts.map(({ device }) => device)).toEqual([asker.device]);
  });

  it('is refused to a device that is not paired any more', async () => {
    const { answers, contacts } = await setScene('write');
    expect(() => answers.digest(makeDeviceKey().device, digest)).toThrow(expect.objectContaining({ code: 'not-paired' }));
    expect(contacts).toEqual([]);
  });

  it('of a version to come is refused by its number, and told here', async () => {
    const { answers, contacts, events } = await setScene('write');
    expect(() => answers.digest(asker.device, { version: 2, repos: [] })).toThrow(/speaks only protocol version 1, this one 2/);
    expect(events).toEqual(['newer-version']);
    expect(contacts).toEqual([]);
  });
});

describe('a request for a repository', () => {
  const upload = 'git-upload-pack';
  const receive = 'git-receive-pack';

  it('that one may not read is answered as for one that does not exist', async () => {
    const { answers, context } = await setScene('none');
    const { id } = context.shared();
    const elsewhere = makeSharedRepo('elsewhere').id;
    const ask = (repo: RepoId): Promise<string> => answers.service(asker.device, repo, upload, undefined).then(() => 'answered', (error: Error) => error.message);
    expect(await ask(id)).toBe('no such repository');
    expect(await ask(id)).toBe(await ask(elsewhere));
    await expect(answers.map(asker.device, id, mapOf(context, { counter: 1 }))).rejects.toMatchObject({ code: 'no-such-repo' });
  });

  it('that one may only read is no offer, no slice, no pack and no push', async () => {
    const { answers, context, told } = await setScene('read');
    const { id } = context.shared();
    const { signature } = signAs(carol, context, { counter: 1, refs: refsOf({ main: one }) });
    const pack = { offset: 0, size: 1, tip: one, sha256: '0'.repeat(64) };
    const refused = { code: 'not-granted', message: expect.stringContaining('may read here, and that needs') as string };
    await expect(answers.map(asker.device, id, mapOf(context, { counter: 1 }))).rejects.toMatchObject(refused);
    await expect(answers.offer(asker.device, id, { device: carol.device, counter: 1, signature, bases: [] })).rejects.toMatchObject(refused);
    await expect(answers.partial(asker.device, id, { bases: [] })).rejects.toMatchObject(refused);
    await expect(answers.pack(asker.device, id, pack)).rejects.toMatchObject(refused);
    expect(() => answers.packState(asker.device, id, pack.sha256)).toThrow(expect.objectContaining({ code: 'not-granted' }));
    await expect(answers.service(asker.device, id, receive, undefined)).rejects.toMatchObject(refused);
    expect(told).toEqual([]);
    expect(cornerIn(context.repo, carol.device)).toEqual({});
  });

  it('that one may offer to is no push either', async () => {
    const { answers, context } = await setScene('offer');
    await expect(answers.service(asker.device, context.shared().id, receive, undefined)).rejects.toMatchObject({ code: 'not-granted' });
  });

  it('that is paused is refused in words', async () => {
    const paused = makeSharedRepo('paused');
    const { answers } = await setScene('write', { paused });
    await expect(answers.service(asker.device, paused.id, upload, undefined)).rejects.toMatchObject({ code: 'paused' });
  });
});

describe('a map by name', () => {
  it('is taken in where all it names is here, and considered', async () => {
    const { answers, context, told } = await setScene('offer');
    expect(await answers.map(asker.device, context.shared().id, mapOf(context, { counter: 1 }))).toBeUndefined();
    expect(cornerIn(context.repo, carol.device)).toEqual({ 'heads/main': one });
    expect(told).toEqual([{ type: 'accepted', device: carol.device, counter: 1, via: asker.device }]);
  });

  it('is asked for as a push where something is missing', async () => {
    const { answers, context, told } = await setScene('offer');
    const answer = await answers.map(asker.device, context.shared().id, mapOf(context, { counter: 1, oid: parseOid('ab'.repeat(20)) }));
    expect(answer).toEqual({ lacking: true, tips: [one] });
    expect(told).toEqual([]);
  });

  it('is asked for whole where it builds on another one than is held', async () => {
    const { answers, context } = await setScene('offer');
    expect(await answers.map(asker.device, context.shared().id, mapOf(context, { counter: 5, base: 4 }))).toMatchObject({ lacking: true });
    expect(cornerIn(context.repo, carol.device)).toEqual({});
  });

  it('that is held, or older, changes nothing: the sender has it too', async () => {
    const { answers, context, told } = await setScene('offer');
    await takeMap(context, carol, { counter: 5, refs: refsOf({ main: one }) });
    const older = mapOf(context, { counter: 4, oid: parseOid('ab'.repeat(20)) });
    expect(await answers.map(asker.device, context.shared().id, older)).toBeUndefined();
    expect(told).toEqual([{ type: 'accepted', device: carol.device, counter: 4, via: asker.device }]);
    expect(context.maps.signed(carol.device)?.counter).toBe(5);
  });

  it('counts for nothing with another signature', async () => {
    const { answers, context, told } = await setScene('offer');
    const forged = { ...(mapOf(context, { counter: 1 }) as object), signature: signAs(asker, context, { counter: 1, refs: refsOf({ main: one }) }).signature };
    await expect(answers.map(asker.device, context.shared().id, forged)).rejects.toMatchObject({ code: 'bad-input' });
    expect(told).toEqual([]);
    expect(cornerIn(context.repo, carol.device)).toEqual({});
  });

  it('of a device that is not paired here is refused', async () => {
    const { answers, context } = await setScene('offer');
    const stranger = makeDeviceKey();
    const refused = { code: 'no-such-peer' };
    await expect(answers.map(asker.device, context.shared().id, mapOf(context, { counter: 1, key: stranger }))).rejects.toMatchObject(refused);
  });
});

describe('an offer', () => {
  it('of a map that is held, or older, is refused before anything is pushed', async () => {
    const { answers, context } = await setScene('offer');
    await takeMap(context, carol, { counter: 5, refs: refsOf({ main: one }) });
    const { signature } = signAs(carol, context, { counter: 5, refs: refsOf({ main: one }) });
    for (const counter of [4, 5]) {
      const offered = answers.offer(asker.device, context.shared().id, { device: carol.device, counter, signature, bases: [] });
      await expect(offered).rejects.toMatchObject({ code: 'exists' });
    }
  });

  it('that builds on another map than is held is refused', async () => {
    const { answers, context } = await setScene('offer');
    const { signature } = signAs(carol, context, { counter: 5, refs: refsOf({ main: one }) });
    const offered = answers.offer(asker.device, context.shared().id, { device: carol.device, counter: 5, signature, bases: [], base: 3 });
    await expect(offered).rejects.toMatchObject({ code: 'bad-input' });
  });
});
