// What a paired peer can do that serves harm: somebody clones and fetches from a device with a paired key that answers for itself (docs/THREATS.md,
// "Paired peers, attack by attack"). Rule: whatever it serves, nothing is written but into the folder that was asked for, nothing of it runs, the agent
// goes on, and the words name what is wrong and steer no terminal (test/helpers/victim.ts looks at that after each command).

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../src/lib/errors.ts';
import { parseOid } from '../../src/lib/names.ts';
import type { Attacked } from '../helpers/attacked-agent.ts';
import type { Device } from '../helpers/device.ts';
import { blobOf, commitOf, commitWith, oidOf, packet, packOf, treeOf } from '../helpers/hostile-pack.ts';
import { advertise, band, serveByHand } from '../helpers/hostile-server.ts';
import { EVIL, HELLO, harmless, startVictim } from '../helpers/victim.ts';
import type { HostileServer, Victim } from '../helpers/victim.ts';

let world: Attacked;
let romeo: Device;
let victim: Victim;
let juliet: HostileServer;

beforeAll(async () => {
  ({ world, victim, juliet } = await startVictim());
  ({ romeo } = world);
});

beforeEach(() => juliet.isHarmless());

afterAll(() => world?.stop());

/** What is never to run: the file would be seen. */
function touch(): string {
  return `touch ${romeo.path('ran')}`;
}

describe('a peer that serves', () => {
  it('what is right is cloned and fetched from: what follows is refused for what it is', async () => {
    const clone = await victim.clones();
    expect(clone).toMatchObject({ code: 0, isThere: true });
    expect(await victim.runs(['git', 'fetch', 'origin'], clone.dir, true)).toMatchObject({ code: 0 });
    const own = await victim.xmppClones();
    expect(own).toMatchObject({ code: 0, isThere: true });
    expect(await romeo.git(own.dir, 'rev-parse', 'HEAD')).toBe(harmless.tip);
    await romeo.xmppIn(own.dir, 'unshare');
  });
});

describe('a peer whose trees', () => {
  it.each(['.git', '.GIT', 'git~1', '..', '../evil', '.git/hooks/post-checkout', '/evil'])('hold %j has no file of it written', async (given) => {
    // Where it would be seen.
    const name = given.startsWith('/') ? romeo.path(given) : given;
    juliet.serves(commitWith([{ mode: '100755', name, oid: oidOf(HELLO) }], [HELLO]));
    const clone = await victim.clones();
    expect(clone.stderr).toContain('Clone succeeded, but checkout failed');
    expect(readdirSync(clone.dir)).toEqual(['.git']);
    expect(readdirSync(path.join(clone.dir, '.git/hooks')).filter((hook) => !hook.endsWith('.sample'))).toEqual([]);
    expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringMatching(/hasDot|fullPathname/) });
  });

  it.each(['in a folder', 'in a name'])('hold a link and a file behind it, %s, write nothing where the link leads', async (how) => {
    const [link, inner] = [blobOf('..'), treeOf([{ mode: '100644', name: 'evil', oid: oidOf(HELLO) }])];
    const behind = how === 'in a folder' ? { mode: '40000', name: 'x', oid: oidOf(inner) } : { mode: '100644', name: 'x/evil', oid: oidOf(HELLO) };
    juliet.serves(commitWith([{ mode: '120000', name: 'x', oid: oidOf(link) }, behind], [link, inner, HELLO]));
    await victim.clones();
    expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringMatching(/duplicateEntries|fullPathname/) });
  });

  it.each([
    ['a URL that is an option', '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n', 'gitmodulesUrl'],
    ['a path that is an option', '[submodule "x"]\n\tpath = -x\n\turl = ../x\n', 'gitmodulesPath'],
    ['a name that climbs', '[submodule "../../x"]\n\tpath = x\n\turl = ./x\n', 'gitmodulesName'],
    ['a command for an update', '[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = !./payload\n', 'gitmodulesUpdate'],
    ['a path that climbs', '[submodule "x"]\n\tpath = ../../x\n\turl = ../x\n', undefined],
  ])('have .gitmodules name %s have nothing cloned or run', async (_what, text, fault) => {
    const [modules, payload] = [blobOf(text), blobOf(`#!/bin/sh\n${touch()}\n`)];
    const entries = [{ mode: '100644', name: '.gitmodules', oid: oidOf(modules) }, { mode: '100755', name: 'payload', oid: oidOf(payload) }, { mode: '160000', name: 'x', oid: parseOid('1'.repeat(40)) }];
    juliet.serves(commitWith(entries, [modules, payload]));
    for (const more of [[], ['--recurse-submodules']]) {
      const { dir } = await victim.runs(['git', 'clone', ...more, 'xmpp::juliet/loot']);
      expect(existsSync(path.join(dir, '.git/modules'))).toBe(false);
      expect(readdirSync(path.join(dir, 'x'))).toEqual([]);
    }
    if (fault !== undefined) expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringContaining(fault) });
  });

  it('name filters, drivers and hooks are files, and nothing of them runs', async () => {
    const files = { '.gitattributes': '* filter=evil diff=evil merge=evil\n', '.gitconfig': `[core]\n\tfsmonitor = ${touch()}\n[filter "evil"]\n\tsmudge = ${touch()}\n`, '.githooks-post-checkout': `#!/bin/sh\n${touch()}\n` };
    const blobs = Object.values(files).map(blobOf);
    juliet.serves(commitWith(Object.keys(files).map((name, index) => ({ mode: '100755', name, oid: oidOf(blobs[index] ?? HELLO) })), blobs));
    const clone = await victim.clones();
    expect(clone).toMatchObject({ code: 0 });
    expect(await romeo.git(clone.dir, 'status', '--porcelain')).toBe('');
    expect(readdirSync(clone.dir).toSorted()).toEqual(['.git', ...Object.keys(files)].toSorted());
  });
});

describe('a peer whose refs', () => {
  const PLAIN = ['refs/heads/main', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main'];

  it.each(['refs/heads/../../x', 'refs/heads/x.lock', 'refs/heads/a\u0001b', `refs/heads/${EVIL.trim()}`, 'refs/heads/HEAD', '../../config', 'refs/stash', 'refs/notes/commits', 'refs/remotes/origin/x', 'refs/xmpp/kept/x', `refs/replace/${harmless.tip}`])(
    'name %j beside the branch bring the branch alone',
    async (name) => {
      juliet.serves(harmless, [name]);
      const clone = await victim.clones();
      expect(clone).toMatchObject({ code: 0 });
      expect((await romeo.git(clone.dir, 'for-each-ref', '--format=%(refname)')).split('\n')).toEqual(PLAIN);
      expect(await victim.runs(['git', 'fetch', '--prune', 'origin'], clone.dir, true)).toMatchObject({ code: 0 });
      expect((await romeo.git(clone.dir, 'for-each-ref', '--format=%(refname)')).split('\n')).toEqual(PLAIN);
    },
  );

  it.each(['refs/../../../evil', '../../evil', '/etc/passwd', 'config', 'refs/stash'])('say that HEAD is %j have it be the branch, or its commit', async (head) => {
    juliet.serves(harmless, [], `side-band-64k symref=HEAD:${head}`);
    const clone = await victim.clones();
    expect(clone).toMatchObject({ code: 0 });
    expect(['ref: refs/heads/main', harmless.tip]).toContain(readFileSync(path.join(clone.dir, '.git/HEAD'), 'utf8').trim());
  });

  it.each([
    ['are none at all', '', 'Could not read from remote repository'],
    ['have a length that lies', `ffff${'x'.repeat(100)}`, 'bad line length'],
    ['have a length that none has', '0003', 'bad line length 3'],
    ['are junk', EVIL, 'bad line length character'],
    ['are an error in words that steer', packet(`ERR ${EVIL}`), 'evil'],
  ])('%s are named, and nothing is left', async (_what, bytes, words) => {
    juliet.says(bytes);
    expect(await victim.clones()).toMatchObject({ code: 128, isThere: false, stderr: expect.stringContaining(words) });
    expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringContaining(words) });
  });
});

describe('a peer whose packs', () => {
  const LATER = blobOf('later\n');
  const news = commitWith([{ mode: '100644', name: 'later', oid: oidOf(LATER) }], [LATER]);
  const lacking = commitOf(parseOid('1'.repeat(40)));

  it.each([
    ['have a wrong hash', { ...news, pack: Buffer.concat([news.pack.subarray(0, -1), Buffer.from([(news.pack.at(-1) ?? 0) ^ 1])]) }, /pack is corrupted|did not match/],
    ['hold fewer objects than they tell', { ...news, pack: packOf([LATER], { count: 9 }) }, /bad object|early EOF|unknown object type/],
    ['break off', { ...news, pack: news.pack.subarray(0, 50) }, /early EOF/],
    ['are empty', { ...news, pack: Buffer.alloc(0) }, /early EOF|bad pack header/],
    ['are junk', { ...news, pack: Buffer.alloc(3000, 'PACK') }, /unsupported|bad pack header/],
    ['lack what the refs say', { ...news, pack: packOf([LATER]) }, /did not send all necessary objects/],
    ['lack what the commit leads to', { tip: oidOf(lacking), pack: packOf([lacking]) }, /did not receive expected object|did not send all/],
  ])('%s are named, and neither a folder nor a ref is left', async (_what, commit, words) => {
    const { dir } = await victim.clones();
    const refs = await romeo.git(dir, 'for-each-ref');
    for (const capabilities of ['side-band-64k', 'ofs-delta']) {
      juliet.serves(commit, [], capabilities);
      expect(await victim.clones()).toMatchObject({ code: 128, isThere: false, stderr: expect.stringMatching(words) });
    }
    const fetched = await victim.runs(['git', 'fetch', 'origin'], dir, true);
    expect(fetched.code).not.toBe(0);
    expect(fetched.stderr).toMatch(words);
    expect(await romeo.git(dir, 'for-each-ref')).toBe(refs);
    expect(await romeo.git(dir, 'fsck', '--no-dangling')).toBe('');
    expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringMatching(words) });
  });
});

describe('a peer whose words', () => {
  it.each([0, 1, 255])('steer a terminal, at an end with %i, are cleaned', async (exit) => {
    juliet.says('', { exit, stderr: EVIL });
    expect(await victim.clones()).toMatchObject({ code: 128, stderr: expect.stringContaining('?]0;title??[2Jevil\n') });
  });

  it.each([2, 3] as const)('steer a terminal, in the middle of a fetch, in band %i, are cleaned', async (number) => {
    juliet.serve = () =>
      serveByHand(async ({ say, heard }) => {
        say(advertise([['HEAD', harmless.tip]]));
        await heard('done');
        say(Buffer.concat([Buffer.from(packet('NAK\n')), band(number, Buffer.from(EVIL))]));
      });
    expect(await victim.clones()).toMatchObject({ code: 128, stderr: expect.stringContaining('?]0;title??[2J') });
  });

  it('steer a terminal, in a refusal, are cleaned', async () => {
    juliet.serve = () => Promise.reject(new Fault('not-granted', EVIL.repeat(1000)));
    expect(await victim.clones()).toMatchObject({ code: 128, stderr: expect.stringContaining('[not-granted]') });
  });

  it.each([5_000, 1_000_000])('are %i characters long do not reach anybody', async (length) => {
    juliet.says('', { exit: 1, stderr: 'x'.repeat(length) });
    const clone = await victim.clones();
    expect(clone).toMatchObject({ code: 128, isThere: false });
    expect(clone.stderr).not.toContain('xxxxx');
  });
});
