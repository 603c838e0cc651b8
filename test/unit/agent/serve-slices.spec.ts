// What a peer may do with slices and spooled packs, and what it may not: refused in words, counted, and nothing left.

import { createHash, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sendSlices } from '../../../src/agent/slices.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { Oid } from '../../../src/lib/names.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import { formatPackHeaders, formatSliceHeaders, parsePackState } from '../../../src/link/http-format.ts';
import { openService, requestJson } from '../../../src/link/services.ts';
import type { ServiceEnd, ServiceStream } from '../../../src/link/services.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair, AgentPairOptions } from '../../helpers/agent-pair.ts';
import { refsBelow, untold } from '../../helpers/agent-repo.ts';
import { cleanEnv, commit, git, makeRepo } from '../../helpers/repo.ts';
import type { TestRepo } from '../../helpers/repo.ts';
import { until } from '../../helpers/waiting.ts';

const ANNA = parseBareJid('anna@example.org');

let source: TestRepo;
let one: Oid;
let two: Oid;
let evil: Oid;

beforeAll(() => {
  source = makeRepo();
  one = commit(source, { a: randomBytes(50_000) }, 'one');
  two = commit(source, { b: randomBytes(50_000) }, 'two');
  const blob = git(source.dir, 'rev-parse', 'HEAD:a');
  const tree = feed(['mktree'], `100644 blob ${blob}\t.git\n`).toString().trim();
  evil = git(source.dir, 'commit-tree', '-m', 'evil', tree) as Oid;
});

function feed(args: readonly string[], input: string): Buffer {
  return execFileSync('git', ['-C', source.dir, ...args], { env: cleanEnv(), input, stdio: ['pipe', 'pipe', 'ignore'] });
}

const packOf = (tip: string, ...without: string[]): Buffer => feed(['pack-objects', '--revs', '--stdout', '-q'], [tip, ...without.map((each) => `^${each}`), ''].join('\n'));
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let pair: AgentPair;
let link: DialledLink;
let path: string;

async function begin(options: Partial<AgentPairOptions> = {}): Promise<void> {
  pair = await makeAgentPair({ near: makeRepo(), far: makeRepo(), ...options });
  link = await pair.world.dial();
  path = `/repos/${pair.far.shared().id}`;
}

beforeEach(() => begin());

interface Said {
  readonly offset?: number;
  readonly size?: number;
  readonly tip?: Oid;
  readonly sha256?: string;
}

function open(bytes: Uint8Array, said: Said = {}): ServiceStream {
  const { offset = 0, size = bytes.length, tip = two, sha256 = hashOf(bytes) } = said;
  const service = openService(link.session, `${path}/packs/${sha256}`, formatPackHeaders({ offset, size, tip }));
  service.stream.on('error', () => undefined);
  // A refusal is read by whoever waits for it.
  void service.accepted.then(() => service.download.resume(), () => undefined);
  return service;
}

async function send(bytes: Uint8Array, said: Said = {}, part: Uint8Array = bytes): Promise<ServiceEnd> {
  const service = open(bytes, said);
  await service.accepted;
  service.stream.end(part);
  return service.end;
}

const state = async (bytes: Uint8Array): Promise<number> => {
  const request = { method: 'GET', path: `${path}/packs/${hashOf(bytes)}` } as const;
  return parsePackState(await requestJson(link.session, request, { clock: realClock, deadlineMs: 10_000 }));
};
const kept = (): readonly string[] => Object.values(refsBelow(pair.far.repo, `refs/xmpp/partial/${pair.world.near.device}/`));
const left = (): string[] => {
  const spool = join(pair.far.stateDir, 'spool');
  const incoming = readdirSync(join(pair.far.repo.gitDir, 'objects')).filter((name) => name.startsWith('tmp_objdir'));
  return [...(existsSync(spool) ? readdirSync(spool) : []), ...incoming];
};

describe('a spooled pack', () => {
  it('is taken in whole, and its commit kept', async () => {
    expect(await state(packOf(two))).toBe(0);
    expect(await send(packOf(two))).toMatchObject({ exitCode: 0 });
    expect(kept()).toEqual([two]);
    expect(left()).toEqual([]);
    git(pair.far.repo.dir, 'fsck', '--full', '--strict');
  });

  it('goes on where it broke off, also when the answer alone was lost', async () => {
    const pack = packOf(two);
    const service = open(pack);
    await service.accepted;
    service.stream.write(pack.subarray(0, 30_000));
    await until(() => left().length === 1);
    await until(async () => (await state(pack)) > 0);
    const here = await state(pack);
    await expect(service.end).resolves.toMatchObject({ exitCode: 1 });
    expect(await send(pack, { offset: here }, pack.subarray(here))).toMatchObject({ exitCode: 0 });
    expect(kept()).toEqual([two]);
    expect(await send(pack)).toMatchObject({ exitCode: 0 });
    expect(kept()).toEqual([two]);
  });

  it('that ends before its last byte waits for the rest', async () => {
    const pack = packOf(two);
    expect(await send(pack, {}, pack.subarray(0, 1000))).toMatchObject({ exitCode: 1 });
    expect(await state(pack)).toBe(1000);
    expect(await send(pack, { offset: 1000 }, pack.subarray(1000))).toMatchObject({ exitCode: 0 });
  });

  it.each<[string, Said, string]>([
    ['an offset that is not where it ends', { offset: 5 }, 'bad-input'],
    ['more than any push may hold', { size: 2 ** 40 }, 'disk-full'],
  ])('is refused before its first byte with %s', async (_name, said, code) => {
    const service = open(packOf(two), said);
    await expect(service.accepted).rejects.toMatchObject({ code });
    expect(left()).toEqual([]);
  });

  it.each<[string, (pack: Buffer) => [Buffer, Said, Buffer?]]>([
    ['another hash than it has', (pack) => [pack, { sha256: 'f'.repeat(64) }]],
    ['more bytes than it said', (pack) => [pack, { size: pack.length - 1 }]],
    ['no pack at all', () => [randomBytes(5000), {}]],
    ['a tip that is not in it', (pack) => [pack, { tip: 'a'.repeat(40) as Oid }]],
  ])('is thrown away with %s', async (_name, make) => {
    const [bytes, said] = make(packOf(two));
    expect(await send(bytes, said)).toMatchObject({ exitCode: 1 });
    await until(() => pair.events.some(({ type }) => type === 'offer-refused'));
    expect(kept()).toEqual([]);
    expect(left()).toEqual([]);
  });

  it('is refused with an object that fsck refuses', async () => {
    const end = await send(packOf(evil), { tip: evil });
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/git refused it: .*hasDotgit/);
    expect([...kept(), ...left()]).toEqual([]);
  });

  it('is refused where its tip leads to what is not there', async () => {
    const end = await send(packOf(two, one));
    expect(end.exitCode).toBe(1);
    expect(end.stderr).toMatch(/git refused it: .*did not receive expected object/);
    expect([...kept(), ...left()]).toEqual([]);
  });

  it('is the only one that comes in, and lets the next one in when it has ended', async () => {
    const [first, second] = [packOf(two), packOf(one)];
    const running = open(first);
    await running.accepted;
    running.stream.write(first.subarray(0, 1000));
    await expect(open(second, { tip: one }).accepted).rejects.toMatchObject({ code: 'throttled' });
    running.stream.destroy();
    await until(async () => (await open(second, { tip: one, size: second.length + 1 }).accepted.then(() => 'in', (error: { code: string }) => error.code)) !== 'throttled');
  });

  it('never is one of more than two that wait', async () => {
    for (const size of [1000, 2000, 3000]) {
      const bytes = randomBytes(size);
      expect(await send(bytes, {}, bytes.subarray(0, 10))).toMatchObject({ exitCode: 1 });
    }
    expect(left()).toHaveLength(2);
  });

  it.each(['..', 'x'.repeat(64), 'A'.repeat(64), '0'.repeat(63)])('is not called %s', async (name) => {
    const service = openService(link.session, `${path}/packs/${name}`, formatPackHeaders({ offset: 0, size: 1, tip: two }));
    await expect(service.accepted).rejects.toMatchObject({ code: 'bad-input' });
  });
});

describe('another account', () => {
  it('may not send more than its quota in slices, nor in a pack behind them', async () => {
    const near = makeRepo();
    for (let index = 0; index < 8; index += 1) commit(near, { [`f${index}`]: randomBytes(150_000) }, `c${index}`);
    await begin({ near, peer: { kind: 'other' }, shared: { audience: [ANNA] }, quota: 500_000 });
    const tip = git(near.dir, 'rev-parse', 'main') as Oid;
    const sent = sendSlices(pair.near, { session: link.session, clock: realClock, transfer: untold }, { tips: [tip], bases: [] });
    await expect(sent).rejects.toThrow(/quota|exceeds maximum allowed size/);
    expect(kept()).toHaveLength(1);
    await expect(open(randomBytes(400_000)).accepted).rejects.toMatchObject({ code: 'disk-full' });
  });

  it('may not send more than its quota, packs together', async () => {
    await begin({ peer: { kind: 'other' }, shared: { audience: [ANNA] }, quota: 60_000 });
    await expect(open(packOf(two)).accepted).rejects.toMatchObject({ code: 'disk-full' });
    expect(await send(packOf(one), { tip: one })).toMatchObject({ exitCode: 0 });
    const again = randomBytes(20_000);
    await expect(open(again).accepted).rejects.toMatchObject({ code: 'disk-full' });
    expect(left()).toEqual([]);
  });

  it('sends nothing where it may only read', async () => {
    await begin({ peer: { kind: 'other' }, shared: { audience: [ANNA], defaultGrant: 'read' } });
    await expect(open(packOf(two)).accepted).rejects.toMatchObject({ code: 'not-granted' });
    await expect(openService(link.session, `${path}/partial`, formatSliceHeaders({ bases: [] })).accepted).rejects.toMatchObject({ code: 'not-granted' });
  });
});
