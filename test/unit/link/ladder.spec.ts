// A link that climbs to a better carrier while it runs, and comes down when that is lost.

import { describe, expect, it } from 'vitest';
import type { Carrier } from '../../../src/carriers/carrier.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { realClock } from '../../../src/lib/clock.ts';
import type { CarrierChange } from '../../../src/link/carrier-change.ts';
import { describeChange } from '../../../src/link/carrier-change.ts';
import { openService, requestJson } from '../../../src/link/services.ts';
import { patternBytes } from '../../helpers/carrier-ends.ts';
import type { CarrierPair } from '../../helpers/carrier-pair.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { startScript } from '../../helpers/served-process.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { until } from '../../helpers/waiting.ts';

const PATH = '/repos/0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11/git-upload-pack';
const echo = { service: () => Promise.resolve(startScript('cat')) };

/** What each end told of its carriers, as `direct`, or `in-band after a loss`. */
function told(changes: readonly CarrierChange[]): string[] {
  return changes.map(({ carrier, lost }) => `${carrier.kind}${lost === undefined ? '' : ' after a loss'}`);
}

/** Sends `bytes` through `cat` on the far side; resolves with what came back. */
async function echoBytes(link: Awaited<ReturnType<LinkWorld['dial']>>, bytes: Uint8Array, onPart: (total: number) => void = () => undefined): Promise<Buffer> {
  const service = openService(link.session, PATH, {});
  service.stream.end(bytes);
  const parts: Buffer[] = [];
  let total = 0;
  for await (const part of service.stream) {
    parts.push(part as Buffer);
    total += (part as Buffer).length;
    onPart(total);
  }
  expect(await service.end).toEqual({ exitCode: 0, stderr: '' });
  return Buffer.concat(parts);
}

describe('a dialled link', () => {
  it('is up on the first carrier, and moves to a connection of its own as soon as there is one', async () => {
    const world = new LinkWorld({ handlers: echo });
    const link = await world.dial({ openOwn: () => Promise.resolve(world.open({ kind: 'direct' }).near) });
    await until(() => world.farChanges.length === 1 && world.nearChanges.length === 1);
    expect([told(world.nearChanges), told(world.farChanges)]).toEqual([['direct'], ['direct']]);
    expect(link.stats()).toMatchObject({ kind: 'direct', addressClass: 'lan' });
    await until(() => world.pairs[0]?.near.isOver === true);
    expect(world.resumed).toEqual([]);
  });

  it('moves up and down in mid-stream, again and again, and every byte is there once', async () => {
    const world = new LinkWorld({ handlers: echo });
    let own: CarrierPair | undefined;
    const openOwn = (): Promise<CarrierPair['near']> => {
      const lives = 400_000 * (world.nearChanges.length + 1);
      const pair = world.open({ kind: world.pairs.length % 3 === 1 ? 'socks5' : 'direct', block: 60_000, onBytes: (total) => total > lives && pair.cut() });
      own = pair;
      return Promise.resolve(pair.near);
    };
    const retries = new Set<() => void>();
    const onWayFree = (retry: () => void) => {
      retries.add(retry);
      return () => retries.delete(retry);
    };
    const link = await world.dial({ openOwn, onWayFree, random: () => 0 });
    const bytes = patternBytes(6_000_000);
    const back = await echoBytes(link, bytes, () => {
      // Back in-band for a while: the network is said to be another, so that it climbs again.
      if (link.stats().kind === 'in-band') retries.forEach((retry) => retry());
    });
    expect(Buffer.compare(back, bytes)).toBe(0);
    const kinds = told(world.nearChanges);
    expect(kinds.filter((each) => each === 'in-band after a loss').length).toBeGreaterThan(2);
    expect(kinds.filter((each) => each === 'direct' || each === 'socks5').length).toBeGreaterThan(2);
    expect(own?.near.kind).not.toBe('in-band');
  });

  it('stays where it is when there is no other way, and does not ask again for little', async () => {
    const world = new LinkWorld({ handlers: { ...echo, repos: () => Promise.resolve([]) } });
    let tries = 0;
    const openOwn = (): Promise<never> => {
      tries += 1;
      return Promise.reject(new Fault('tcp', 'no way'));
    };
    const link = await world.dial({ openOwn });
    await requestJson(link.session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 });
    expect(tries).toBe(1);
    expect(link.stats().kind).toBe('in-band');
  });

  it('goes back to in-band when the better carrier is accepted and then says nothing', async () => {
    const clock = new VirtualClock();
    const world = new LinkWorld({ handlers: { repos: () => Promise.resolve('here') }, clock });
    const openOwn = (): Promise<CarrierPair['near']> => {
      const pair = world.open({ kind: 'socks5' });
      pair.near.isHeld = true;
      return Promise.resolve(pair.near);
    };
    const link = await world.dial({ openOwn });
    await until(() => world.pairs.length === 2);
    for (let seconds = 0; seconds < 15; seconds += 1) await clock.pass(1000);
    await until(() => told(world.nearChanges).includes('in-band after a loss'));
    expect(await requestJson(link.session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 })).toBe('here');
  });

  it('tells why it has no better carrier, until it has one', async () => {
    let isDown = true;
    const world = new LinkWorld({ handlers: { repos: () => Promise.resolve('here') } });
    const clock = new VirtualClock();
    const openOwn = (): Promise<Carrier> => (isDown ? Promise.reject(new Fault('tcp', 'the proxy is down')) : Promise.resolve(world.open({ kind: 'socks5' }).near));
    let retry = (): void => undefined;
    const link = await world.dial({ clock, openOwn, onWayFree: (again) => ((retry = again), () => undefined) });
    await until(() => link.stats().noBetter !== undefined);
    expect(link.stats()).toMatchObject({ kind: 'in-band', noBetter: 'the proxy is down' });
    isDown = false;
    retry();
    await until(() => link.stats().noBetter === undefined);
    expect(link.stats().kind).toBe('socks5');
  });

  it('goes on without the server while it has a connection of its own', async () => {
    const world = new LinkWorld({ handlers: { repos: () => Promise.resolve('here') } });
    const link = await world.dial({ openOwn: () => Promise.resolve(world.open({ kind: 'direct' }).near) });
    await until(() => link.stats().kind === 'direct');
    world.onOpen = () => Promise.reject(new Fault('not-connected', 'not signed in'));
    expect(await requestJson(link.session, { method: 'GET', path: '/repos' }, { clock: realClock, deadlineMs: 4000 })).toBe('here');
  });

  it('takes larger blocks where the server has shown that it is fast', async () => {
    const world = new LinkWorld({ handlers: echo });
    const asked: boolean[] = [];
    const openCarrier: NonNullable<Parameters<LinkWorld['dial']>[0]>['openCarrier'] = (_address, how) => {
      asked.push(how?.hasLargeBlocks === true);
      const pair = world.open(how?.hasLargeBlocks === true ? { block: 65_536 } : {});
      pair.near.mayGrow = how?.hasLargeBlocks !== true;
      return Promise.resolve(pair.near);
    };
    const clock = new VirtualClock();
    const link = await world.dial({ openCarrier, clock });
    const echoing = echoBytes(link, patternBytes(200_000));
    await clock.pass(600);
    await until(() => world.nearChanges.length === 1);
    await echoing;
    expect(asked).toEqual([false, true]);
    expect(world.nearChanges.map((change) => describeChange(change, 'dialler'))).toEqual(['in-band (through the server) with larger blocks: the server throttles nothing']);
  });
});
