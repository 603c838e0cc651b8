// What the path does to a transfer in flight: the server restarts, the connection is cut or falls silent, the machine sleeps or changes its
// network. Rule: the same git process ends well, on from the byte where it stopped, and the whole costs little more than uncut.

import { randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { contentsOf, makeBigRepo } from '../helpers/big-repo.ts';
import type { AgentEvent } from '../../src/agent/events.ts';
import type { Device, Ongoing } from '../helpers/device.ts';
import { startTwoDevices } from '../helpers/two-devices.ts';
import type { TwoDevices } from '../helpers/two-devices.ts';
import { until } from '../helpers/waiting.ts';

const HALF = 5 * 2 ** 20;
/** Heartbeat, probe and sign-in take half of it; without them the connection's own minute of silence takes more. */
const NOTICED_MS = 60_000;
/** The server drops a client that owes it an acknowledgement for so long: sleep that it does not bear is long enough to be noticed on waking. */
const SILENCE_S = 17;

let setting: TwoDevices;
let laptop: Device;
let desktop: Device;
/** The repository on the laptop, and its copy on the desktop. */
let big: string;
let copy: string;
let number = 0;
/** Bytes through the proxy for one whole transfer that nothing breaks. */
let uncut: number;

beforeAll(async () => {
  setting = await startTwoDevices({ hasSmResume: false, readTimeout: SILENCE_S });
  ({ laptop, desktop } = setting);
  big = await makeBigRepo(laptop, 'big');
  expect(await laptop.xmppIn(big, 'share', '--write')).toMatchObject({ code: 0 });
  copy = desktop.path('copy');
  const from = carried();
  await desktop.git(desktop.dir, 'clone', '--quiet', 'xmpp::laptop/big', copy);
  uncut = carried() - from;
  expect(uncut).toBeGreaterThan(2 * HALF);
});

afterAll(() => setting?.stop());

beforeEach(async () => {
  for (const device of [laptop, desktop]) await device.statusWhen(({ account, peers }) => account.state === 'online' && peers[0]?.isOnline === true, NOTICED_MS);
});

const carried = (): number => setting.proxy.bytes.up + setting.proxy.bytes.down;

interface Transfer {
  readonly git: Ongoing;
  /** Resolves when half of it is through. */
  readonly halfWay: Promise<void>;
  /** Both sides hold the same afterwards. */
  readonly check: () => Promise<void>;
}

/** What people start on the desktop: each moves about as much as the others. */
const transfers: Readonly<Record<'clone' | 'fetch' | 'push', () => Promise<Transfer>>> = {
  clone: () => Promise.resolve(download(['clone', '--progress', 'xmpp::laptop/big', desktop.path(`clone-${(number += 1)}`)], desktop.path(`clone-${number}`))),
  fetch: async () => {
    const dir = desktop.path(`fetch-${(number += 1)}`);
    await desktop.git(desktop.dir, 'init', '--quiet', dir);
    return download(['-C', dir, 'fetch', '--progress', 'xmpp::laptop/big', '+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'], dir);
  },
  push: async () => {
    const branch = `pushed-${(number += 1)}`;
    await writeFile(path.join(copy, 'large.bin'), randomBytes(2 * HALF));
    const tip = await desktop.commit(copy, {}, branch);
    const halfWay = setting.proxy.reached('up', setting.proxy.bytes.up + HALF);
    const git = desktop.start('git', ['push', 'xmpp::laptop/big', `HEAD:refs/heads/${branch}`], { cwd: copy });
    const check = async (): Promise<void> => {
      expect(await laptop.git(big, 'rev-parse', branch)).toBe(tip);
      await laptop.git(big, 'fsck', '--full');
      // The next ones are to move as much as this one.
      await laptop.git(big, 'branch', '-D', '--quiet', branch);
      await desktop.git(copy, 'reset', '--quiet', '--hard', 'HEAD~1');
    };
    return { git, halfWay, check };
  },
};

function download(args: string[], dir: string): Transfer {
  const halfWay = setting.proxy.reached('down', setting.proxy.bytes.down + HALF);
  const git = desktop.start('git', args);
  const check = async (): Promise<void> => {
    const [ours, theirs] = await Promise.all([contentsOf(laptop, big), contentsOf(desktop, dir, 'refs/remotes/origin')]);
    expect(theirs).toEqual(ours);
    await desktop.git(dir, 'fsck', '--full', '--strict');
  };
  return { git, halfWay, check };
}

/** Events of a device so far. */
async function eventsOf(device: Device, since = 0): Promise<readonly AgentEvent[]> {
  const events: AgentEvent[] = [];
  for await (const event of device.client.lines('GET', '/events')) events.push(event as AgentEvent);
  return events.filter(({ at }) => at >= since);
}

const isAfter = (since: number, type: string) => (event: AgentEvent): boolean => event.at >= since && event.type === type;

/** Breaks the path in the middle of a transfer, and expects it to end as if nothing had been. */
async function survive(kind: keyof typeof transfers, breakPath: (since: number) => Promise<void>): Promise<readonly AgentEvent[]> {
  const from = carried();
  const since = Date.now();
  const { git, halfWay, check } = await transfers[kind]();
  await halfWay;
  expect(git.child.exitCode).toBeNull();
  await breakPath(since);
  const end = await git.ended;
  expect(end, end.stderr).toMatchObject({ code: 0 });
  expect(carried() - from).toBeLessThan(1.2 * uncut);
  const events = await eventsOf(desktop, since);
  const resumed = events.filter(({ type }) => type === 'resumed');
  expect(resumed.length).toBeGreaterThan(0);
  if (kind !== 'push') expect(resumed.at(-1)?.bytes).toBeGreaterThan(HALF / 2);
  await check();
  return events;
}

type Kind = keyof typeof transfers;

/** What happens to the path, in the middle. */
const outlives: Readonly<Record<'restart' | 'cut' | 'silence' | 'sleep', (kind: Kind) => void>> = {
  restart: (kind) =>
    it('outlives a restart of the server', async () => {
      await survive(kind, () => setting.server.restart());
    }),
  cut: (kind) =>
    it('outlives a cut of its TCP connection', async () => {
      await survive(kind, () => {
        expect(setting.proxy.cut()).toBe(1);
        return Promise.resolve();
      });
    }),
  silence: (kind) =>
    it('outlives a connection that falls silent both ways and is closed by nobody', async () => {
      const events = await survive(kind, async (since) => {
        expect(setting.proxy.abandon()).toBe(1);
        await desktop.event(isAfter(since, 'resumed'), NOTICED_MS);
      });
      const order = events.map(({ type }) => type).filter((type) => ['not-online', 'online', 'resumed'].includes(type));
      expect(order).toEqual(['not-online', 'online', 'resumed']);
      expect(events.find(({ type }) => type === 'not-online')).toMatchObject({ code: 'timeout' });
    }),
  sleep: (kind) => {
    const sleeper = kind === 'clone' ? 'desktop' : 'laptop';
    it(`outlives sleep of the ${sleeper}, past the time that the server waits for it`, async () => {
      await survive(kind, async (since) => {
        const before = dropped();
        setting[sleeper].suspend();
        await (givesUp() ? until(() => dropped() > before) : missed(sleeper === 'desktop' ? laptop : desktop));
        setting[sleeper].wake();
        await setting[sleeper].event(isAfter(since, 'woke'));
      });
    });
  },
};

/** Each fault waits for what takes its time, so only the long run has every one with each command; the short one has every fault, and each command. */
const CASES: Readonly<Record<Kind, readonly (keyof typeof outlives)[]>> =
  process.env['XMPP_PROFILES'] === 'all'
    ? { clone: ['restart', 'cut', 'silence', 'sleep'], fetch: ['restart', 'cut', 'silence', 'sleep'], push: ['restart', 'cut', 'silence', 'sleep'] }
    : { clone: ['restart', 'silence'], fetch: ['cut'], push: ['cut', 'sleep'] };

describe.each(['clone', 'fetch', 'push'] as const)('a %s', (kind) => {
  for (const fault of CASES[kind]) outlives[fault](kind);
});

describe('the listening side', () => {
  it('finds out by itself that its connection fell silent while it is asked for something', async () => {
    expect(await desktop.xmppIn(copy, 'share')).toMatchObject({ code: 0 });
    const dir = laptop.path('back');
    const since = Date.now();
    const halfWay = setting.proxy.reached('up', setting.proxy.bytes.up + HALF);
    const git = laptop.start('git', ['clone', '--progress', 'xmpp::desktop/copy', dir]);
    await halfWay;
    expect(setting.proxy.abandon()).toBe(1);
    await desktop.event(isAfter(since, 'not-online'), NOTICED_MS);
    const end = await git.ended;
    expect(end, end.stderr).toMatchObject({ code: 0 });
    await laptop.git(dir, 'fsck', '--full', '--strict');
  });
});

describe('the give-up time', () => {
  it('ends the transfer in words when no way was found for so long', async () => {
    await desktop.stop();
    await appendFile(path.join(desktop.home, 'config'), '[xmpp]\n\tgiveUp = 10s\n');
    await desktop.xmpp('daemon', 'start');
    await desktop.statusWhen(({ peers }) => peers[0]?.isOnline === true);
    const { git, halfWay } = await transfers.clone();
    await halfWay;
    setting.proxy.refuse(true);
    setting.proxy.cut();
    const end = await git.ended;
    setting.proxy.refuse(false);
    expect(end.code).toBe(128);
    expect(end.stderr).toContain('laptop: no way to the other device was found for too long');
    await desktop.statusWhen(({ peers }) => peers[0]?.isOnline === true, NOTICED_MS);
    const again = await transfers.clone();
    expect(await again.git.ended).toMatchObject({ code: 0 });
    await again.check();
  });

  it.each(['soon', '5s', '8d'])('keeps its default where it is %s, and says so by the name of the setting', async (value) => {
    await laptop.stop();
    await laptop.git(laptop.dir, 'config', '--file', path.join(laptop.home, 'config'), 'xmpp.giveUp', value);
    await laptop.xmpp('daemon', 'start');
    const told = await laptop.event(({ type }) => type === 'bad-setting');
    expect(told.words).toMatch(/^xmpp\.giveUp: .*; its default holds$/);
    await laptop.git(laptop.dir, 'config', '--file', path.join(laptop.home, 'config'), '--unset', 'xmpp.giveUp');
  });
});

/** Whether the server waits for a client that says nothing only so long: without stream management it owes it no answer. */
function givesUp(): boolean {
  return setting.server.hasSm;
}

/** This device has found out by itself that nothing comes from the other one. */
async function missed(device: Device): Promise<void> {
  await device.statusWhen(({ peers }) => peers[0]?.carrier?.kind === 'none', NOTICED_MS);
}

/** How many connections the server has closed on clients that said nothing. */
function dropped(): number {
  return setting.server.output().match(/Client disconnected: .*time(?:d )?out/gi)?.length ?? 0;
}
