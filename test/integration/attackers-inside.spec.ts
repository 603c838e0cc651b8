// What a paired peer can do that means harm: a real agent, and a device with a paired key that speaks for itself (docs/THREATS.md, "Paired peers, attack by
// attack"). Rule: whatever it sends, the agent goes on as the same process, with the same refs, no new object, and nothing left lying about.

import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadIdentity } from '../../src/home/identity.ts';
import { findHome } from '../../src/home/paths.ts';
import { Repos } from '../../src/home/repos.ts';
import { parseFullJid } from '../../src/lib/jid.ts';
import { parseOid, parseRefName, parseRepoId } from '../../src/lib/names.ts';
import { MAX_COMMANDS } from '../../src/git/push-head-machine.ts';
import { Device } from '../helpers/device.ts';
import { finish, HostilePeer } from '../helpers/hostile-peer.ts';
import type { Outcome } from '../helpers/hostile-peer.ts';
import { blobOf, commandsOf, commitOf, oidOf, packOf, treeOf, zeroDelta } from '../helpers/hostile-pack.ts';
import type { PackEntry, RefCommand } from '../helpers/hostile-pack.ts';
import { bomb, FLAG, frame, FRAME, PREFACE, requestFields } from '../helpers/http2-frames.ts';
import { familyOf, peakDuring, residentOf } from '../helpers/memory.ts';
import { playDevice } from '../helpers/played-device.ts';
import { startProsody } from '../helpers/prosody.ts';
import type { Prosody } from '../helpers/prosody.ts';
import { until } from '../helpers/waiting.ts';

const PASSWORDS = { romeo: 'r-secret', juliet: 'j-secret' };
const MIB = 2 ** 20;

let server: Prosody;
/** Whose repository it is. */
let romeo: Device;
/** Lends her key to the attacker. */
let juliet: Device;
let eve: HostilePeer;
let play: string;
let secret: string;
let corner: string;

beforeAll(async () => {
  server = await startProsody({ accounts: PASSWORDS, hasProxy: false });
  romeo = await new Device('romeo').prepare();
  juliet = await new Device('juliet').prepare();
  for (const device of [romeo, juliet]) await device.git(device.dir, 'config', '--global', 'xmpp.direct', 'false');
  await romeo.login(server, 'romeo', PASSWORDS.romeo);
  await juliet.login(server, 'juliet', PASSWORDS.juliet);
  const invite = (await romeo.xmpp('pair', '--invite')).stdout.trim();
  await juliet.run('git-xmpp', ['pair', '-'], { input: `${invite}\n` });
  await romeo.statusWhen(({ peers }) => peers.length === 1);
  play = await romeo.repo('play');
  await romeo.xmppIn(play, 'share', '--with', 'juliet@localhost', '--read');
  const diary = await romeo.repo('diary');
  await romeo.xmppIn(diary, 'share');
  const ids = new Map((await Repos.open(path.join(romeo.home, 'repos.json'))).list().map(({ name, id }) => [name, id]));
  secret = ids.get('diary') ?? '';
  await juliet.stop();
  const played = await playDevice(juliet, { server, account: 'juliet', password: PASSWORDS.juliet });
  const { spki } = await loadIdentity(findHome(romeo.env), { name: romeo.name });
  const address = parseFullJid((await romeo.status()).account.address ?? '');
  eve = new HostilePeer(played, { address, pin: spki, repo: parseRepoId(ids.get('play') ?? '') });
  corner = `refs/xmpp/${eve.device}`;
});

afterAll(async () => {
  await eve?.played.stop();
  for (const device of [romeo, juliet]) await device?.remove();
  await server?.stop();
});

interface Seen {
  /** Files of the git folder; those of refs with what they hold. */
  readonly refs: Readonly<Record<string, string>>;
  readonly objects: readonly string[];
  readonly files: readonly string[];
  readonly config: string;
  readonly pid: number;
}

/** All that an attack could change: refs, objects, files of the git folder, and which process it is. Read without git, which would cost more than the attacks. */
function look(): Seen {
  const gitDir = path.join(play, '.git');
  const all = readdirSync(gitDir, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const names = all.map((entry) => path.relative(gitDir, path.join(entry.parentPath, entry.name))).toSorted();
  const isRef = (name: string): boolean => /^(?:refs\/|packed-refs$|HEAD$)/.test(name);
  return {
    refs: Object.fromEntries(names.filter(isRef).map((name) => [name, readFileSync(path.join(gitDir, name), 'utf8').trim()])),
    objects: names.filter((name) => name.startsWith('objects/')),
    files: names.filter((name) => !isRef(name) && !/^(?:objects|logs\/refs\/(?:xmpp|remotes))\//.test(name)),
    config: readFileSync(path.join(gitDir, 'config'), 'utf8'),
    pid: romeo.agentPid(),
  };
}

/** Processes that serve peers. */
const serving = (): number => familyOf(romeo.agentPid()).length;

/** A commit of one tree with these entries, and all that it takes. */
function commitWith(entries: Parameters<typeof treeOf>[0], more: readonly PackEntry[] = []): { readonly tip: ReturnType<typeof oidOf>; readonly pack: Buffer } {
  const tree = treeOf(entries);
  const commit = commitOf(oidOf(tree));
  return { tip: oidOf(commit), pack: packOf([...more, tree, commit]) };
}

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
    const [hidden, none] = await Promise.all([parseRepoId(secret), nowhere].map(async (repo) => finish(await eve.open('git-upload-pack', {}, repo), Buffer.from('0000'))));
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

describe('HTTP/2 by hand', () => {
  const hello = Buffer.concat([PREFACE, frame(FRAME.settings)]);
  const list = (stream: number, flags: number = FLAG.endHeaders | FLAG.endStream): Buffer => frame(FRAME.headers, { flags, stream, payload: requestFields('GET', '/repos') });
  const many = (count: number, make: (index: number) => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

  it.each([
    ['settings without end', () => many(30_000, () => frame(FRAME.settings))],
    ['pings without end', () => many(30_000, () => frame(FRAME.ping, { payload: Buffer.alloc(8) }))],
    ['requests that are reset at once', () => many(3000, (index) => Buffer.concat([list(2 * index + 1), frame(FRAME.reset, { stream: 2 * index + 1, payload: Buffer.alloc(4) })]))],
    ['thousands of requests at once', () => many(3000, (index) => list(2 * index + 1, FLAG.endHeaders))],
    ['headers that go on and on', () => Buffer.concat([list(1, 0), many(300, () => frame(FRAME.continuation, { stream: 1, payload: bomb(0) }))])],
    ['empty continuations without end', () => Buffer.concat([list(1, 0), many(100_000, () => frame(FRAME.continuation, { stream: 1 }))])],
    ['4 KB of headers that stand for 40 MB', () => Buffer.concat([frame(FRAME.headers, { flags: FLAG.endHeaders, stream: 1, payload: Buffer.concat([requestFields('GET', '/repos'), bomb(10_000)]) })])],
    ['a frame of 16 MiB', () => Buffer.concat([frame(FRAME.data, { stream: 1, length: 0xff_ff_ff }), Buffer.alloc(MIB)])],
    ['empty frames of a body without end', () => Buffer.concat([list(1, FLAG.endHeaders), many(50_000, () => frame(FRAME.data, { stream: 1 }))])],
    ['priorities of streams that are not there', () => many(30_000, (index) => frame(FRAME.priority, { stream: 2 * index + 1, payload: Buffer.alloc(5) }))],
    ['windows that overflow', () => many(10, () => frame(FRAME.window, { payload: Buffer.from('7fffffff', 'hex') }))],
    ['a push of its own', () => frame(FRAME.push, { flags: FLAG.endHeaders, stream: 1, payload: Buffer.concat([Buffer.from([0, 0, 0, 2]), requestFields('GET', '/repos')]) })],
    ['frames of no known kind', () => many(30_000, () => frame(0xf0, { payload: Buffer.alloc(16) }))],
    ['no HTTP/2 at all', () => Buffer.from(`GET /repos HTTP/1.1\r\n${'x: y\r\n'.repeat(10_000)}\r\n`)],
  ])('sends %s: the agent lives, in bounded memory, and the next link works', async (_what, attack) => {
    const pid = romeo.agentPid();
    const before = residentOf(pid);
    const stream = await eve.raw();
    stream.resume();
    const { own } = await peakDuring(pid, async () => {
      await new Promise<void>((resolve) => {
        stream.once('close', resolve);
        stream.write(Buffer.concat([hello, attack()]), () => setTimeout(resolve, 100));
      });
    });
    stream.destroy();
    eve.drop();
    expect(own - before).toBeLessThan(120 * MIB);
    expect(await eve.ask('GET', '/repos')).toMatchObject({ repos: [{ name: 'play' }] });
    expect(romeo.agentPid()).toBe(pid);
  });

  it('holds sixteen requests open and feeds none: the person is answered, the next link works, and no process stays', async () => {
    const held = await Promise.all(Array.from({ length: 16 }, () => eve.open('git-upload-pack', {})));
    await Promise.all(held.map(({ accepted }) => accepted));
    for (const { download } of held) download.resume();
    expect(serving()).toBeGreaterThanOrEqual(16);
    expect((await romeo.status()).repos).toHaveLength(2);
    eve.drop();
    expect(await eve.ask('GET', '/repos')).toMatchObject({ repos: [{ name: 'play' }] });
    await until(() => serving() < 3);
  });
});

describe('a peer whose quota is small', () => {
  beforeAll(async () => {
    eve.drop();
    await romeo.stop();
    await romeo.git(romeo.dir, 'config', '-f', path.join(romeo.home, 'config'), 'xmpp.quota', '250k');
    await rm(path.join(romeo.home, 'state/quota.json'), { force: true });
    await romeo.xmpp('daemon', 'start');
    await romeo.event(({ type }) => type === 'online');
  });

  it('sends eight slices of 100 KB at once, and no more than the quota gets in', async () => {
    const slices = Array.from({ length: 8 }, (_, index) => {
      const blob = blobOf(crypto.getRandomValues(new Uint8Array(50_000)));
      const more = blobOf(crypto.getRandomValues(new Uint8Array(50_000)));
      return { ...commitWith([{ mode: '100644', name: 'a', oid: oidOf(blob) }, { mode: '100644', name: 'b', oid: oidOf(more) }], [blob, more]), index };
    });
    await eve.link();
    const outcomes = await Promise.all(slices.map(({ tip, pack, index }) => eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-${index}`, to: tip }], pack)));
    const taken = outcomes.filter(({ exit }) => exit === 0);
    expect(taken.length).toBeGreaterThan(0);
    expect(taken.length).toBeLessThanOrEqual(2);
    expect(outcomes.some(({ words }) => words.includes('quota of this device is used up'))).toBe(true);
    expect(look().objects.filter((name) => name.includes('tmp_'))).toEqual([]);
  });
});
