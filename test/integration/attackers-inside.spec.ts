// What a paired peer can do that means harm: a real agent, and a device with a paired key that speaks for itself (docs/THREATS.md, "Paired peers, attack by
// attack"). Rule: whatever it sends, the agent goes on as the same process, with the same refs, no new object, and nothing left lying about.

import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_COMMANDS } from '../../src/git/push-head-machine.ts';
import { parseOid, parseRefName, parseRepoId } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';
import { startAttacked } from '../helpers/attacked-agent.ts';
import type { Attacked, Seen } from '../helpers/attacked-agent.ts';
import type { Device } from '../helpers/device.ts';
import { blobOf, commandsOf, commitOf, commitWith, oidOf, packOf, treeOf, zeroDelta } from '../helpers/hostile-pack.ts';
import type { PackEntry, RefCommand } from '../helpers/hostile-pack.ts';
import { finish } from '../helpers/hostile-peer.ts';
import type { HostilePeer, Outcome } from '../helpers/hostile-peer.ts';
import { peakDuring } from '../helpers/memory.ts';
import { until } from '../helpers/waiting.ts';

const MIB = 2 ** 20;

let world: Attacked;
/** Whose repository it is. */
let romeo: Device;
let eve: HostilePeer;
let play: string;
let corner: string;
let look: () => Seen;

beforeAll(async () => {
  world = await startAttacked();
  ({ romeo, eve, play, look } = world);
  corner = `refs/xmpp/${eve.device}`;
});

afterAll(() => world?.stop());

const HARMLESS = blobOf('hello\n');
/** What no attack has brought yet. */
const LATER = blobOf('later\n');
const later = commitWith([{ mode: '100644', name: 'later', oid: oidOf(LATER) }], [LATER]);
const harmless = commitWith([{ mode: '100644', name: 'hello', oid: oidOf(HARMLESS) }], [HARMLESS]);

describe('a peer that may read', () => {
  it.each([
    ['pushes', () => eve.push([{ ref: 'refs/heads/hers', to: harmless.tip }], harmless.pack)],
    ['offers', () => eve.offer([{ ref: `${corner}/heads/main`, to: harmless.tip }], harmless.pack)],
    ['sends a slice', () => eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-0`, to: harmless.tip }], harmless.pack)],
    ['spools a pack', () => eve.spool(harmless.pack, harmless.tip)],
  ])('%s, and is refused before a byte of it is read', async (_what, attack) => {
    const before = look();
    expect(await attack()).toMatchObject({ fault: 'not-granted' });
    expect(look()).toEqual(before);
  });

  it('asks for what is not shared with it, and is told what it would be told of what does not exist', async () => {
    const nowhere = parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11');
    const [hidden, none] = await Promise.all([world.secret, nowhere].map(async (repo) => finish(await eve.open('git-upload-pack', {}, repo), Buffer.from('0000'))));
    expect(hidden).toEqual({ fault: 'no-such-repo', words: 'no such repository' });
    expect(none).toEqual(hidden);
    expect(JSON.stringify(await eve.ask('GET', '/repos'))).not.toContain('diary');
  });

  it.each(['/repos/../repos', '/repos/%2e%2e/offer', '/repos//offer', '//repos', '/repos?x', `/repos/${'0'.repeat(300)}/offer`, '/status', '/events'])('asks for %s, which is no request', async (route) => {
    await expect(eve.ask('POST', route, {})).rejects.toMatchObject({ code: 'bad-input' });
  });
});

describe('a peer that may offer', () => {
  let before: Seen;

  beforeAll(async () => {
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'offer');
    before = look();
  });

  /** @param mayStore whether nothing is wrong with its objects: they may lie there, and nothing leads to them */
  const refused = async (attack: Promise<Outcome>, mayStore = false): Promise<void> => {
    const { exit, fault } = await attack;
    const now = look();
    expect(exit === 0 ? 'taken in' : 'refused', fault).toBe('refused');
    expect({ ...now, objects: mayStore ? before.objects : now.objects }).toEqual(before);
    before = now;
  };

  it.each([
    'refs/heads/main',
    'refs/heads/new',
    'refs/tags/new',
    'HEAD',
    'refs/stash',
    'refs/replace/0123456789012345678901234567890123456789',
    `refs/xmpp/${'0'.repeat(32)}/heads/main`,
    `refs/xmpp/partial/${'0'.repeat(32)}/in-0`,
    'refs/xmpp/kept/x',
    '/etc/passwd',
    '../../../etc/x',
    'config',
    'hooks/update',
    'objects/info/alternates',
  ])('writes %s, which is not in its corner', (ref) => refused(eve.offer([{ ref, to: harmless.tip }], harmless.pack), true));

  it.each(['/../../../heads/x', '/heads/../../../heads/x', '/heads/..', '/heads/a..b', '/heads/x\u0001y', '/heads/x y', '/heads/x.lock', '/heads/.x', '/heads//x', '/heads/x/', '/heads/@{x', '/heads/x\\y', '', '/heads/x\nrefs/heads/y'])(
    'gives a ref of its corner the name %j, which git has none of',
    (name) => refused(eve.offer([{ ref: `${corner}${name}`, to: harmless.tip }], harmless.pack), true),
  );

  it.each([
    ['longer than a file name', `/heads/${'x'.repeat(300)}`],
    ['longer than a path', `/heads/${'x/'.repeat(3000)}x`],
    ['not in a map', '/notes/x'],
    ['the branch HEAD', '/heads/HEAD'],
  ])('gives a ref of its corner a name that is %s, and none is left', (_what, name) => refused(eve.offer([{ ref: `${corner}${name}`, to: harmless.tip }], harmless.pack), true));

  it('signs another map than it pushes', () => refused(eve.offer([{ ref: `${corner}/heads/main`, to: harmless.tip }], harmless.pack, new Map([[parseRefName('refs/heads/other'), harmless.tip]])), true));

  it.each(['.git', '.GIT', '.Git', 'git~1', 'GIT~1', '.git ', '.git.', '.git...', '.git::$INDEX_ALLOCATION', '.g\u200cit', '.gi\u200dt', '\u200e.git', '.git\u206a', '.git\\x', '.', '..', '', 'a/b', '/etc', '.git/hooks'])(
    'hides a folder of git in a tree as %j',
    (name) => refused(eve.offer([{ ref: `${corner}/heads/main`, to: commitWith([{ mode: '100644', name, oid: oidOf(HARMLESS) }]).tip }], commitWith([{ mode: '100644', name, oid: oidOf(HARMLESS) }], [HARMLESS]).pack)),
  );

  it.each([
    ['a URL that is an option', '[submodule "x"]\n\tpath = x\n\turl = -u./evil\n'],
    ['a URL with a line break', '[submodule "x"]\n\tpath = x\n\turl = "https://example.org/\\n.git"\n'],
    ['a path that is an option', '[submodule "x"]\n\tpath = -x\n\turl = ./x\n'],
    ['a name that climbs', '[submodule "../../hooks"]\n\tpath = x\n\turl = ./x\n'],
    ['a command for an update', '[submodule "x"]\n\tpath = x\n\turl = ./x\n\tupdate = !touch evil\n'],
  ])('has .gitmodules name %s', (_what, text) => {
    const blob = blobOf(text);
    const { tip, pack } = commitWith([{ mode: '100644', name: '.gitmodules', oid: oidOf(blob) }], [blob]);
    return refused(eve.offer([{ ref: `${corner}/heads/main`, to: tip }], pack));
  });

  it.each(['.gitmodules', '.GitModules', 'GITMOD~1', '.gitmodules '])('makes %j a link', (name) => {
    const blob = blobOf('x/../../.git/config');
    const { tip, pack } = commitWith([{ mode: '120000', name, oid: oidOf(blob) }], [blob]);
    return refused(eve.offer([{ ref: `${corner}/heads/main`, to: tip }], pack));
  });

  const missing = parseOid('1'.repeat(40));
  const cycle = (): PackEntry[] => [{ on: parseOid('2'.repeat(40)), delta: zeroDelta(10, 10) }, { on: parseOid('3'.repeat(40)), delta: zeroDelta(10, 10) }];
  it.each([
    ['that breaks off', () => later.pack.subarray(0, 60)],
    ['that breaks off in its hash', () => later.pack.subarray(0, -1)],
    ['with a wrong hash', () => Buffer.concat([later.pack.subarray(0, -1), Buffer.from([(later.pack.at(-1) ?? 0) ^ 1])])],
    ['with one bit that is wrong', () => Buffer.from(later.pack.map((byte, at) => (at === 40 ? byte ^ 4 : byte)))],
    ['with more objects than it tells', () => packOf([LATER, LATER], { count: 1 })],
    ['with fewer objects than it tells', () => packOf([LATER], { count: 2 })],
    ['that tells four thousand million objects', () => packOf([LATER], { count: 0xff_ff_ff_ff })],
    ['with a delta on what is nowhere', () => packOf([{ on: missing, delta: zeroDelta(10, 10) }])],
    ['with deltas on each other', () => packOf(cycle())],
    ['with a delta that lies about its base', () => packOf([LATER, { on: oidOf(LATER), delta: zeroDelta(1 << 20, 1 << 20) }])],
    ['that lacks what its commit leads to', () => packOf([commitOf(missing)])],
    ['of noise', () => Buffer.alloc(3000, 'PACK')],
    ['that is none at all', () => Buffer.alloc(0)],
  ])('sends a pack %s', async (_what, pack) => {
    await refused(eve.offer([{ ref: `${corner}/heads/main`, to: later.tip }], pack()));
    await refused(eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-0`, to: later.tip }], pack()));
    if (pack().length > 0) await refused(eve.spool(pack(), later.tip));
  });

  it('sends 16 KB that stand for 4 GiB, in one delta, and git is not given the memory', async () => {
    const base = blobOf(Buffer.alloc(0xff_ff_ff));
    const pack = packOf([base, { on: oidOf(base), delta: zeroDelta(0xff_ff_ff, 4 * 2 ** 30) }]);
    expect(pack.length).toBeLessThan(20_000);
    const peak = await peakDuring(romeo.agentPid(), async () => {
      await refused(eve.offer([{ ref: `${corner}/heads/main`, to: oidOf(base) }], pack));
      await refused(eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-0`, to: oidOf(base) }], pack));
      await refused(eve.spool(pack, oidOf(base)));
    });
    expect(peak.started).toBeLessThan(400 * MIB);
  });

  it('names more refs than any map holds, and not one is written', async () => {
    const commands = Array.from({ length: MAX_COMMANDS + 1 }, (_, index): RefCommand => ({ ref: `${corner}/heads/${index}`, to: harmless.tip }));
    const outcome = await eve.offer(commands, harmless.pack);
    expect(outcome.words).toContain(`names more than ${MAX_COMMANDS} refs`);
    await refused(Promise.resolve(outcome));
  });

  it('loses the right in the middle of its offer, and what it sent counts for nothing', async () => {
    const service = await eve.open('offer', eve.offerHeaders(new Map([[parseRefName('refs/heads/main'), later.tip]])));
    await service.accepted;
    service.upload.write(Buffer.concat([commandsOf([{ ref: `${corner}/heads/main`, to: later.tip }]), later.pack.subarray(0, 100)]));
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'read');
    await expect(service.end).rejects.toMatchObject({ code: expect.stringMatching(/not-granted|timeout/) });
    expect(look()).toEqual(before);
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'offer');
  });

  it('offers what is right, and it is taken into its corner: the attacks above were refused for what they are', async () => {
    const refs = new Map([[parseRefName('refs/heads/main'), harmless.tip]]);
    expect(await eve.offer([{ ref: `${corner}/heads/main`, to: harmless.tip }], harmless.pack, refs)).toMatchObject({ exit: 0, words: expect.stringContaining('unpack ok') });
    expect(await romeo.git(play, 'rev-parse', `${corner}/heads/main`)).toBe(harmless.tip);
  });

  it('sends junk behind a pack, which git does not read', async () => {
    const commands = [{ ref: `${corner}/heads/main`, from: harmless.tip, to: later.tip }];
    expect(await eve.offer(commands, Buffer.concat([later.pack, Buffer.alloc(5000, 'x')]))).toMatchObject({ exit: 0 });
    expect(await romeo.git(play, 'rev-parse', `${corner}/heads/main`)).toBe(later.tip);
    expect(look().files).toEqual(before.files);
    expect(await romeo.git(play, 'fsck', '--strict', '--no-dangling')).toBe('');
  });
});

describe('a peer that may write', () => {
  let tip: Oid;
  let before: Seen;
  const mark = (): string => romeo.path('ran');

  /** A commit on top of what is there, of which only its own objects are sent. */
  const onTop = (files: readonly { readonly mode: string; readonly name: string; readonly text: string }[]): { readonly tip: Oid; readonly pack: Buffer } => {
    const blobs = files.filter(({ mode }) => mode !== '160000').map(({ text }) => blobOf(text));
    const tree = treeOf(files.map(({ mode, name, text }) => ({ mode, name, oid: mode === '160000' ? parseOid(text) : oidOf(blobOf(text)) })));
    const commit = commitOf(oidOf(tree), 'news', [tip]);
    return { tip: oidOf(commit), pack: packOf([...blobs, tree, commit]) };
  };

  beforeAll(async () => {
    await romeo.xmpp('grant', 'juliet@localhost', 'play', 'write');
    const own = Object.keys(look().refs).find((ref) => /^refs\/xmpp\/[0-9a-f]{32}\/heads\/main$/.test(ref) && !ref.startsWith(corner)) ?? '';
    await romeo.git(play, 'tag', 'v1');
    // Its own agent has told of it: nothing but the attacks moves refs from here on.
    await romeo.ref(play, own.replace('heads/main', 'tags/v1'), await romeo.git(play, 'rev-parse', 'HEAD'));
    // What a person, or an older attack, may have left in the repository: none of it is to run for a peer.
    const hooks = ['pre-receive', 'update', 'post-receive', 'post-update', 'push-to-checkout', 'reference-transaction', 'post-checkout', 'post-merge', 'post-index-change', 'fsmonitor'];
    for (const hook of hooks) writeFileSync(path.join(play, '.git/hooks', hook), `#!/bin/sh\necho ${hook} >> '${mark()}'\n`, { mode: 0o755 });
    tip = parseOid(await romeo.git(play, 'rev-parse', 'HEAD'));
    await romeo.git(play, 'config', 'core.fsmonitor', path.join(play, '.git/hooks/fsmonitor'));
    before = look();
  });

  it.each(['refs/xmpp/kept/x', 'refs/replace/0123456789012345678901234567890123456789', 'refs/notes/x', 'refs/remotes/origin/x', 'refs/stash', 'HEAD', 'refs/heads/../../x', 'refs/heads/.x', '/etc/passwd'])(
    'pushes %s, which is neither branch nor tag',
    async (ref) => {
      await eve.push([{ ref, to: harmless.tip }], harmless.pack);
      expect({ ...look(), objects: before.objects }).toEqual(before);
    },
  );

  it('deletes, rewrites, moves a tag: nothing moves', async () => {
    await eve.push([{ ref: 'refs/heads/main', from: tip }], Buffer.alloc(0));
    await eve.push([{ ref: 'refs/heads/main', from: tip, to: harmless.tip }], harmless.pack);
    await eve.push([{ ref: 'refs/tags/v1', from: tip, to: harmless.tip }], harmless.pack);
    expect({ ...look(), objects: before.objects }).toEqual(before);
  });

  it('pushes hooks, attributes and submodules into a branch that is checked out: they are files, and nothing of them runs or is fetched', async () => {
    const { tip: news, pack } = onTop([
      { mode: '100644', name: '.gitattributes', text: '* filter=evil merge=evil diff=evil\n' },
      { mode: '100755', name: '.githooks-post-checkout', text: `#!/bin/sh\ntouch '${mark()}'\n` },
      { mode: '100644', name: '.gitmodules', text: '[submodule "x"]\n\tpath = x\n\turl = https://127.0.0.1:1/x.git\n' },
      { mode: '160000', name: 'x', text: '1'.repeat(40) },
    ]);
    expect(await eve.push([{ ref: 'refs/heads/main', from: tip, to: news }], pack)).toMatchObject({ exit: 0 });
    // Looked at without git, which would run a person's own hooks: all of it is checked out, and nothing has run meanwhile.
    await until(() => existsSync(path.join(play, '.gitmodules')) && readFileSync(path.join(play, '.git/refs/heads/main'), 'utf8').trim() === news);
    expect(existsSync(mark())).toBe(false);
    await romeo.git(play, 'config', '--unset', 'core.fsmonitor');
    for (const hook of readdirSync(path.join(play, '.git/hooks')).filter((name) => !name.endsWith('.sample'))) rmSync(path.join(play, '.git/hooks', hook));
    await romeo.head(play, news);
    expect(existsSync(path.join(play, '.git/modules'))).toBe(false);
    expect(readdirSync(path.join(play, 'x'))).toEqual([]);
  });
});
