import { existsSync } from 'node:fs';
import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { fetchHub, isRelated, listHub, pushHub, refsOfHub, troubleOf } from '../../../src/git/hub.ts';
import type { HubPlace } from '../../../src/git/hub.ts';
import { openRepository } from '../../../src/git/repository.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { asFault, Fault } from '../../../src/lib/errors.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';

const main = parseRefName('refs/heads/main');
const own = parseRefName('refs/heads/synced/me/main');

let dir: string;
let hub: string;
let place: HubPlace;
let runGit: ReturnType<typeof createRunGit>;
let ending: AbortController;

beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-hub-'));
  await writeFile(path.join(dir, '.gitconfig'), '[user]\n\tname = me\n\temail = me@example.org\n[init]\n\tdefaultBranch = main\n');
  runGit = createRunGit({ PATH: process.env['PATH'], HOME: dir });
  hub = path.join(dir, 'hub.git');
  await git(dir, 'init', '--quiet', '--bare', hub);
  await git(dir, 'init', '--quiet', 'here');
  await git(path.join(dir, 'here'), 'remote', 'add', 'origin', hub);
  ending = new AbortController();
  place = { runGit, repository: await openRepository(runGit, path.join(dir, 'here')), remote: 'origin', hasSshCommand: false, signal: ending.signal };
});

async function git(at: string, ...args: string[]): Promise<string> {
  return (await runGit(args, { dir: at })).stdout.trim();
}

async function commit(words: string, at = place.repository.path): Promise<Oid> {
  await git(at, 'commit', '--quiet', '--allow-empty', '--message', words);
  return parseOid(await git(at, 'rev-parse', 'HEAD'));
}

const push = (ref: RefName, to: Oid | undefined, from?: Oid): ReturnType<typeof pushHub> => pushHub(place, [{ ref, from, to, isOwn: ref === own }]);

async function fault(work: Promise<unknown>): Promise<Fault> {
  const error = await work.then(() => undefined, (reason: unknown) => reason);
  return asFault(error, 'a spec');
}

describe('fetchHub', () => {
  it('brings branches, tags and what lies under synced/, and forgets what is gone; the tracking refs are as git fetch leaves them', async () => {
    const one = await commit('one');
    await git(place.repository.path, 'push', '--quiet', 'origin', 'main', 'main:topic', `main:${own}`, 'main:refs/tags/v1', 'main:refs/other/x');
    await git(place.repository.path, 'update-ref', '-d', 'refs/remotes/origin/main');
    const refs = await fetchHub(place);
    expect([...refs.keys()]).toEqual([main, own, 'refs/heads/topic', 'refs/tags/v1']);
    expect(await git(place.repository.path, 'rev-parse', 'refs/xmpp/hubs/origin/heads/main', 'refs/remotes/origin/main')).toBe(`${one}\n${one}`);
    expect(await git(place.repository.path, 'tag')).toBe('');
    await git(hub, 'update-ref', '-d', 'refs/heads/topic');
    expect([...(await fetchHub(place)).keys()]).toEqual([main, own, 'refs/tags/v1']);
    expect(await refsOfHub(place)).toEqual(await listHub(place));
    expect(existsSync(path.join(place.repository.gitDir, 'FETCH_HEAD'))).toBe(false);
  });

  it('refuses a tree with .git in it, whatever the configuration forgives, and takes nothing over', async () => {
    const here = place.repository.path;
    await commit('one');
    const tree = path.join(dir, 'tree');
    const inner = await git(here, 'rev-parse', 'HEAD^{tree}');
    await writeFile(tree, Buffer.concat([Buffer.from('40000 .git\0'), Buffer.from(inner, 'hex')]));
    const evil = await git(here, 'commit-tree', '-m', 'evil', await git(here, 'hash-object', '-t', 'tree', '-w', '--literally', tree));
    await git(here, 'push', '--quiet', 'origin', `${evil}:refs/heads/evil`);
    await git(here, 'init', '--quiet', '../fresh');
    const fresh = await openRepository(runGit, path.join(dir, 'fresh'));
    await git(fresh.path, 'remote', 'add', 'origin', hub);
    await git(fresh.path, 'config', 'fetch.fsck.hasDotgit', 'ignore');
    const refused = await fault(fetchHub({ ...place, repository: fresh }));
    expect(refused.message).toMatch(/hasDotgit|\.git/);
    expect(await git(fresh.path, 'for-each-ref')).toBe('');
  });

  it('names a repository that is not there, for a person', async () => {
    await git(place.repository.path, 'remote', 'set-url', 'origin', path.join(dir, 'nowhere.git'));
    const gone = await fault(fetchHub(place));
    expect(gone).toMatchObject({ code: 'no-such-repo' });
    expect(troubleOf(gone)).toMatchObject({ kind: 'person' });
    expect(troubleOf(new Fault('git', 'something'))).toEqual({ kind: 'passing', words: 'something' });
  });

  it('runs no hook, signs nothing and asks nobody, whatever is configured', async () => {
    const { path: here } = place.repository;
    for (const [key, value] of [['push.gpgSign', 'true'], ['push.followTags', 'true'], ['remote.origin.mirror', 'true'], ['fetch.prune', 'true'], ['push.recurseSubmodules', 'only'], ['fetch.recurseSubmodules', 'true']]) {
      await git(here, 'config', String(key), String(value));
    }
    await writeFile(path.join(here, '.git/hooks/pre-push'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const one = await commit('one');
    expect(await push(main, one)).toEqual(new Map([[main, 'done']]));
    await fetchHub(place);
  });
});

describe('pushHub', () => {
  it('makes, moves forward, and notes what the hub holds then', async () => {
    const one = await commit('one');
    const two = await commit('two');
    expect(await push(main, one)).toEqual(new Map([[main, 'done']]));
    expect(await push(main, two, one)).toEqual(new Map([[main, 'done']]));
    expect(await refsOfHub(place)).toEqual(new Map([[main, two]]));
    expect(await git(place.repository.path, 'rev-parse', 'origin/main')).toBe(two);
  });

  it('never goes back with a branch, but with our own from what it held', async () => {
    const [one, two] = [await commit('one'), await commit('two')];
    await pushHub(place, [main, own].map((ref) => ({ ref, from: undefined, to: two, isOwn: ref === own })));
    const results = await pushHub(place, [main, own].map((ref) => ({ ref, from: two, to: one, isOwn: ref === own })));
    expect(results).toEqual(new Map([[main, 'stale'], [own, 'done']]));
    expect(await push(own, two, two)).toEqual(new Map([[own, 'stale']]));
    expect(await push(own, undefined, one)).toEqual(new Map([[own, 'done']]));
    expect(await git(hub, 'for-each-ref', '--format=%(refname)')).toBe(main);
  });

  it('says of a branch that somebody else moved that it was stale, though that was never fetched', async () => {
    await push(main, await commit('one'));
    await git(dir, 'clone', '--quiet', hub, 'other');
    await commit('theirs', path.join(dir, 'other'));
    await git(path.join(dir, 'other'), 'push', '--quiet', 'origin', 'main');
    expect(await push(main, await commit('ours'))).toEqual(new Map([[main, 'stale']]));
  });

  it('gives what one ref was declined for, and does the others', async () => {
    await writeFile(path.join(hub, 'hooks/update'), '#!/bin/sh\ntest "$1" != refs/heads/main || { echo "main is closed" >&2; exit 1; }\n', { mode: 0o755 });
    const one = await commit('one');
    const results = await pushHub(place, [own, main].map((ref) => ({ ref, from: undefined, to: one, isOwn: ref === own })));
    expect(results).toEqual(new Map<RefName, unknown>([[own, 'done'], [main, { declined: 'hook declined: main is closed' }]]));
  });

  it('moves no tag that is there', async () => {
    const tag = parseRefName('refs/tags/v1');
    await push(tag, await commit('one'));
    expect(await push(tag, await commit('two'))).toEqual(new Map([[tag, 'stale']]));
  });

  it('leaves nothing half written there when it is ended, and does not wait for what the hub is busy with', async () => {
    const [begun, release] = [path.join(dir, 'begun'), path.join(dir, 'release')];
    await writeFile(path.join(hub, 'hooks/pre-receive'), `#!/bin/sh\ntouch ${begun}\nwhile ! test -e ${release}; do sleep 0.02; done\n`, { mode: 0o755 });
    const pushing = fault(push(main, await commit('one')));
    while (!existsSync(begun)) await new Promise((resolve) => setImmediate(resolve));
    ending.abort();
    expect((await pushing).message).toMatch(/^origin: /);
    await writeFile(release, '');
    await expect.poll(async () => (await readdir(path.join(hub, 'objects'))).filter((name) => name.startsWith('tmp_objdir'))).toEqual([]);
    expect(await git(hub, 'fsck', '--full', '--strict')).toBe('');
  });
});

describe('isRelated', () => {
  it('finds a commit in common whatever the branches are called, and none where there is none', async () => {
    const one = await commit('one');
    const refs = (oid: Oid, name = 'main'): ReadonlyMap<RefName, Oid> => new Map([[parseRefName(`refs/heads/${name}`), oid]]);
    await git(place.repository.path, 'checkout', '--quiet', '-b', 'side');
    const two = await commit('two');
    await git(place.repository.path, 'checkout', '--quiet', '--orphan', 'other');
    const other = await commit('other');
    expect(await isRelated(place, refs(one), refs(two))).toBe(true);
    expect(await isRelated(place, refs(one), refs(two, 'elsewhere'))).toBe(true);
    expect(await isRelated(place, refs(one), refs(other))).toBe(false);
    expect(await isRelated(place, new Map(), refs(other))).toBe(true);
    expect(await isRelated(place, refs(one), new Map())).toBe(true);
    expect(await isRelated(place, refs(one), refs(parseOid('ab'.repeat(20))))).toBe(true);
  });
});
