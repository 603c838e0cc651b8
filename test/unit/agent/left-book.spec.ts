// What people left, here and on other devices, on real repositories.

import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { LeftBooks } from '../../../src/agent/left-book.ts';
import { listRefs } from '../../../src/git/refs.ts';
import { formatAutomatic } from '../../../src/git/automatic-format.ts';
import { Peers } from '../../../src/home/peers.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { formatLeft, isHeld, isLeft, mergeLeft, NO_LEFT, noteMove, parseLeft } from '../../../src/sync/left-format.ts';
import type { LeftBook } from '../../../src/sync/left-format.ts';
import { LEFT_REF } from '../../../src/sync/record-format.ts';
import { cornerIn, copyOf, openAgentRepo, refsBelow, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const MAIN = parseRefName('refs/heads/main');
const [own, friend, me] = [makeDeviceKey(), makeDeviceKey(), makeDeviceKey()];
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const two = commit(base, { a: '2' }, 'two');
const three = commit(base, { a: '3' }, 'three');

let agent: AgentRepo;
let books: LeftBooks;
let told: { readonly type: string; readonly words: string }[];
let clock: VirtualClock;

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base), { pins: [own, friend, me], me: me.device });
  [told, clock] = [[], new VirtualClock(1_700_000_000_000)];
  books = await open();
  await look();
});

async function open(): Promise<LeftBooks> {
  const peers = await Peers.open(`${makeFolder()}/peers.json`);
  await peers.add(makePeer('desktop', { device: own.device, spki: own.spki }));
  await peers.add(makePeer('bob', { device: friend.device, spki: friend.spki, kind: 'other' }));
  return new LeftBooks({ context: agent, peers, clock, events: { emit: (event) => void told.push(event) } });
}

/** Looks at the branches, and publishes what there is to tell. */
async function look(): Promise<Oid | undefined> {
  const refs = await listRefs(agent.runGit, agent.repository, ['refs/heads/']);
  await books.seen(refs);
  const book = await books.publish();
  const said = book === undefined ? refs : new Map([...refs, [LEFT_REF, book] as const]);
  await agent.maps.publish(me.device, said, { keyPem: me.keyPem, now: clock.now() });
  return book;
}

const reset = (oid: Oid): void => void git(agent.repo.dir, 'reset', '-q', '--hard', oid);
const amend = (): Oid => (git(agent.repo.dir, 'commit', '-q', '--amend', '-m', 'amended'), tipOf(agent.repo, 'main'));
const bookIn = (oid: Oid | undefined): LeftBook => parseLeft(Buffer.from(`${git(agent.repo.dir, 'cat-file', 'blob', oid ?? '')}\n`));
const leftIn = (book: LeftBook): Oid[] => [...(book.get(MAIN)?.keys() ?? [])].filter((oid) => isLeft(book, MAIN, oid)).toSorted();
const leftNow = async (): Promise<Oid[]> => leftIn(await books.counting());

let counter = 0;
/** Another device tells that book, or a blob that is none. */
async function tell(key: typeof own, book: LeftBook | Oid): Promise<void> {
  const oid = typeof book === 'string' ? book : await blob(Buffer.from(formatLeft(book)));
  await takeMap(agent, key, { counter: (counter += 1), refs: new Map([...refsOf({ main: one }), [LEFT_REF, oid]]) });
}

async function blob(input: Uint8Array): Promise<Oid> {
  return parseOid((await agent.runGit(['-C', agent.repo.dir, 'hash-object', '-w', '--stdin'], { input })).stdout.trim());
}

const saying = (left: readonly Oid[], stamp = 5): LeftBook => noteMove(NO_LEFT, { ref: MAIN, left, back: [], stamp });

describe('a person who moves a branch', () => {
  it('forward leaves nothing, and nothing is told', async () => {
    commit(agent.repo, { b: 'b' }, 'four');
    expect(await look()).toBeUndefined();
    expect(refsBelow(agent.repo, 'refs/xmpp/left')).toEqual({});
  });

  it('by an amend leaves the one commit', async () => {
    amend();
    expect(leftIn(bookIn(await look()))).toEqual([three]);
    expect(cornerIn(agent.repo, me.device)).toHaveProperty('left');
  });

  it('by a reset leaves all that the branch lost', async () => {
    reset(one);
    expect(leftIn(bookIn(await look()))).toEqual([two, three].toSorted());
  });

  it('is marked at the next look where somebody else has written the book meanwhile', async () => {
    reset(two);
    await look();
    git(agent.repo.dir, 'update-ref', '-d', 'refs/xmpp/left');
    reset(one);
    await expect(look()).rejects.toThrow('refs/xmpp/left');
    const told = await look();
    expect(leftIn(bookIn(told))).toEqual([two]);
    expect(refsBelow(agent.repo, 'refs/xmpp/left')).toEqual({ '': told });
  });

  it('gets back what it holds again, by going forward too', async () => {
    reset(one);
    await look();
    reset(two);
    await look();
    expect(await leftNow()).toEqual([three]);
    reset(three);
    expect(leftIn(bookIn(await look()))).toEqual([]);
  });

  it('stands where it was put, whoever left that', async () => {
    await tell(own, saying([two], clock.now() + 1000));
    reset(two);
    await look();
    expect(await leftNow()).toEqual([three]);
  });

  it('takes back what another device left', async () => {
    reset(one);
    books.moved(MAIN, one);
    await tell(own, saying([two], clock.now() + 1000));
    expect(await leftNow()).toEqual([two]);
    reset(two);
    await look();
    expect(await leftNow()).toEqual([]);
  });

  it('leaves no automatic merge', async () => {
    git(agent.repo.dir, 'checkout', '-q', '--detach', two);
    const side = commit(agent.repo, { b: 'b' }, 'side');
    git(agent.repo.dir, 'checkout', '-q', 'main');
    const input = formatAutomatic({ tree: tipOf(agent.repo, 'main^{tree}'), parents: [three, side].toSorted(), seconds: 1 });
    const merge = parseOid((await agent.runGit(['-C', agent.repo.dir, 'hash-object', '-t', 'commit', '-w', '--stdin'], { input })).stdout.trim());
    reset(merge);
    await look();
    reset(three);
    expect(leftIn(bookIn(await look()))).toEqual([side]);
  });

  it('is known from the agent, whose moves are nobody\'s', async () => {
    reset(one);
    books.moved(MAIN, one);
    expect(await look()).toBeUndefined();
  });

  it('while no agent ran is known from the map that was told last', async () => {
    reset(two);
    agent = await agent.reopen();
    books = await open();
    expect(leftIn(bookIn(await look()))).toEqual([three]);
  });
});

describe('other devices', () => {
  it('tell theirs, which is told onward with ours', async () => {
    await tell(own, saying([one]));
    expect(await books.hasNews()).toBe(true);
    reset(two);
    expect(leftIn(bookIn(await look()))).toEqual([one, three].toSorted());
    expect(await books.hasNews()).toBe(false);
  });

  it('of other accounts do not count, unless all may merge', async () => {
    await tell(friend, saying([two]));
    expect(await leftNow()).toEqual([]);
    books.use({ mergeFrom: 'all', rewrite: 'follow' });
    expect(await leftNow()).toEqual([two]);
  });

  it('do not count in joins where rewrites are asked about, and are told onward all the same', async () => {
    await tell(own, saying([two]));
    books.use({ mergeFrom: 'own', rewrite: 'ask' });
    expect(await leftNow()).toEqual([]);
    expect(leftIn(bookIn(await look()))).toEqual([two]);
  });

  it.each([
    ['is no book', () => blob(Buffer.from('nonsense\n'))],
    ['is too large', () => blob(Buffer.alloc((1 << 20) + 1, 0x61))],
    ['is no blob', () => Promise.resolve(one)],
  ])('that tell what %s are named once, and count as empty', async (_what, make) => {
    await tell(own, await make());
    expect(await leftNow()).toEqual([]);
    await look();
    expect(told.map(({ type }) => type)).toEqual(['left-book-refused']);
    expect(told[0]?.words).toContain('desktop');
  });
});

describe('a hub', () => {
  it('holds up nothing by a branch that is no commit', async () => {
    reset(two);
    await look();
    await books.held(refsOf({ main: await blob(Buffer.from('x')), side: three }), refsOf({ main: two }));
    expect(await leftNow()).toEqual([three]);
  });

  it('takes back what was left, for it will come again', async () => {
    reset(one);
    await look();
    await books.held(refsOf({ main: two }), refsOf({ main: one }));
    expect(await leftNow()).toEqual([three]);
    expect(await books.hasNews()).toBe(true);
  });

  it('takes back here too, under ask, what others have taken back before', async () => {
    reset(one);
    await look();
    const back = noteMove(bookIn(await look()), { ref: MAIN, left: [], back: [two, three], stamp: clock.now() + 5 });
    await tell(own, back);
    books.use({ mergeFrom: 'own', rewrite: 'ask' });
    expect(await leftNow()).toEqual([two, three].toSorted());
    await books.held(refsOf({ main: two }), refsOf({ main: one }));
    expect(await leftNow()).toEqual([three]);
    const { stamp } = back.get(MAIN)?.get(two) ?? {};
    expect((await books.counting()).get(MAIN)?.get(two)).toEqual({ stamp, isLeft: false });
  });

  it('keeps a merge that another git wrote otherwise here, for everybody', async () => {
    const parents = [one, two].toSorted((a, b) => (a < b ? -1 : 1));
    const write = (of: Oid): Oid => {
      const content = formatAutomatic({ tree: parseOid(git(agent.repo.dir, 'rev-parse', `${of}^{tree}`)), parents, seconds: 1_700_000_000 });
      const file = `${makeFolder()}/commit`;
      writeFileSync(file, content);
      return parseOid(git(agent.repo.dir, 'hash-object', '-t', 'commit', '-w', file));
    };
    const [ours, theirs] = [write(one), write(two)];
    await books.held(refsOf({ main: theirs }), refsOf({ main: theirs }));
    expect(isHeld(await books.counting(), MAIN, theirs)).toBe(false);
    await books.held(refsOf({ main: theirs }), refsOf({ main: ours }));
    expect(isHeld(await books.counting(), MAIN, theirs)).toBe(true);
    expect(isHeld(await books.counting(), MAIN, ours)).toBe(false);
    expect(isHeld(bookIn(await look()), MAIN, theirs)).toBe(true);
  });
});

describe('a merge that another git wrote otherwise', () => {
  it('is solid for everybody once a hub stands on it', async () => {
    git(agent.repo.dir, 'checkout', '-q', '--detach', two);
    const side = commit(agent.repo, { b: 'b' }, 'side');
    const parents = [three, side].toSorted();
    const made = async (tree: string): Promise<Oid> => {
      const input = formatAutomatic({ tree: tipOf(agent.repo, tree), parents, seconds: 1 });
      return parseOid((await agent.runGit(['-C', agent.repo.dir, 'hash-object', '-t', 'commit', '-w', '--stdin'], { input })).stdout.trim());
    };
    const [mine, hub] = [await made(`${three}^{tree}`), await made(`${side}^{tree}`)];
    await books.held(refsOf({ main: mine }), refsOf({ main: mine }));
    expect(isHeld(await books.counting(), MAIN, mine)).toBe(false);
    await books.held(refsOf({ main: hub }), refsOf({ main: mine }));
    expect(isHeld(await books.counting(), MAIN, hub)).toBe(true);
  });
});

describe('the book that is told', () => {
  it('does not name branches that are not shared', async () => {
    agent = await openAgentRepo(copyOf(base), { pins: [own, friend, me], me: me.device, shared: { branches: ['main'] } });
    git(agent.repo.dir, 'branch', 'secret', three);
    books = await open();
    await look();
    amend();
    git(agent.repo.dir, 'branch', '-f', 'secret', one);
    expect([...bookIn(await look()).keys()]).toEqual([MAIN]);
    expect([...(await books.counting()).keys()].toSorted()).toEqual([MAIN, 'refs/heads/secret']);
  });

  it('is the same whoever merges it', () => {
    const [a, b] = [saying([one], 1), saying([two], 2)];
    expect(formatLeft(mergeLeft(a, b))).toEqual(formatLeft(mergeLeft(b, a)));
  });
});
