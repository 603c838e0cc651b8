// Dialled links, from the first carrier to the last.

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { FAR_ADDRESS, NEAR_ADDRESS } from '../../helpers/carrier-pair.ts';
import { bareOf, parseFullJid } from '../../../src/lib/jid.ts';
import { openService, requestJson } from '../../../src/link/services.ts';
import { patternBytes } from '../../helpers/carrier-ends.ts';
import { makeLinkDevice } from '../../helpers/credentials.ts';
import { defer } from '../../helpers/deferred.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { RawEnd } from '../../helpers/raw-end.ts';
import { startScript } from '../../helpers/served-process.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const PATH = '/repos/0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11/git-upload-pack';
const handlers = { repos: () => Promise.resolve('here') };
const ask = (session: Parameters<typeof requestJson>[0]): Promise<unknown> =>
  requestJson(session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 });
const offline = new Fault('peer-offline', 'gone');

describe('dialLink', () => {
  it('makes a link that answers, and counts what it carries', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    expect(await ask(link.session)).toBe('here');
    const { kind, srttMs, sent, received } = link.stats();
    expect({ kind, srttMs }).toEqual({ kind: 'in-band', srttMs: 1 });
    expect(Math.min(sent, received)).toBeGreaterThan(500);
  });

  it('tells a device that is not paired there so, every time', async () => {
    const world = new LinkWorld({ handlers });
    world.paired.clear();
    for (let count = 0; count < 5; count += 1) {
      await expect(world.dial()).rejects.toMatchObject({ code: 'not-paired', message: 'this device is not paired there any more' });
    }
    expect(world.strangers).toHaveLength(5);
    await until(() => world.pairs.every(({ near, far }) => near.isOver && far.isOver));
  });

  it('takes no other device for the one it dialled', async () => {
    const world = new LinkWorld({ handlers });
    await expect(world.dial({ pin: makeLinkDevice().spki })).rejects.toMatchObject({ code: 'not-paired', message: /not the one that was paired/ });
    await until(() => world.pairs.every(({ near, far }) => near.isOver && far.isOver));
  });

  it('fails as its carrier does', async () => {
    const world = new LinkWorld({ handlers });
    world.onOpen = () => Promise.reject(offline);
    await expect(world.dial()).rejects.toBe(offline);
  });

  it('says that the link was lost when the carrier is, before the link is up', async () => {
    for (const bytes of [1, 300, 900]) {
      const world = new LinkWorld({ handlers });
      const openCarrier = () => {
        const pair = world.open({ block: 100, onBytes: (total) => total > bytes && pair.cut() });
        return Promise.resolve(pair.near);
      };
      await expect(world.dial({ openCarrier })).rejects.toMatchObject({ code: 'timeout' });
      expect(world.pairs).toHaveLength(1);
    }
  });

  it.each([
    ['busy', 'throttled', 'the other device has too many links open'],
    ['newer-version', 'newer-protocol', 'the other device speaks an older version of the protocol; update git-xmpp there'],
    ['refused', 'timeout', 'the link was lost'],
  ] as const)('tells why it was turned away: %s', async (reason, code, message) => {
    const world = new LinkWorld();
    const openCarrier = () => {
      const pair = world.open();
      return Promise.resolve(pair.near);
    };
    world.acceptor.accept = (carrier) => {
      const raw = new RawEnd(carrier);
      raw.say({ type: 'close', reason });
    };
    await expect(world.dial({ openCarrier })).rejects.toMatchObject({ code, message });
  });

  it('gives up a peer that never says a word', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ clock });
    world.acceptor.accept = (carrier) => void new RawEnd(carrier);
    const dialling = world.dial();
    const failing = expect(dialling).rejects.toMatchObject({ code: 'timeout' });
    await clock.pass(30_000);
    await failing;
    await clock.pass(6_000);
    expect(world.pairs[0]?.near.isOver).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('resumes after cuts in mid-transfer, and every byte is there once', async () => {
    const world = new LinkWorld({ handlers: { service: () => Promise.resolve(startScript('cat')) } });
    const cuts = [60_000, 300_000, 1_000, 700_000, 10_000];
    const openCarrier = () => {
      const after = cuts.shift() ?? Infinity;
      const pair = world.open({ block: 4096, onBytes: (total) => total > after && pair.cut() });
      return Promise.resolve(pair.near);
    };
    const link = await world.dial({ openCarrier });
    const service = openService(link.session, PATH, {});
    const bytes = patternBytes(2_500_000);
    service.stream.end(bytes);
    const parts: Buffer[] = [];
    for await (const part of service.stream) parts.push(part as Buffer);
    expect(Buffer.compare(Buffer.concat(parts), bytes)).toBe(0);
    expect(await service.end).toEqual({ exitCode: 0, stderr: '' });
    expect(cuts).toEqual([]);
    expect(world.resumed.length).toBeGreaterThanOrEqual(4);
    const offsets = world.resumed.map(({ sent }) => sent);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  });

  it('asks ever more patiently where each carrier is lost as soon as it runs', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    let losses = 0;
    const onCarrier = (): void => {
      losses += 1;
      world.cut();
    };
    await world.dial({ onCarrier });
    world.cut();
    for (let turn = 0; turn < 1000; turn += 1) await clock.pass(1);
    expect(losses).toBeGreaterThan(1);
    expect(losses).toBeLessThan(8);
  });

  it('goes to where the peer is by now', async () => {
    const world = new LinkWorld({ handlers });
    const asked: string[] = [];
    world.onOpen = (address) => void asked.push(address);
    const elsewhere = parseFullJid(`${bareOf(FAR_ADDRESS)}/elsewhere`);
    const link = await world.dial({ currentAddress: () => elsewhere });
    world.cut();
    expect(await ask(link.session)).toBe('here');
    expect(asked).toEqual([FAR_ADDRESS, elsewhere]);
  });

  it('asks for a carrier ever more patiently, and says once that there is none', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const unreachable: string[] = [];
    const link = await world.dial({ onUnreachable: ({ code }) => unreachable.push(code), random: () => 1 });
    const tries: number[] = [];
    world.onOpen = () => {
      tries.push(clock.now());
      throw offline;
    };
    world.cut();
    await clock.pass(0);
    const start = clock.now();
    await clock.pass(60_000);
    expect(tries.map((at) => at - start)).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 31_750]);
    expect(unreachable).toEqual(['peer-offline']);
    expect(link.session.destroyed).toBe(false);
    link.destroy(offline);
  });

  it('asks at once when the way may have become free', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const retries = new Set<() => void>();
    const retry = (): void => retries.forEach((each) => each());
    const onWayFree = (again: () => void) => {
      retries.add(again);
      return () => retries.delete(again);
    };
    const link = await world.dial({ onWayFree });
    retry();
    await clock.pass(0);
    expect(world.pairs).toHaveLength(1);
    world.onOpen = () => {
      throw offline;
    };
    world.cut();
    await clock.pass(10_000);
    world.onOpen = () => undefined;
    retry();
    await until(() => world.resumed.length === 1);
    expect(world.pairs).toHaveLength(2);
    link.destroy(offline);
    await until(() => retries.size === 0);
  });

  it('doubts the connection when a carrier falls silent, or none can be opened in time, and not when it just ends', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers: { repos: () => new Promise(() => undefined) }, clock });
    const dialling = world.dial();
    await until(() => world.pairs.length > 0);
    const link = await dialling;
    world.cut();
    await until(() => world.resumed.length === 1);
    expect(world.suspected).toEqual([]);
    const asking = requestJson(link.session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 60_000 }).catch(() => undefined);
    for (let turn = 0; turn < 20; turn += 1) await clock.pass(10);
    world.onOpen = () => Promise.reject(new Fault('timeout', 'nobody answered'));
    for (const { near, far } of world.pairs) [near.isHeld, far.isHeld] = [true, true];
    await clock.pass(21_000);
    expect(world.suspected.filter((who) => who === 'near').length).toBeGreaterThanOrEqual(2);
    link.destroy(offline);
    await asking;
  });

  it('waits for a way as long as it is told to, and says that there was none', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const link = await world.dial({ giveUpMs: () => 90_000 });
    let why = '';
    link.onClose((fault) => (why = fault.message));
    world.onOpen = () => Promise.reject(offline);
    world.cut();
    await clock.pass(89_000);
    expect(why).toBe('');
    await clock.pass(2_000);
    expect(why).toBe('no way to the other device was found for too long');
  });

  it('does not run in circles when each carrier is lost as soon as it is open', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const link = await world.dial();
    let tries = 0;
    const accept = world.acceptor.accept.bind(world.acceptor);
    world.acceptor.accept = () => undefined;
    world.onOpen = () => {
      tries += 1;
      setImmediate(() => world.pairs.at(-1)?.cut());
      if (tries > 100) throw offline;
    };
    world.cut();
    for (let second = 0; second < 20; second += 1) for (let turn = 0; turn < 20; turn += 1) await clock.pass(50);
    expect(tries).toBeLessThan(15);
    world.acceptor.accept = accept;
    world.onOpen = () => undefined;
    for (let second = 0; second < 60 && world.resumed.length === 0; second += 1) for (let turn = 0; turn < 20; turn += 1) await clock.pass(50);
    expect(await ask(link.session)).toBe('here');
  });

  it('ends when the peer ends it, and its requests with it', async () => {
    const gate = defer();
    const world = new LinkWorld({ handlers: { repos: () => gate.promise } });
    const link = await world.dial();
    const faults: Fault[] = [];
    link.onClose((fault) => faults.push(fault));
    const asked = ask(link.session);
    const failing = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    world.acceptor.drop(world.near.device);
    await failing;
    await until(() => faults.length > 0);
    expect(link.session.destroyed).toBe(true);
    link.onClose((fault) => faults.push(fault));
    expect(faults).toHaveLength(2);
    gate.resolve();
  });

  it('ends, too, when the peer takes leave between requests', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    expect(await ask(link.session)).toBe('here');
    const ended = new Promise((resolve) => link.onClose(resolve));
    world.acceptor.stop();
    await ended;
    await until(() => world.pairs.every(({ near, far }) => near.isOver && far.isOver));
  });

  it('tells once that it was destroyed, and why', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    const faults: Fault[] = [];
    link.onClose((fault) => faults.push(fault));
    link.destroy(offline);
    await once(link.session, 'close');
    expect(faults).toEqual([offline]);
  });
});

describe('DialledLink.close', () => {
  it('lets running requests end', async () => {
    const gate = defer<string>();
    let isAsked = false;
    const repos = (): Promise<string> => {
      isAsked = true;
      return gate.promise;
    };
    const world = new LinkWorld({ handlers: { repos } });
    const link = await world.dial();
    const asked = ask(link.session);
    await until(() => isAsked);
    const closing = link.close();
    gate.resolve('at last');
    expect(await asked).toBe('at last');
    await closing;
  });

  it('waits two seconds for them, and no more', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers: { repos: () => new Promise(() => undefined) }, clock });
    const link = await world.dial();
    const asked = ask(link.session);
    const failing = expect(asked).rejects.toMatchObject({ code: 'timeout' });
    const closing = link.close();
    await clock.pass(2_000);
    await Promise.all([closing, failing]);
  });
});

describe('DialledLink.within', () => {
  const never = new Promise<never>(() => undefined);

  it('settles as the work does while a carrier runs', async () => {
    const world = new LinkWorld({ handlers });
    const link = await world.dial();
    await expect(link.within(Promise.resolve(7), 0)).resolves.toBe(7);
    await expect(link.within(Promise.reject(offline), 0)).rejects.toBe(offline);
  });

  it('gives up what is asked of a link that stays without a carrier, and not of one that gets another', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers, clock });
    const link = await world.dial();
    world.onOpen = () => {
      if (clock.now() < back) throw offline;
    };
    let back = Infinity;
    world.cut();
    await clock.pass(1);
    const first = expect(link.within(never, 2_000)).rejects.toMatchObject({ code: 'peer-offline' });
    await clock.pass(2_000);
    await first;
    let isSettled = false;
    const mark = (): boolean => (isSettled = true);
    back = clock.now();
    link.within(never, 20_000).then(mark, mark);
    for (let second = 0; second < 60; second += 1) for (let turn = 0; turn < 10; turn += 1) await clock.pass(100);
    expect(world.resumed).toHaveLength(1);
    expect(isSettled).toBe(false);
    expect(NEAR_ADDRESS).not.toBe(FAR_ADDRESS);
    link.destroy(offline);
  });
});
