// `git xmpp share` on real repositories, with peers that answer over real links.

import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { commonRoot, freeName, shareRepository } from '../../../src/agent/share.ts';
import type { ShareParts, ShareRequest, ShareResult } from '../../../src/agent/share.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { Peers } from '../../../src/home/peers.ts';
import type { Peer } from '../../../src/home/peers.ts';
import { Repos } from '../../../src/home/repos.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import { parseRepoId } from '../../../src/lib/names.ts';
import type { DeviceId, Oid, RepoId } from '../../../src/lib/names.ts';
import { Links } from '../../../src/link/links.ts';
import { FAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const id = (digit: string): RepoId => parseRepoId(`${digit.repeat(8)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(4)}-${digit.repeat(12)}`);
const [NEW, NOTES, WIKI] = [id('0'), id('1'), id('2')];
const BOB = parseBareJid('bob@example.net');

/** What a peer shows: names, ids and first commits. */
type Shown = readonly { readonly repo: RepoId; readonly name: string; readonly roots: readonly string[] }[];

let repo: TestRepo;
let root: Oid;
let peers: Peers;
let repos: Repos;
let parts: ShareParts;
let worlds: Map<DeviceId, LinkWorld>;
let asked: string[];

beforeEach(async () => {
  repo = makeRepo({ dir: join(makeFolder(), 'my notes') });
  root = commit(repo, { a: '1' }, 'one');
  worlds = new Map();
  asked = [];
  const folder = makeFolder();
  peers = await Peers.open(join(folder, 'peers.json'));
  repos = await Repos.open(join(folder, 'repos.json'));
  const links = new Links({
    dial: (device) => worlds.get(device)?.dial() ?? Promise.reject(new Fault('peer-offline', 'gone')),
    findAddress: (_peer, isFresh) => Promise.resolve(isFresh ? undefined : FAR_ADDRESS),
    nameOf: (device) => peers.byDevice(device)?.petname ?? '',
    lastSeen: () => '',
    onUp: () => undefined,
    onDown: () => undefined,
    clock: realClock,
    log: silentLog,
  });
  parts = { runGit: createRunGit(cleanEnv()), repos, peers, links, clock: realClock, newId: () => NEW };
});

/** A paired device; without `shown` it is offline. */
async function pair(name: string, shown?: Shown, patch: Partial<Peer> = {}): Promise<Peer> {
  const peer = makePeer(name, patch);
  await peers.add(peer);
  const list = (): Promise<unknown> => {
    asked.push(name);
    return Promise.resolve({ repos: shown });
  };
  if (shown !== undefined) worlds.set(peer.device, new LinkWorld({ handlers: { repos: list } }));
  return peer;
}

function share(request: Partial<ShareRequest> = {}): Promise<ShareResult> {
  return shareRepository(parts, {
    path: repo.dir,
    audience: undefined,
    grant: undefined,
    join: undefined,
    isNew: false,
    isFolder: false,
    branches: [],
    ...request,
  });
}

const configured = (dir = repo.dir): string => git(dir, 'config', '--default', 'none', 'xmpp.id');

describe('shareRepository', () => {
  it('founds where there is nobody to ask, and writes the id into the repository', async () => {
    const { shared, how, words } = await share();
    expect([how, words]).toEqual(['founded', 'shared']);
    expect(shared).toEqual({ id: NEW, name: 'my notes', path: repo.dir, gitDir: repo.gitDir, audience: 'own', grants: {}, isFolder: false, branches: [] });
    expect(repos.list()).toEqual([shared]);
    expect(configured()).toBe(NEW);
  });

  it('goes on with one that was moved, from where it is now, with all that was set', async () => {
    await share({ audience: [BOB], grant: 'read', branches: ['main'] });
    const moved = join(makeFolder(), 'elsewhere');
    renameSync(repo.dir, moved);
    const { shared, how, words } = await share({ path: moved });
    expect([how, words]).toEqual(['changed', `goes on here; it was at ${repo.dir}`]);
    expect(shared).toEqual({ id: NEW, name: 'my notes', path: moved, gitDir: join(moved, '.git'), audience: [BOB], grants: { [BOB]: 'read' }, isFolder: false, branches: ['main'] });
    expect(repos.list()).toEqual([shared]);
  });

  it('takes a copy for no move, while the first is there', async () => {
    await share();
    const copy = join(makeFolder(), 'copy');
    cpSync(repo.dir, copy, { recursive: true });
    await expect(share({ path: copy })).rejects.toMatchObject({ code: 'exists', message: `this repository is shared already, from ${repo.dir}` });
    rmSync(repo.dir, { recursive: true });
    expect((await share({ path: copy })).shared).toMatchObject({ id: NEW, path: copy });
  });

  it('shares the repository that holds the folder it is asked for', async () => {
    commit(repo, { 'deep/er/b': '1' }, 'deep');
    expect((await share({ path: join(repo.dir, 'deep/er') })).shared.path).toBe(repo.dir);
  });

  it('joins the one repository of an own device with the same first commit', async () => {
    const laptop = await pair('laptop', [
      { repo: WIKI, name: 'wiki', roots: ['b'.repeat(40)] },
      { repo: NOTES, name: 'notes', roots: ['c'.repeat(40), root] },
    ]);
    await pair('phone', [{ repo: NOTES, name: 'zettel', roots: [root] }]);
    const { shared, how, words, at } = await share();
    expect([shared.id, how, words]).toEqual([NOTES, 'joined', `joined laptop/notes: same first commit ${root.slice(0, 7)}`]);
    expect(at.map(({ peer, name }) => [peer.petname, name])).toEqual([
      [laptop.petname, 'notes'],
      ['phone', 'zettel'],
    ]);
    expect(configured()).toBe(NOTES);
  });

  it('lists several that would do, and changes nothing', async () => {
    await pair('laptop', [{ repo: NOTES, name: 'notes', roots: [root] }]);
    await pair('phone', [{ repo: WIKI, name: 'wiki', roots: [root] }]);
    await expect(share()).rejects.toMatchObject({
      code: 'exists',
      message: 'several repositories have the same first commit, so nothing was changed',
      remedy: 'choose one:\ngit xmpp share --join laptop/notes\ngit xmpp share --join phone/wiki',
    });
    expect(repos.list()).toEqual([]);
    expect(configured()).toBe('none');
  });

  it('founds beside repositories that began otherwise, with the command that would join', async () => {
    await pair('laptop', [{ repo: WIKI, name: 'wiki', roots: ['b'.repeat(40)] }]);
    const { shared, words } = await share();
    expect(shared.id).toBe(NEW);
    expect(words).toBe('shared; to join instead: git xmpp share --join laptop/wiki');
  });

  it('names own devices that could not be asked, and is not stopped by nonsense', async () => {
    await pair('laptop');
    await pair('phone', [{ repo: 'x' as RepoId, name: '../x', roots: [] }]);
    expect((await share()).words).toBe('shared (laptop, phone could not be asked: laptop is offline; repo id: "x" is not a lower-case UUID)');
  });

  it('never joins across accounts by itself, nor asks there', async () => {
    await pair('bob', [{ repo: NOTES, name: 'notes', roots: [root] }], { kind: 'other', jid: BOB });
    expect((await share()).shared).toMatchObject({ id: NEW, audience: 'own' });
    expect(asked).toEqual([]);
  });

  it('never takes two empty repositories for the same', async () => {
    repo = makeRepo();
    await pair('laptop', [{ repo: NOTES, name: 'notes', roots: [] }]);
    expect((await share()).shared.id).toBe(NEW);
  });

  it('joins what it is told to, across accounts and without a common commit too', async () => {
    const bob = await pair('bob', [{ repo: NOTES, name: 'notes', roots: [] }], { kind: 'other', jid: BOB });
    const { shared, how, words } = await share({ join: { peer: bob, name: 'notes' } });
    expect([how, words]).toEqual(['joined', 'joined bob/notes, as you asked']);
    expect(shared).toMatchObject({ id: NOTES, audience: [BOB] });
  });

  it('names what there is where it is told to join what is not', async () => {
    const laptop = await pair('laptop', [{ repo: NOTES, name: 'notes', roots: [] }]);
    await expect(share({ join: { peer: laptop, name: 'nothing' } })).rejects.toMatchObject({ code: 'no-such-repo', remedy: 'it shows: notes' });
    expect(configured()).toBe('none');
  });

  it('learns through the URL which repository a clone is of', async () => {
    await pair('laptop', [{ repo: NOTES, name: 'notes', roots: ['b'.repeat(40)] }]);
    git(repo.dir, 'remote', 'add', 'hub', 'https://example.org/x.git');
    git(repo.dir, 'remote', 'add', 'elsewhere', 'xmpp::nobody/notes');
    git(repo.dir, 'remote', 'add', 'origin', 'xmpp::laptop/notes');
    const { shared, how, words, at } = await share();
    expect([shared.id, how, words]).toEqual([NOTES, 'joined', 'joined laptop/notes: this is a clone of it']);
    expect(at.map(({ name }) => name)).toEqual(['notes']);
  });

  it('founds nothing beside the origin of a clone that cannot be asked', async () => {
    await pair('laptop');
    git(repo.dir, 'remote', 'add', 'origin', 'xmpp::laptop/notes');
    await expect(share()).rejects.toMatchObject({ code: 'peer-offline' });
    expect([repos.list(), configured()]).toEqual([[], 'none']);
  });

  it('goes by the id that a repository carries, before anything else', async () => {
    await pair('laptop', [{ repo: WIKI, name: 'wiki', roots: [root] }]);
    git(repo.dir, 'config', 'xmpp.id', NOTES);
    expect((await share()).shared.id).toBe(NOTES);
    expect(asked).toEqual([]);
  });

  it('refuses an id that is none, in words', async () => {
    git(repo.dir, 'config', 'xmpp.id', 'notes');
    await expect(share()).rejects.toMatchObject({ code: 'bad-input' });
    expect(repos.list()).toEqual([]);
  });

  it('founds anew where that is asked, whatever there is', async () => {
    await pair('laptop', [{ repo: NOTES, name: 'notes', roots: [root] }]);
    git(repo.dir, 'config', 'xmpp.id', WIKI);
    const { shared, how } = await share({ isNew: true });
    expect([shared.id, how, asked]).toEqual([NEW, 'founded', []]);
    expect(configured()).toBe(NEW);
  });

  it('refuses a second clone on this device, and changes nothing', async () => {
    await share();
    const copy = makeRepo();
    git(copy.dir, 'config', 'xmpp.id', NEW);
    await expect(share({ path: copy.dir })).rejects.toMatchObject({ code: 'exists', message: expect.stringContaining(repo.dir) });
    expect(repos.list().map(({ path }) => path)).toEqual([repo.dir]);
  });

  it('changes what is shared already, and keeps what is not named', async () => {
    await share({ audience: [BOB], grant: 'read', branches: ['main'] });
    const carol = parseBareJid('carol@example.net');
    const { shared, how, words } = await share({ audience: [carol], grant: 'write', isFolder: true });
    expect([how, words]).toEqual(['changed', 'it was shared already']);
    expect(shared).toMatchObject({ id: NEW, audience: [BOB, carol], grants: { [BOB]: 'read', [carol]: 'write' }, isFolder: true, branches: ['main'] });
    expect(repos.list()).toHaveLength(1);
  });

  it('leaves the old sharing for the one that it joins', async () => {
    await share();
    const laptop = await pair('laptop', [{ repo: NOTES, name: 'notes', roots: [root] }]);
    const { shared, how } = await share({ join: { peer: laptop, name: 'notes' } });
    expect([shared.id, how, shared.name]).toEqual([NOTES, 'joined', 'my notes']);
    expect(repos.list().map((each) => each.id)).toEqual([NOTES]);
    expect(configured()).toBe(NOTES);
  });

  it('says what to do where there is no repository', async () => {
    await expect(share({ path: makeFolder() })).rejects.toMatchObject({ code: 'not-a-repository', remedy: expect.stringContaining('git init') });
  });
});

describe('commonRoot', () => {
  it('is the first commit that both have', () => {
    const [one, two] = ['a', 'b'].map((digit) => digit.repeat(40) as Oid);
    if (one === undefined || two === undefined) throw new Error('no oids');
    expect(commonRoot({ repo: NOTES, name: 'x', roots: [two] }, [one, two])).toBe(two);
    expect(commonRoot({ repo: NOTES, name: 'x', roots: [] }, [one])).toBeUndefined();
    expect(commonRoot({ repo: NOTES, name: 'x', roots: [one] }, [])).toBeUndefined();
  });
});

describe('freeName', () => {
  it.each([
    ['notes', 'notes'],
    ['my notes', 'my notes'],
    ['.hidden', 'hidden'],
    ['a:b*c', 'a-b-c'],
    ['---', 'repo'],
    ['', 'repo'],
    ['\u{1f600}', 'repo'],
    ['日本語', '日本語'],
    ['x'.repeat(200), 'x'.repeat(90)],
    [`x${'𠮷'.repeat(91)}`, `x${'𠮷'.repeat(89)}`],
  ])('makes of the folder %j the name %j', (folder, name) => {
    expect(freeName(repos, folder)).toBe(name);
  });

  it('adds a number to a name that is taken, in any case', async () => {
    await repos.add(makeSharedRepo('Notes'));
    await repos.add(makeSharedRepo('notes-2'));
    expect(freeName(repos, 'notes')).toBe('notes-3');
  });
});
