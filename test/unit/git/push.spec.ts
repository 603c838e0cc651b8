// The agent's push must work whatever the user has configured (docs/PROTOCOL.md, "The two lanes": one spec each).

import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseDeviceId } from '../../../src/lib/names.ts';
import { offerArgs } from '../../../src/git/push.ts';
import { serveReceiveOffer } from '../../../src/git/services.ts';
import { open, runPiped } from '../../helpers/git-pipe.ts';
import type { PipedResult } from '../../helpers/git-pipe.ts';
import { commit, git, makeFolder, makeRepo, tipOf } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';

const device = parseDeviceId('a'.repeat(32));
const other = parseDeviceId('b'.repeat(32));

let ours: TestRepo;
let theirs: TestRepo;

beforeEach(() => {
  ours = makeRepo();
  commit(ours, { 'a.txt': 'one\n' }, 'one');
  git(ours.dir, 'tag', '-a', '-m', 'v1', 'v1');
  git(ours.dir, 'update-ref', `refs/xmpp/${device}/heads/main`, 'HEAD');
  theirs = makeRepo({ isBare: true });
});

async function offer(relayed: (typeof device)[] = []): Promise<PipedResult> {
  const namespace = [device, ...relayed].map((id) => `refs/xmpp/${id}/`);
  return runPiped(ours, offerArgs({ device, relayed, fdIn: 3, fdOut: 4 }), serveReceiveOffer(await open(theirs), { namespace }));
}

const arrived = (): string => git(theirs.dir, 'for-each-ref', '--format=%(refname)');

describe('offerArgs', () => {
  it.each([
    [false, 1],
    [true, 2],
  ])('sends a large file that resembles another whole only where the path is fast (%s)', async (isFast, times) => {
    const large = randomBytes(2 ** 21);
    for (const end of ['old', 'new']) commit(ours, { 'large.bin': Buffer.concat([large, Buffer.from(end)]) }, end);
    git(ours.dir, 'update-ref', `refs/xmpp/${device}/heads/main`, 'HEAD');
    const service = serveReceiveOffer(await open(theirs), { namespace: [`refs/xmpp/${device}/`], isKeptPacked: true });
    expect((await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4, isFast }), service)).exitCode).toBe(0);
    const [, kibibytes] = /size-pack: (\d+)/.exec(git(theirs.dir, 'count-objects', '-v')) ?? [];
    expect(Math.round((Number(kibibytes) * 1024) / large.length)).toBe(times);
  });

  it.each([
    ['push.gpgSign', 'true'],
    ['push.gpgSign', 'if-asked'],
    ['push.followTags', 'true'],
    ['push.negotiate', 'true'],
    ['push.pushOption', 'ci.skip'],
    ['push.recurseSubmodules', 'check'],
    ['push.recurseSubmodules', 'only'],
    ['submodule.recurse', 'true'],
    ['push.default', 'nothing'],
    ['push.autoSetupRemote', 'true'],
    ['push.useForceIfIncludes', 'true'],
    ['protocol.allow', 'never'],
    ['protocol.fd.allow', 'never'],
    ['protocol.version', '1'],
    ['color.ui', 'always'],
    ['transfer.hideRefs', 'refs/xmpp'],
    ['remote.pushDefault', 'nowhere'],
    ['core.pager', 'false'],
  ])('pushes the corner and nothing else when the user has %s = %s', async (key, value) => {
    git(ours.dir, 'config', key, value);
    const result = await offer();
    expect(result).toMatchObject({ exitCode: 0, serviceExit: 0 });
    expect(arrived()).toBe(`refs/xmpp/${device}/heads/main`);
  });

  it('runs no pre-push hook', async () => {
    const mark = join(makeFolder(), 'ran');
    const hooks = join(ours.gitDir, 'hooks');
    mkdirSync(hooks, { recursive: true });
    for (const name of ['pre-push', 'reference-transaction']) {
      writeFileSync(join(hooks, name), `#!/bin/sh\necho ran > '${mark}'\nexit 1\n`);
      chmodSync(join(hooks, name), 0o755);
    }
    expect((await offer()).exitCode).toBe(0);
    expect(existsSync(mark)).toBe(false);
  });

  it('pushes with a submodule whose commit is nowhere else', async () => {
    git(ours.dir, 'config', 'push.recurseSubmodules', 'check');
    git(ours.dir, 'update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub`);
    git(ours.dir, 'commit', '-q', '-m', 'sub');
    git(ours.dir, 'update-ref', `refs/xmpp/${device}/heads/main`, 'HEAD');
    expect((await offer()).exitCode).toBe(0);
  });

  it('takes relayed corners along unchanged, and deletes there what is gone here', async () => {
    git(ours.dir, 'update-ref', `refs/xmpp/${other}/tags/v1`, 'v1');
    await offer([other]);
    expect(tipOf(theirs, `refs/xmpp/${other}/tags/v1`)).toBe(tipOf(ours, 'v1'));
    git(ours.dir, 'update-ref', '-d', `refs/xmpp/${other}/tags/v1`);
    git(ours.dir, 'update-ref', `refs/xmpp/${other}/heads/x`, 'HEAD');
    await offer([other]);
    expect(arrived()).toBe(`refs/xmpp/${device}/heads/main\nrefs/xmpp/${other}/heads/x`);
  });

  it('offers branch names with non-ASCII, #, quotes and emoji', async () => {
    for (const name of ['grün/#1', "it's", '🎉', 'a"b', '$(x)', '-x', 'a;b']) {
      git(ours.dir, 'update-ref', `refs/xmpp/${device}/heads/${name}`, 'HEAD');
    }
    const result = await offer();
    expect(result.exitCode).toBe(0);
    expect(arrived()).toBe(git(ours.dir, 'for-each-ref', '--format=%(refname)', 'refs/xmpp'));
  });

  it('works between SHA-256 repositories', async () => {
    ours = makeRepo({ args: ['--object-format=sha256'] });
    commit(ours, { 'a.txt': 'one\n' }, 'one');
    git(ours.dir, 'update-ref', `refs/xmpp/${device}/heads/main`, 'HEAD');
    theirs = makeRepo({ isBare: true, args: ['--object-format=sha256'] });
    expect((await offer()).exitCode).toBe(0);
    expect(tipOf(theirs, `refs/xmpp/${device}/heads/main`)).toHaveLength(64);
  });
});

describe('what the agent’s push prints', () => {
  it('names each ref, and which were rejected (git-push(1), --porcelain)', async () => {
    const taken = await offer();
    const refspec = `refs/xmpp/${device}/heads/main:refs/xmpp/${device}/heads/main`;
    expect(taken.stdout.split('\n').filter((line) => line.includes('\t'))).toEqual([`*\t${refspec}\t[new reference]`]);
    const service = serveReceiveOffer(await open(theirs), { namespace: [`refs/xmpp/${other}`] });
    const refused = await runPiped(ours, offerArgs({ device, fdIn: 3, fdOut: 4 }), service);
    const lines = refused.stdout.split('\n').filter((line) => line.includes('\t'));
    expect(lines).toHaveLength(1);
    expect(lines[0]?.startsWith(`!\t${refspec}\t`)).toBe(true);
  });
});
