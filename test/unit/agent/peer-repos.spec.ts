// What a peer shows: asked over a real link, and parsed strictly.

import { beforeEach, describe, expect, it } from 'vitest';
import { askRepos, findPeerRepo, formatShownRepo, parsePeerRepos } from '../../../src/agent/peer-repos.ts';
import type { PeerRepo } from '../../../src/agent/peer-repos.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Links } from '../../../src/link/links.ts';
import { MAX_REPOS } from '../../../src/sync/digest-format.ts';
import type { SharedRepo } from '../../../src/home/repos.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import { FAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const OID = '1'.repeat(40);
const NOTES = { repo: makeSharedRepo('notes').id, name: 'notes', roots: [OID] };
const EMPTY = { repo: makeSharedRepo('empty').id, name: 'empty', roots: [] };

let world: LinkWorld;
let links: Links;
let answer: unknown;

beforeEach(() => {
  answer = { repos: [NOTES, EMPTY] };
  world = new LinkWorld({ handlers: { repos: () => Promise.resolve(answer) } });
  links = new Links({
    dial: () => world.dial(),
    findAddress: () => Promise.resolve(FAR_ADDRESS),
    nameOf: () => 'laptop',
    lastSeen: () => '',
    onUp: () => undefined,
    onDown: () => undefined,
    clock: realClock,
    log: silentLog,
  });
});

function find(name: string): Promise<PeerRepo> {
  const { device, spki } = world.far;
  return findPeerRepo(links, realClock, { peer: makePeer('laptop', { device, spki }), name });
}

describe('askRepos', () => {
  it('gives what the peer shows', async () => {
    expect(await askRepos(links, realClock, world.far.device)).toEqual([NOTES, EMPTY]);
  });

  it('refuses nonsense from the peer', async () => {
    answer = { repos: [{ ...NOTES, roots: ['main'] }] };
    await expect(askRepos(links, realClock, world.far.device)).rejects.toMatchObject({ code: 'bad-input' });
  });
});

describe('findPeerRepo', () => {
  it('finds a repository by the name it has there', async () => {
    expect(await find('empty')).toEqual(EMPTY);
  });

  it('names what there is where the name is another', async () => {
    await expect(find('Notes')).rejects.toMatchObject({
      code: 'no-such-repo',
      message: 'laptop shows no repository "Notes"',
      remedy: 'it shows: notes, empty',
    });
  });

  it('says how to share one where there is none', async () => {
    answer = { repos: [] };
    await expect(find('notes')).rejects.toMatchObject({ code: 'no-such-repo', remedy: 'share it there: git xmpp share' });
  });
});

describe('formatShownRepo', () => {
  const shown = async (repo: TestRepo, shared: Partial<SharedRepo> = {}): Promise<PeerRepo | undefined> =>
    parsePeerRepos({ repos: [await formatShownRepo(await openAgentRepo(repo, { shared }), makePeer('laptop'))] })[0];

  it('tells what a clone checks out, and about how much it receives', async () => {
    const repo = makeRepo();
    expect(await shown(repo)).toMatchObject({ head: 'refs/heads/main', roots: [], bytes: 0 });
    const one = commit(repo, { a: '1' }, 'one');
    const found = await shown(repo);
    expect(found).toMatchObject({ head: 'refs/heads/main', roots: [one] });
    expect(found?.bytes).toBeGreaterThan(0);
    git(repo.dir, 'switch', '-q', '--detach');
    expect(await shown(repo)).toMatchObject({ head: one });
  });

  it('tells neither of a branch that is not shown, nor of how much there is beside what is', async () => {
    const repo = makeRepo();
    commit(repo, { a: '1' }, 'one');
    git(repo.dir, 'branch', 'public');
    expect(Object.keys((await shown(repo, { branches: ['public'] })) ?? {}).toSorted()).toEqual(['name', 'repo', 'roots']);
    expect(await shown(repo, { branches: ['ma*'] })).toMatchObject({ head: 'refs/heads/main' });
  });
});

describe('parsePeerRepos', () => {
  it('takes as many repositories and first commits as it may', () => {
    const full = { ...NOTES, roots: Array<string>(16).fill('2'.repeat(64)) };
    expect(parsePeerRepos({ repos: Array.from({ length: MAX_REPOS }, () => full) })).toHaveLength(MAX_REPOS);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a bare list', [NOTES]],
    ['no list', { repos: { 0: NOTES } }],
    ['more than it may', { repos: Array.from({ length: MAX_REPOS + 1 }, () => NOTES) }],
    ['a repository that is null', { repos: [null] }],
    ['no id', { repos: [{ ...NOTES, repo: undefined }] }],
    ['an id with a path in it', { repos: [{ ...NOTES, repo: '../../etc' }] }],
    ['an id in capitals', { repos: [{ ...NOTES, repo: NOTES.repo.toUpperCase() }] }],
    ['a name that is a path', { repos: [{ ...NOTES, name: '../notes' }] }],
    ['a name with a line break', { repos: [{ ...NOTES, name: 'notes\n' }] }],
    ['a name that is no text', { repos: [{ ...NOTES, name: 7 }] }],
    ['no first commits', { repos: [{ ...NOTES, roots: undefined }] }],
    ['17 first commits', { repos: [{ ...NOTES, roots: Array(17).fill(OID) }] }],
    ['a first commit that is an option', { repos: [{ ...NOTES, roots: ['--all'] }] }],
    ['a HEAD outside of the branches', { repos: [{ ...NOTES, head: 'refs/tags/v1' }] }],
    ['a HEAD with a line break', { repos: [{ ...NOTES, head: 'refs/heads/x\n[core]' }] }],
    ['a size below nothing', { repos: [{ ...NOTES, bytes: -1 }] }],
  ])('refuses %s', (_name, value) => {
    expect(() => parsePeerRepos(value)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
