// What a peer's git can do to a repository through the services, with real git on both ends.

import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseDeviceId, parseRefName } from '../../../src/lib/names.ts';
import { prepareHavesDir, prepareHooks } from '../../../src/git/hooks.ts';
import { fullArgs } from '../../../src/git/environment.ts';
import { listRefs } from '../../../src/git/refs.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { offerArgs } from '../../../src/git/push.ts';
import {
  branchesMatching,
  parseProtocol,
  serveReceiveOffer,
  serveReceivePeople,
  serveUpload,
} from '../../../src/git/services.ts';
import { open, runPiped } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const device = parseDeviceId('a'.repeat(32));
const corner = `refs/xmpp/${device}`;
const push = (...refspecs: string[]) => ({ args: ['push', '--porcelain', 'fd::3,4', ...refspecs] });

let ours: TestRepo;
let theirs: TestRepo;

beforeEach(() => {
  ours = makeRepo();
  commit(ours, { 'a.txt': 'one\n' }, 'one');
  git(ours.dir, 'update-ref', `${corner}/heads/main`, 'HEAD');
  theirs = makeRepo({ isBare: true });
});

/** An executable hook that leaves a mark when it runs. */
function trap(repo: TestRepo, name: string): string {
  const mark = join(makeFolder(), 'ran');
  mkdirSync(join(repo.gitDir, 'hooks'), { recursive: true });
  const path = join(repo.gitDir, 'hooks', name);
  writeFileSync(path, `#!/bin/sh\necho ran > '${mark}'\nexit 1\n`);
  chmodSync(path, 0o755);
  return mark;
}

describe('serveReceiveOffer', () => {
  const offer = async () => serveReceiveOffer(await open(theirs), { namespace: [`${corner}/`] });

  it("writes the offering device's corner", async () => {
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    expect(result).toMatchObject({ exitCode: 0, serviceExit: 0 });
    expect(git(theirs.dir, 'for-each-ref', '--format=%(refname)')).toBe(`${corner}/heads/main`);
  });

  it('moves and deletes in that corner as the device says, for a map is followed', async () => {
    await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    git(ours.dir, 'update-ref', '-d', `${corner}/heads/main`);
    git(ours.dir, 'commit', '-q', '--amend', '-m', 'other');
    git(ours.dir, 'update-ref', `${corner}/heads/other`, 'HEAD');
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    expect(result.exitCode).toBe(0);
    expect(git(theirs.dir, 'for-each-ref', '--format=%(refname)')).toBe(`${corner}/heads/other`);
  });

  it.each([
    'refs/heads/main',
    'refs/tags/v1',
    `refs/xmpp/${'b'.repeat(32)}/heads/main`,
    `${corner}b/heads/main`,
    'refs/xmpp/kept/x',
  ])('refuses %s', async (ref) => {
    const result = await runPiped(ours, push(`HEAD:${ref}`), await offer());
    expect(result.exitCode).not.toBe(0);
    expect(git(theirs.dir, 'for-each-ref')).toBe('');
  });

  it('shows nothing but the corner', async () => {
    commit(ours, { 'b.txt': 'b' }, 'b');
    git(ours.dir, 'push', '-q', theirs.dir, 'HEAD:refs/heads/main', `HEAD:${corner}/heads/main`);
    const far = await runPiped(
      ours,
      { args: ['push', '--dry-run', '--porcelain', '--prune', 'fd::3,4', '+refs/none/*:refs/*'] },
      await offer(),
    );
    expect(far.stdout.split('\n').filter((line) => line.startsWith('-'))).toEqual([`-\t:${corner}/heads/main\t[deleted]`]);
  });

  it.each([
    ['receive.hideRefs', '!refs/heads'],
    ['transfer.hideRefs', '!refs/heads'],
  ])('keeps refs/heads closed when the repository sets %s = %s', async (key, value) => {
    git(theirs.dir, 'config', key, value);
    const result = await runPiped(ours, push('HEAD:refs/heads/main'), await offer());
    expect(result.exitCode).not.toBe(0);
    expect(git(theirs.dir, 'for-each-ref')).toBe('');
  });

  it.each([
    ['receive.hideRefs', 'refs/xmpp'],
    ['transfer.hideRefs', 'refs'],
    ['receive.denyNonFastForwards', 'true'],
    ['receive.denyDeletes', 'true'],
    ['transfer.fsckObjects', 'true'],
  ])('takes a rewritten map though the repository sets %s = %s', async (key, value) => {
    await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    git(theirs.dir, 'config', key, value);
    git(ours.dir, 'commit', '-q', '--amend', '-m', 'rewritten');
    git(ours.dir, 'update-ref', `${corner}/heads/main`, 'HEAD');
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    expect(result.exitCode).toBe(0);
    expect(tipOf(theirs, `${corner}/heads/main`)).toBe(tipOf(ours, 'HEAD'));
  });

  it.each(['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction', 'proc-receive'])(
    'runs no %s hook',
    async (name) => {
      const mark = trap(theirs, name);
      const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
      expect(result.exitCode).toBe(0);
      expect(existsSync(mark)).toBe(false);
    },
  );

  it('refuses a tree that holds .git, even when the repository forgives it', async () => {
    git(theirs.dir, 'config', 'receive.fsck.hasDotgit', 'ignore');
    const tip = dotGitCommit(ours);
    git(ours.dir, 'update-ref', `${corner}/heads/main`, tip);
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    expect(result.exitCode).not.toBe(0);
    expect(git(theirs.dir, 'for-each-ref')).toBe('');
  });

  it('takes a commit with a bad time zone, which real history has', async () => {
    const raw = git(ours.dir, 'cat-file', 'commit', 'HEAD').replaceAll('+0000', '+051800');
    const file = join(makeFolder(), 'raw');
    writeFileSync(file, `${raw}\n`);
    const tip = git(ours.dir, 'hash-object', '-t', 'commit', '-w', '--literally', file);
    git(ours.dir, 'update-ref', `${corner}/heads/main`, tip);
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), await offer());
    expect(result).toMatchObject({ exitCode: 0 });
  });

  it('refuses a pack that is too large', async () => {
    const service = serveReceiveOffer(await open(theirs), { namespace: [corner], maxInputBytes: 10 });
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), service);
    expect(result.exitCode).not.toBe(0);
  });

  it('lets the peer build on a branch that it may not write', async () => {
    const big = Array.from({ length: 4000 }, (_, index) => Math.sin(index).toString(36)).join('\n');
    const base = commit(ours, { 'big.txt': big }, 'big');
    git(ours.dir, 'push', '-q', theirs.dir, 'HEAD:refs/heads/main');
    commit(ours, { 'small.txt': 'x' }, 'small');
    git(ours.dir, 'update-ref', `${corner}/heads/main`, 'HEAD');
    const havesDir = makeFolder();
    await prepareHavesDir(havesDir);
    const told = serveReceiveOffer(await open(theirs), { namespace: [corner], haves: [base], havesDir });
    const refused = await runPiped(ours, push('HEAD:refs/heads/main'), told);
    expect(refused.exitCode).not.toBe(0);
    const result = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), told);
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.sentBytes).toBeLessThan(2000);
  });

  it('tells nothing of the repository that objects are borrowed from', async () => {
    const lender = makeRepo();
    const secret = commit(lender, { 'secret.txt': 's' }, 'secret');
    mkdirSync(join(theirs.gitDir, 'objects/info'), { recursive: true });
    writeFileSync(join(theirs.gitDir, 'objects/info/alternates'), `${join(lender.gitDir, 'objects')}\n`);
    for (const { args, config, env } of [await offer(), serveReceivePeople(await open(theirs))]) {
      const told = execFileSync('git', fullArgs(args, { config }), { env: { ...cleanEnv(), ...env }, input: '0000', encoding: 'utf8' });
      expect(told).toContain('report-status');
      expect(told).not.toContain(secret);
    }
  });

  it('is made for device corners only', async () => {
    const repository = await open(theirs);
    for (const space of ['refs/heads/', `refs/heads/${corner}`, `${corner}/heads`, 'refs/xmpp/kept', 'refs/xmpp/partial']) {
      expect(() => serveReceiveOffer(repository, { namespace: [corner, space] }), space).toThrow('refs/xmpp/<device>/');
    }
    expect(() => serveReceiveOffer(repository, { namespace: [] })).toThrow('refs/xmpp/<device>/');
  });
});

function dotGitCommit(repo: TestRepo): string {
  const blob = git(repo.dir, 'rev-parse', 'HEAD:a.txt');
  const file = join(makeFolder(), 'tree');
  writeFileSync(
    file,
    Buffer.concat([Buffer.from('40000 .git\0'), Buffer.from(git(repo.dir, 'rev-parse', 'HEAD^{tree}'), 'hex')]),
  );
  expect(blob).toHaveLength(40);
  const tree = git(repo.dir, 'hash-object', '-t', 'tree', '-w', '--literally', file);
  return git(repo.dir, 'commit-tree', '-m', 'evil', tree);
}

describe('serveReceivePeople', () => {
  const people = async () => {
    const hooksPath = makeFolder();
    await prepareHooks(hooksPath, { ask: ['/bin/false'] });
    return serveReceivePeople(await open(theirs), { hooksPath });
  };

  it('moves a branch forward and makes a tag', async () => {
    git(ours.dir, 'tag', 'v1');
    await runPiped(ours, push('main'), await people());
    const tip = commit(ours, { 'a.txt': 'two\n' }, 'two');
    const result = await runPiped(ours, push('main', 'v1'), await people());
    expect(result).toMatchObject({ exitCode: 0 });
    expect(result.stderr).not.toContain('remote: error');
    expect(tipOf(theirs, 'main')).toBe(tip);
    expect(tipOf(theirs, 'v1^{commit}')).toBe(tipOf(ours, 'v1^{commit}'));
  });

  it.each([
    '+HEAD:refs/heads/main',
    ':refs/heads/main',
    ':refs/heads/side',
    ':refs/tags/v1',
    '+HEAD:refs/tags/v1',
    'HEAD:refs/xmpp/x/y',
    'HEAD:refs/notes/commits',
    'HEAD:refs/stash',
  ])('refuses %s', async (refspec) => {
    git(ours.dir, 'tag', 'v1');
    git(ours.dir, 'push', '-q', theirs.dir, 'main', 'main:refs/heads/side', 'v1');
    git(ours.dir, 'commit', '-q', '--amend', '-m', 'other');
    const before = git(theirs.dir, 'for-each-ref');
    const result = await runPiped(ours, push(refspec), await people());
    expect(result.exitCode).not.toBe(0);
    expect(git(theirs.dir, 'for-each-ref')).toBe(before);
  });

  it.each(['pre-receive', 'update', 'post-receive', 'push-to-checkout', 'reference-transaction'])(
    "does not run the repository's own %s hook",
    async (name) => {
      const mark = trap(theirs, name);
      const result = await runPiped(ours, push('main'), await people());
      expect(result.exitCode).toBe(0);
      expect(existsSync(mark)).toBe(false);
    },
  );

  describe('where it is for some branches alone', () => {
    const limited = async (globs: string[][], hidden: string[] = []) => {
      const hooksPath = makeFolder();
      await prepareHooks(hooksPath, { ask: ['/bin/false'] });
      return serveReceivePeople(await open(theirs), { hooksPath, globs, hidden: hidden.map(parseRefName) });
    };

    it.each([
      ['main', [['main']], true],
      ['release/1.0', [['release/*']], true],
      ['release/1/hotfix', [['release/*']], true],
      ['other', [['main', 'o*r']], true],
      ['main', [['main', 'wip'], ['m*']], true],
      ['maintenance', [['main']], false],
      ['old/main', [['main']], false],
      ['wip', [['main', 'wip'], ['m*']], false],
      ['main', [['wip'], ['m*']], false],
    ] as [string, string[][], boolean][])('%s under %j', async (branch, globs, isTaken) => {
      const result = await runPiped(ours, push(`HEAD:refs/heads/${branch}`), await limited(globs));
      expect(git(theirs.dir, 'for-each-ref', '--format=%(refname)', 'refs/heads')).toBe(isTaken ? `refs/heads/${branch}` : '');
      if (!isTaken) expect(result.stderr).toContain(`${branch} is not among the branches that this device may push to`);
    });

    it('shows no other branch, and takes no tag where tags are hidden', async () => {
      const tip = tipOf(ours, 'HEAD');
      git(ours.dir, 'push', '-q', theirs.dir, 'HEAD:refs/heads/secret', 'HEAD:refs/heads/main');
      git(ours.dir, 'tag', 'v1');
      const before = git(theirs.dir, 'for-each-ref');
      const start = await limited([['main']], ['refs/heads/secret', 'refs/tags']);
      for (const refspec of ['v1', ':refs/heads/secret', '+HEAD:refs/heads/secret']) await runPiped(ours, push(refspec), start);
      expect(git(theirs.dir, 'for-each-ref')).toBe(before);
      const listed = await runPiped(ours, { args: ['ls-remote', 'fd::3,4'] }, { ...start, args: ['receive-pack', theirs.gitDir] });
      expect(listed.stdout).not.toContain('secret');
      expect(tip).toHaveLength(40);
    });

    it('is not served without the hook that tells the branches', async () => {
      const repository = await open(theirs);
      expect(() => serveReceivePeople(repository, { globs: [['main']] })).toThrow('needs the hook');
    });
  });

  it('asks before a checked-out branch moves, and refuses when the answer is no', async () => {
    theirs = makeRepo();
    git(ours.dir, 'push', '-q', theirs.dir, 'main:refs/heads/side');
    git(theirs.dir, 'checkout', '-q', 'side');
    const before = tipOf(theirs, 'side');
    const tip = commit(ours, { 'a.txt': 'two\n' }, 'two');
    const refused = await runPiped(ours, push('main:side'), await people());
    expect(refused.exitCode).not.toBe(0);
    expect(tipOf(theirs, 'side')).toBe(before);
    const asked = join(makeFolder(), "it's asked");
    const hooksPath = makeFolder();
    await prepareHooks(hooksPath, { ask: ['sh', '-c', 'echo "$2|$3|$4" > "$1"', 'sh', asked] });
    const taken = await runPiped(ours, push('main:side'), serveReceivePeople(await open(theirs), { hooksPath }));
    expect(taken).toMatchObject({ exitCode: 0 });
    expect(git('/', 'hash-object', asked)).toHaveLength(40);
    expect(tipOf(theirs, 'side')).toBe(tip);
  });

  it('refuses a checked-out branch when there is nobody to ask', async () => {
    theirs = makeRepo();
    git(theirs.dir, 'fetch', '-q', ours.dir, 'main');
    git(theirs.dir, 'reset', '-q', '--hard', 'FETCH_HEAD');
    commit(ours, { 'a.txt': 'two\n' }, 'two');
    const result = await runPiped(ours, push('main'), serveReceivePeople(await open(theirs)));
    expect(result.stdout).toContain('branch is currently checked out');
    expect(result.exitCode).not.toBe(0);
  });

  it('refuses a branch that is under rebase or bisect', async () => {
    theirs = makeRepo();
    git(theirs.dir, 'fetch', '-q', ours.dir, 'main:side');
    git(theirs.dir, 'checkout', '-q', '--orphan', 'elsewhere');
    commit(ours, { 'a.txt': 'two\n' }, 'two');
    mkdirSync(join(theirs.gitDir, 'rebase-merge'));
    writeFileSync(join(theirs.gitDir, 'rebase-merge', 'update-refs'), `refs/heads/side\n${'0'.repeat(40)}\n${'0'.repeat(40)}\n`);
    const rebase = await runPiped(ours, push('main:side'), await people());
    expect(rebase.stderr + rebase.stdout).toContain('a rebase of side is under way');
    writeFileSync(join(theirs.gitDir, 'BISECT_START'), 'main\n');
    const bisect = await runPiped(ours, push('main:main'), await people());
    expect(bisect.stderr + bisect.stdout).toContain('a bisect of main is under way');
  });
});

describe('serveUpload', () => {
  const lsRemote = (...args: string[]) => ({ args: ['ls-remote', 'fd::3,4', ...args] });

  beforeEach(() => {
    theirs = makeRepo();
    commit(theirs, { 'a.txt': 'one' }, 'one');
    git(theirs.dir, 'tag', '-a', '-m', 'v1', 'v1');
    git(theirs.dir, 'branch', 'geheim/überall');
    git(theirs.dir, 'update-ref', `${corner}/heads/main`, 'HEAD');
    git(theirs.dir, 'update-ref', 'refs/stash', 'HEAD');
    git(theirs.dir, 'update-ref', 'refs/remotes/laptop/main', 'HEAD');
  });

  it.each(['version=2', 'version=1', 'version=0', undefined])(
    'shows HEAD, branches and tags, and no stash, mirror or corner (%s)',
    async (protocol) => {
      const result = await runPiped(ours, lsRemote(), serveUpload(await open(theirs), { protocol }));
      const names = result.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[1]);
      expect(names).toEqual(['HEAD', 'refs/heads/geheim/überall', 'refs/heads/main', 'refs/tags/v1', 'refs/tags/v1^{}']);
    },
  );

  it('serves a fetch of everything shown', async () => {
    git(theirs.dir, 'config', 'uploadpack.hideRefs', 'refs/heads');
    const result = await runPiped(ours, { args: ['fetch', 'fd::3,4', '+refs/*:refs/got/*'] }, serveUpload(await open(theirs)));
    expect(result).toMatchObject({ exitCode: 0, serviceExit: 0 });
    expect(tipOf(ours, 'refs/got/heads/geheim/überall')).toBe(tipOf(theirs, 'main'));
    expect(git(ours.dir, 'for-each-ref', 'refs/got/xmpp', 'refs/got/stash', 'refs/got/remotes')).toBe('');
  });

  it('serves a fetch under v2', async () => {
    const start = serveUpload(await open(theirs), { protocol: 'version=2' });
    const words = [
      'env',
      ...Object.entries(start.env).map(([key, value]) => `${key}=${value}`),
      'git',
      ...fullArgs(start.args.slice(0, -1), start),
    ];
    const command = words.map((word) => `'${word}'`).join(' ');
    git(ours.dir, '-c', 'protocol.version=2', 'fetch', '-q', '--upload-pack', command, theirs.gitDir, '+refs/*:refs/got/*');
    expect(git(ours.dir, 'for-each-ref', '--format=%(refname)', 'refs/got')).toBe(
      'refs/got/heads/geheim/überall\nrefs/got/heads/main\nrefs/got/tags/v1',
    );
  });

  it('shows only the branches that a grant names, and no HEAD that leads elsewhere', async () => {
    const start = serveUpload(await open(theirs), {
      branches: ['main'],
      headBranch: parseRefName('refs/heads/geheim/überall'),
      protocol: 'version=2',
    });
    const result = await runPiped(ours, lsRemote(), start);
    expect(
      result.stdout
        .trim()
        .split('\n')
        .map((line) => line.split('\t')[1]),
    ).toEqual(['refs/heads/main', 'refs/tags/v1', 'refs/tags/v1^{}']);
  });

  it('shows HEAD when the branch it names is granted', async () => {
    const start = serveUpload(await open(theirs), { branches: ['refs/heads/main'], headBranch: parseRefName('refs/heads/main') });
    expect((await runPiped(ours, lsRemote('HEAD'), start)).stdout).toContain('HEAD');
  });

  it('refuses an object of a hidden branch by its id, even when the repository allows any', async () => {
    git(theirs.dir, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    git(theirs.dir, 'checkout', '-q', 'geheim/überall');
    const hidden = commit(theirs, { 'secret.txt': 's' }, 'secret');
    git(theirs.dir, 'checkout', '-q', 'main');
    const start = serveUpload(await open(theirs), { branches: ['main'], protocol: 'version=2' });
    const result = await runPiped(ours, { args: ['fetch', 'fd::3,4', `${hidden}:refs/got/x`] }, start);
    expect(result.exitCode).not.toBe(0);
    expect(git(ours.dir, 'for-each-ref', 'refs/got')).toBe('');
  });

  it('serves an empty and a bare repository', async () => {
    theirs = makeRepo({ isBare: true });
    const result = await runPiped(ours, lsRemote(), serveUpload(await open(theirs), { protocol: 'version=2' }));
    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
  });
});

describe('parseProtocol', () => {
  it('takes a version and nothing else', () => {
    expect(parseProtocol('version=2')).toBe('version=2');
    for (const text of ['version=3', 'version=2:object-format=sha256', 'version=2\n', '', undefined])
      expect(parseProtocol(text)).toBeUndefined();
  });
});

describe('branchesMatching', () => {
  it('finds the branches that globs name, with every other character taken as it is', async () => {
    git(ours.dir, 'branch', 'feature/a.b');
    git(ours.dir, 'branch', 'feature/axb');
    git(ours.dir, 'branch', "ünï#'x");
    const refs = await listRefs(createRunGit(cleanEnv()), await open(ours), ['refs/']);
    expect(branchesMatching(['feature/a.b', 'ü*'], refs)).toEqual(['feature/a.b', "ünï#'x"]);
    expect(branchesMatching(['*'], refs)).toHaveLength(4);
  });
});
