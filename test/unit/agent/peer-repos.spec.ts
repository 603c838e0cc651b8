// What a peer shows: asked over a real link, and parsed strictly.

import { beforeEach, describe, expect, it } from 'vitest';
import { askRepos, findPeerRepo, parsePeerRepos } from '../../../src/agent/peer-repos.ts';
import type { PeerRepo } from '../../../src/agent/peer-repos.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { Links } from '../../../src/link/links.ts';
import { MAX_REPOS } from '../../../src/sync/digest-format.ts';
import { FAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { LinkWorld } from '../../helpers/link-world.ts';

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
  ])('refuses %s', (_name, value) => {
    expect(() => parsePeerRepos(value)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
