// Who can be reached, with real links to a real acceptor.

import { beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import type { FullJid } from '../../../src/lib/jid.ts';
import { silentLog } from '../../../src/lib/log.ts';
import type { DeviceId } from '../../../src/lib/names.ts';
import type { DialledLink } from '../../../src/link/dialled-link.ts';
import { DIAL_DEADLINE_MS, Links } from '../../../src/link/links.ts';
import { requestJson } from '../../../src/link/services.ts';
import { FAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { defer } from '../../helpers/deferred.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const ELSEWHERE = parseFullJid('anna@example.org/elsewhere');
const offline = new Fault('peer-offline', 'no such resource');

let clock: VirtualClock;
let world: LinkWorld;
let links: Links;
let dial: (peer: DeviceId, address: FullJid) => Promise<DialledLink>;
let known: FullJid | undefined;
let fresh: FullJid | undefined;
let told: string[];
let seen: string;
/** Why this device itself is not online. */
let down: Fault | undefined;

const peer = (): DeviceId => world.far.device;

beforeEach(() => {
  clock = new VirtualClock();
  world = new LinkWorld({ clock, handlers: { repos: () => Promise.resolve('here') } });
  // A link of the spec before may end only now, and tells so where it was told before.
  const now: string[] = [];
  told = now;
  [known, fresh, seen, down] = [FAR_ADDRESS, undefined, '', undefined];
  dial = (_peer, address) => {
    told.push(`dial ${address}`);
    return world.dial();
  };
  links = new Links({
    dial: (to, address) => dial(to, address),
    findAddress: (_peer, isFresh) => {
      if (isFresh) told.push('look up');
      return Promise.resolve(isFresh ? fresh : known);
    },
    nameOf: () => 'laptop',
    lastSeen: () => seen,
    down: () => down,
    onUp: () => now.push('up'),
    onDown: (_peer, { message }) => now.push(`down: ${message}`),
    clock,
    log: silentLog,
  });
});

const ask = (): Promise<unknown> => links.ask(peer(), (session) => requestJson(session, { method: 'GET', path: '/repos' }, { clock, deadlineMs: 10_000 }));

describe('Links', () => {
  it('dials once for all who ask at the same time, and not again', async () => {
    const [one, two] = await Promise.all([links.session(peer()), links.session(peer())]);
    expect(two).toBe(one);
    expect(await links.session(peer())).toBe(one);
    expect(links.link(peer())?.session).toBe(one);
    expect(told).toEqual([`dial ${FAR_ADDRESS}`, 'up']);
    expect(await ask()).toBe('here');
  });

  it('looks a peer up afresh that is not where it was', async () => {
    fresh = ELSEWHERE;
    const real = dial;
    dial = (to, address) => {
      if (address !== FAR_ADDRESS) return real(to, address);
      told.push('gone');
      return Promise.reject(offline);
    };
    await links.session(peer());
    expect(told).toEqual(['gone', 'look up', `dial ${ELSEWHERE}`, 'up']);
  });

  it('looks up a peer that was never seen', async () => {
    [known, fresh] = [undefined, ELSEWHERE];
    await links.session(peer());
    expect(told).toEqual(['look up', `dial ${ELSEWHERE}`, 'up']);
  });

  it.each<[FullJid | undefined, FullJid | undefined]>([
    [undefined, undefined],
    [FAR_ADDRESS, undefined],
    [FAR_ADDRESS, FAR_ADDRESS],
    [FAR_ADDRESS, ELSEWHERE],
  ])('says that a peer is offline whose address is %s, then %s', async (before, after) => {
    [known, fresh, seen] = [before, after, 'last seen 14:02'];
    dial = () => Promise.reject(offline);
    await expect(links.session(peer())).rejects.toMatchObject({
      code: 'peer-offline',
      message: 'laptop is offline (last seen 14:02)',
      remedy: 'the agent sends what waits when it returns',
    });
    expect(links.isUp(peer())).toBe(false);
  });

  it.each(['peer-offline', 'not-connected'] as const)('says that this device is not online where it is not, whatever the way to the peer says (%s)', async (code) => {
    dial = () => Promise.reject(new Fault(code, 'no way'));
    down = new Fault('tcp', 'example.org:5222 refused the connection', { remedy: 'check the server' });
    await expect(links.session(peer())).rejects.toMatchObject({
      code: 'not-connected',
      message: 'laptop cannot be reached, for this device is not online: example.org:5222 refused the connection',
      remedy: 'check the server',
    });
    down = undefined;
    await expect(links.session(peer())).rejects.toMatchObject({ code });
  });

  it('does not look further when something else is wrong', async () => {
    dial = () => Promise.reject(new Fault('throttled', 'slow down'));
    await expect(links.session(peer())).rejects.toMatchObject({ code: 'throttled', message: 'slow down' });
    dial = () => {
      throw new Error('thrown');
    };
    await expect(links.session(peer())).rejects.toMatchObject({ code: 'internal', message: 'dialling laptop: thrown' });
    expect(told).toEqual([]);
  });

  it('says what to do about a pairing that is gone', async () => {
    world.paired.clear();
    await expect(links.session(peer())).rejects.toMatchObject({
      code: 'not-paired',
      message: 'laptop: this device is not paired there any more',
      remedy: 'run "git xmpp unpair laptop" here and pair the two devices again',
    });
  });

  it('waits five seconds for all of it, and uses a link that comes later', async () => {
    const gate = defer();
    const real = dial;
    dial = (to, address) => gate.promise.then(() => real(to, address));
    const late = expect(links.session(peer())).rejects.toMatchObject({ code: 'peer-offline', message: 'laptop is offline' });
    await clock.pass(DIAL_DEADLINE_MS - 1);
    expect(links.isUp(peer())).toBe(false);
    await clock.pass(1);
    await late;
    gate.resolve();
    await until(() => links.isUp(peer()));
    await links.session(peer());
    expect(told).toEqual([`dial ${FAR_ADDRESS}`, 'up']);
  });

  it('tells when a link has ended, and dials anew', async () => {
    const first = await links.session(peer());
    world.acceptor.drop(world.near.device);
    await until(() => !links.isUp(peer()));
    expect(told.at(-1)).toMatch(/^down: /);
    expect(await links.session(peer())).not.toBe(first);
  });

  it.each([
    ['asks once more over a new link where the one from before turns out to be over', 1, 2],
    ['asks no third time', Infinity, 2],
  ])('%s', async (_name, losses, expected) => {
    await links.session(peer());
    let calls = 0;
    const asking = links.ask(peer(), (session) => {
      calls += 1;
      const asked = requestJson(session, { method: 'GET', path: '/repos' }, { clock, deadlineMs: 10_000 });
      if (calls <= losses) world.acceptor.drop(world.near.device);
      return asked;
    });
    if (losses === 1) expect(await asking).toBe('here');
    else await expect(asking).rejects.toMatchObject({ code: 'timeout' });
    expect(calls).toBe(expected);
  });

  it('ends the link to a peer that was unpaired', async () => {
    const session = await links.session(peer());
    links.drop(peer(), new Fault('not-paired', 'it was unpaired'));
    expect(links.isUp(peer())).toBe(false);
    expect(session.destroyed).toBe(true);
    expect(told.at(-1)).toBe('down: it was unpaired');
  });

  it('has no link to a peer that was unpaired while it was dialled', async () => {
    const gate = defer();
    const real = dial;
    dial = (to, address) => gate.promise.then(() => real(to, address));
    const failing = expect(links.session(peer())).rejects.toMatchObject({ code: 'not-paired', message: expect.stringContaining('it was unpaired') });
    await clock.pass(1);
    links.drop(peer(), new Fault('not-paired', 'it was unpaired'));
    gate.resolve();
    await failing;
    await until(() => world.pairs.every(({ near }) => near.isOver));
    expect(links.isUp(peer())).toBe(false);
    expect(told).toEqual([`dial ${FAR_ADDRESS}`]);
    expect(await links.session(peer())).toMatchObject({ destroyed: false });
  });

  it('ends all links when it is stopped, and those that are still being made', async () => {
    const session = await links.session(peer());
    const gate = defer();
    const real = dial;
    dial = (to, address) => gate.promise.then(() => real(to, address));
    const other = world.near.device;
    const failing = expect(links.session(other)).rejects.toMatchObject({ code: 'not-connected' });
    await clock.pass(1);
    const stopping = links.stop();
    await clock.pass(3_000);
    await stopping;
    expect(session.destroyed).toBe(true);
    gate.resolve();
    await failing;
    expect(links.isUp(other)).toBe(false);
  });
});

describe('Links.ask', () => {
  it('says within two seconds that the peer has gone since the link was made', async () => {
    await links.session(peer());
    world.onOpen = () => {
      throw offline;
    };
    world.cut();
    await clock.pass(1);
    const failing = expect(ask()).rejects.toMatchObject({ code: 'peer-offline', message: 'laptop is offline' });
    await clock.pass(2_000);
    await failing;
    expect(links.isUp(peer())).toBe(true);
  });
});
