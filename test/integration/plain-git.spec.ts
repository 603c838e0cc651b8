// Plain git across the tunnel, through the remote helper and through the shim that stands in for ssh (issue: "Git"; docs/ARCHITECTURE.md).
// Rule: git itself is the judge: the same objects, the same refs, its own progress and its own exit codes.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { Device, Ended } from '../helpers/device.ts';
import { startSshd } from '../helpers/sshd.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';

/** What the issue allows, and a generous second for git and the shim to start on a busy machine. */
const OFFLINE_MS = 3_000 + 1_000;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
let big: string;

beforeAll(async () => {
  setting = await startTwoDevices();
  ({ laptop, desktop } = setting);
  big = await makeBigRepo(laptop, 'big');
  expect(await laptop.xmppIn(big, 'share')).toMatchObject({ code: 0 });
});

afterAll(() => setting?.stop());

const SHIM = { GIT_SSH_COMMAND: 'git-xmpp-shell' };

describe.each([
  { way: 'the remote helper', url: (repo: string) => `xmpp::laptop/${repo}`, env: {} },
  { way: 'the shim in the place of ssh', url: (repo: string) => `laptop:${repo}`, env: SHIM },
])('git through $way', ({ way, url, env }) => {
  const git = (cwd: string, ...args: string[]): Promise<Ended> => desktop.run('git', args, { cwd, env });
  const name = way.replaceAll(' ', '-');
  let clone: string;

  const good = async (cwd: string, ...args: string[]): Promise<Ended> => {
    const end = await git(cwd, ...args);
    expect(end, args.join(' ')).toMatchObject({ code: 0 });
    return end;
  };

  beforeAll(async () => {
    clone = desktop.path(name);
    const end = await good(desktop.dir, 'clone', '--progress', url('big'), clone);
    expect(end.stderr).toMatch(/Receiving objects: 100%/);
  });

  it('clones a repository of over 10 MB with tags and merges, object for object the same', async () => {
    const [ours, theirs] = await Promise.all([contentsOf(laptop, big), contentsOf(desktop, clone, 'refs/remotes/origin')]);
    expect(theirs.objects).toEqual(ours.objects);
    expect(theirs.refs).toEqual(ours.refs);
    expect(ours.refs.filter((line) => line.includes('refs/tags/')).length).toBeGreaterThan(5);
    expect(await laptop.git(big, 'rev-list', '--count', '--merges', 'main')).not.toBe('0');
    const sizes = (await desktop.git(clone, 'count-objects', '-v')).match(/size-pack: (\d+)/);
    expect(Number(sizes?.[1])).toBeGreaterThan(10 * 1024);
    await good(clone, 'fsck', '--full', '--strict');
  });

  it('lists the refs of the other: HEAD, branches and tags, nothing of the agents', async () => {
    const { stdout } = await good(desktop.dir, 'ls-remote', url('big'));
    const local = await laptop.git(laptop.dir, 'ls-remote', big);
    const seen = local.split('\n').filter((line) => !line.includes('refs/xmpp/') && !line.includes('refs/remotes/'));
    expect(stdout.trim().split('\n')).toEqual(seen);
    expect(seen.length).toBeGreaterThan(8);
  });

  it('fetches what is new', async () => {
    const tip = await laptop.commit(big, { [`${name}.txt`]: 'new\n' }, `for ${name}`);
    await good(clone, 'fetch', 'origin');
    expect(await desktop.git(clone, 'rev-parse', 'origin/main')).toBe(tip);
    await good(clone, 'pull', '--quiet', '--ff-only');
  });

  it('clones with --depth 1', async () => {
    const dir = desktop.path(`${name}-shallow`);
    await good(desktop.dir, 'clone', '--quiet', '--depth', '1', url('big'), dir);
    expect(await desktop.git(dir, 'rev-list', '--count', 'HEAD')).toBe('1');
    expect(await desktop.git(dir, 'rev-parse', 'HEAD')).toBe(await laptop.git(big, 'rev-parse', 'main'));
    rmSync(dir, { recursive: true });
  });

  it('pushes a new branch, and then more of it', async () => {
    await desktop.git(clone, 'switch', '--quiet', '--create', `topic-${name}`);
    const first = await desktop.commit(clone, { 'topic.txt': '1\n' }, 'topic 1');
    const pushed = await good(clone, 'push', '--progress', 'origin', 'HEAD');
    expect(pushed.stderr).toMatch(/Writing objects: 100%/);
    expect(pushed.stderr).toMatch(/\[new branch\]/);
    expect(await laptop.git(big, 'rev-parse', `topic-${name}`)).toBe(first);
    const second = await desktop.commit(clone, { 'topic.txt': '2\n' }, 'topic 2');
    await good(clone, 'push', 'origin', 'HEAD');
    expect(await laptop.git(big, 'rev-parse', `topic-${name}`)).toBe(second);
  });

  it('pushes with --force-with-lease where the lease holds, and not where it does not', async () => {
    const branch = `topic-${name}`;
    const there = await laptop.git(big, 'rev-parse', branch);
    await desktop.commit(clone, { 'topic.txt': '3\n' }, 'topic 3');
    const stale = await git(clone, 'push', `--force-with-lease=${branch}:${there}~1`, 'origin', 'HEAD');
    expect(stale).toMatchObject({ code: 1 });
    expect(stale.stderr).toMatch(/stale info/);
    expect(await laptop.git(big, 'rev-parse', branch)).toBe(there);
    await good(clone, 'push', `--force-with-lease=${branch}:${there}`, 'origin', 'HEAD');
    expect(await laptop.git(big, 'rev-parse', branch)).toBe(await desktop.git(clone, 'rev-parse', 'HEAD'));
  });

  it('is refused a rewrite and a deletion in words: people push fast-forward only', async () => {
    const branch = `topic-${name}`;
    const there = await laptop.git(big, 'rev-parse', branch);
    await desktop.git(clone, 'commit', '--quiet', '--amend', '-m', 'rewritten');
    const rewrite = await git(clone, 'push', '--force', 'origin', 'HEAD');
    expect(rewrite).toMatchObject({ code: 1 });
    expect(rewrite.stderr).toMatch(/remote rejected.*non-fast-forward/);
    const deletion = await git(clone, 'push', 'origin', `:${branch}`);
    expect(deletion).toMatchObject({ code: 1 });
    expect(deletion.stderr).toMatch(/remote rejected.*deletion prohibited/);
    const hidden = await git(clone, 'push', 'origin', 'HEAD:refs/xmpp/mine');
    expect(hidden).toMatchObject({ code: 1 });
    expect(await laptop.git(big, 'rev-parse', branch)).toBe(there);
  });

  it('names an unknown repository, and the command that lists them', async () => {
    const end = await git(desktop.dir, 'ls-remote', url('nowhere'));
    expect(end.code).toBe(128);
    expect(end.stderr).toContain('laptop shows no repository "nowhere"');
    expect(end.stderr).toContain('it shows: big');
  });
});

describe('a push to the branch that is checked out there', () => {
  let notes: string;
  let clone: string;

  beforeAll(async () => {
    notes = await laptop.repo('notes', { 'a.txt': 'one\n', 'b.txt': 'one\n' });
    expect(await laptop.xmppIn(notes, 'share')).toMatchObject({ code: 0 });
    clone = desktop.path('pusher');
    await desktop.git(desktop.dir, 'clone', '--quiet', 'xmpp::laptop/notes', clone);
  });

  it('moves its work tree along', async () => {
    const tip = await desktop.commit(clone, { 'a.txt': 'two\n', 'new/c.txt': 'c\n' }, 'pushed');
    await desktop.git(clone, 'push', '--quiet');
    expect(await laptop.git(notes, 'rev-parse', 'HEAD')).toBe(tip);
    expect(readFileSync(path.join(notes, 'a.txt'), 'utf8')).toBe('two\n');
    expect(readFileSync(path.join(notes, 'new/c.txt'), 'utf8')).toBe('c\n');
    expect(await laptop.git(notes, 'status', '--porcelain')).toBe('');
  });

  it('goes past a dirty file that it does not touch', async () => {
    writeFileSync(path.join(notes, 'b.txt'), 'being edited\n');
    const tip = await desktop.commit(clone, { 'a.txt': 'three\n' }, 'beside it');
    await desktop.git(clone, 'push', '--quiet');
    expect(await laptop.git(notes, 'rev-parse', 'HEAD')).toBe(tip);
    expect(readFileSync(path.join(notes, 'b.txt'), 'utf8')).toBe('being edited\n');
    await laptop.git(notes, 'checkout', '--quiet', 'b.txt');
  });

  it('is refused, naming the file, where somebody is editing it', async () => {
    const before = await laptop.git(notes, 'rev-parse', 'HEAD');
    writeFileSync(path.join(notes, 'a.txt'), 'being edited\n');
    await desktop.commit(clone, { 'a.txt': 'four\n' }, 'in the way');
    const end = await desktop.run('git', ['push'], { cwd: clone });
    expect(end.code).toBe(1);
    expect(end.stderr).toContain('a.txt has changes that are not committed');
    expect(end.stderr).toContain('remote rejected');
    expect(end.stderr).not.toMatch(/^remote: error:/m);
    expect(await laptop.git(notes, 'rev-parse', 'HEAD')).toBe(before);
    expect(readFileSync(path.join(notes, 'a.txt'), 'utf8')).toBe('being edited\n');
    await laptop.git(notes, 'checkout', '--quiet', 'a.txt');
    await desktop.git(clone, 'push', '--quiet');
    expect(readFileSync(path.join(notes, 'a.txt'), 'utf8')).toBe('four\n');
  });
});

describe('git-xmpp-shell -c behind a real sshd', () => {
  it('serves the shared repositories, and nothing else', async () => {
    const env = `PATH='${laptop.env['PATH']}' HOME='${laptop.dir}' GIT_XMPP_HOME='${laptop.home}'`;
    const sshd = await startSshd({ forcedCommand: `env -i ${env} git-xmpp-shell -c "$SSH_ORIGINAL_COMMAND"` });
    try {
      const git = (...args: string[]): Promise<Ended> => desktop.run('git', args, { env: { ...sshd.env } });
      const dir = desktop.path('over-ssh');
      expect(await git('clone', '--quiet', sshd.urlOf('/notes'), dir)).toMatchObject({ code: 0 });
      const tip = await desktop.commit(dir, { 'd.txt': 'over ssh\n' }, 'over ssh');
      expect(await git('-C', dir, 'push', '--quiet', 'origin', 'HEAD:refs/heads/over-ssh')).toMatchObject({ code: 0 });
      expect(await laptop.git(laptop.path('notes'), 'rev-parse', 'over-ssh')).toBe(tip);
      await laptop.repo('private');
      const refused = await git('ls-remote', sshd.urlOf(laptop.path('private')));
      expect(refused.code).toBe(128);
      expect(refused.stderr).toContain('is no repository that is shared here');
    } finally {
      await sshd.stop();
    }
  });
});

describe('git-xmpp-shell and a host that is no peer', () => {
  it('hands it to the real ssh, with the same arguments', async () => {
    const sshd = await startSshd();
    try {
      const env = { GIT_SSH_COMMAND: sshd.command.replace(/^ssh /, 'git-xmpp-shell '), GIT_SSH_VARIANT: 'ssh' };
      const dir = desktop.path('real-ssh');
      expect(await desktop.run('git', ['clone', '--quiet', sshd.urlOf(laptop.path('notes')), dir], { env })).toMatchObject({ code: 0 });
      expect(await desktop.git(dir, 'rev-parse', 'HEAD')).toBe(await laptop.git(laptop.path('notes'), 'rev-parse', 'HEAD'));
    } finally {
      await sshd.stop();
    }
  });
});

describe('git and a peer that cannot be reached', () => {
  it('names an unknown peer, and those there are', async () => {
    const end = await desktop.run('git', ['ls-remote', 'xmpp::nobody/notes']);
    expect(end.code).toBe(128);
    expect(end.stderr).toContain('no peer is called "nobody"');
    expect(end.stderr).toContain('paired are: laptop');
  });

  const expectOffline = async (command: readonly string[], env: Record<string, string> = {}): Promise<void> => {
    const before = performance.now();
    const end = await desktop.run('git', command, { env });
    expect(performance.now() - before).toBeLessThan(OFFLINE_MS);
    expect(end.code).toBe(128);
    expect(end.stderr).toMatch(/laptop is offline \(last seen \d\d:\d\d\)/);
  };

  it('says that it is offline, and since when, after it said goodbye', async () => {
    await laptop.stop();
    await expectOffline(['ls-remote', 'xmpp::laptop/notes']);
    await expectOffline(['ls-remote', 'laptop:notes'], SHIM);
    const clone = desktop.path('pusher');
    await desktop.commit(clone, { 'e.txt': 'e\n' }, 'for later');
    await expectOffline(['-C', clone, 'push']);
  });

  it('finds it again as soon as it is back', async () => {
    await laptop.xmpp('daemon', 'start');
    await laptop.statusWhen(({ account }) => account.state === 'online');
    expect(await desktop.run('git', ['ls-remote', 'xmpp::laptop/notes'])).toMatchObject({ code: 0 });
  });

  it('says so too when it was killed', async () => {
    await laptop.kill();
    await expectOffline(['ls-remote', 'xmpp::laptop/notes']);
    await laptop.xmpp('daemon', 'start');
    await laptop.statusWhen(({ account }) => account.state === 'online');
    expect(await desktop.run('git', ['ls-remote', 'xmpp::laptop/notes'])).toMatchObject({ code: 0 });
  });
});
