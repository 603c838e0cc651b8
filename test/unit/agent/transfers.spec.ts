// What is told of transfers: amounts that are read when somebody asks, a rate of the last seconds, and news only of what takes a while.

import { beforeEach, describe, expect, it } from 'vitest';
import { formatMegabytes, Transfers } from '../../../src/agent/transfers.ts';
import type { TransferOf } from '../../../src/agent/transfers.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const { device } = makePeer('desktop');
const { id: repo } = makeSharedRepo('notes');
const OFFER: TransferOf = { repo, repoName: 'notes', device, petname: 'desktop', kind: 'offer', direction: 'up' };
const SECONDS = 1000;

let clock: VirtualClock;
let told: string[];
let transfers: Transfers;

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  transfers = new Transfers({ clock, events: { emit: ({ type, words }) => told.push(`${type}: ${words}`) } });
});

const status = (): ReturnType<Transfers['list']> => transfers.list(repo, device);

describe('Transfers', () => {
  it('tell what has moved, how fast, and how long the rest takes', () => {
    let bytes = 0;
    const since = clock.now();
    transfers.begin(OFFER).part(() => bytes, { done: 0, total: 10_000 });
    for (let second = 0; second < 4; second += 1) {
      bytes += 1000;
      clock.advance(SECONDS);
    }
    expect(status()).toMatchObject([{ kind: 'offer', direction: 'up', since, bytes: 4000, total: 10_000 }]);
    expect(status()[0]?.rate).toBeGreaterThan(800);
    expect(status()[0]?.rate).toBeLessThan(1300);
    expect(status()[0]?.leftMs).toBe(Math.round((6000 / (status()[0]?.rate ?? 0)) * 1000));
  });

  it('leave out what has moved nothing yet, and what has ended', () => {
    const transfer = transfers.begin(OFFER);
    expect(status()).toEqual([]);
    transfer.part(() => 5);
    expect(status()).toMatchObject([{ bytes: 5, rate: 0 }]);
    transfer.end(true);
    expect(status()).toEqual([]);
  });

  it('know another repository and another device from this one', () => {
    transfers.begin(OFFER).part(() => 5);
    expect(transfers.list(makeSharedRepo('other').id, device)).toEqual([]);
    expect(transfers.list(repo, makePeer('laptop').device)).toEqual([]);
  });

  it('keep what earlier parts moved, and count what was there before for no rate', () => {
    const transfer = transfers.begin(OFFER);
    transfer.part(() => 400);
    transfer.part(() => 30);
    expect(status()[0]?.bytes).toBe(430);
    clock.advance(2 * SECONDS);
    transfer.part(() => 0, { done: 9_000_000, total: 9_500_000 });
    expect(status()[0]).toMatchObject({ bytes: 9_000_000, total: 9_500_000 });
    expect(status()[0]?.rate).toBeLessThan(500);
  });

  it('believe no total below what has come', () => {
    transfers.begin(OFFER).part(() => 20, { done: 0, total: 1 });
    expect(status()).toMatchObject([{ bytes: 20, total: 20 }]);
  });

  it('stand still: no rate and no time left after some seconds without a byte', () => {
    transfers.begin(OFFER).part(() => 500, { done: 0, total: 1000 });
    clock.advance(10 * SECONDS);
    expect(status()).toMatchObject([{ bytes: 500, rate: 0 }]);
    expect(status()[0]).not.toHaveProperty('leftMs');
  });

  it('take others of its kind for parts of one that lasts', () => {
    const history = transfers.begin({ ...OFFER, direction: 'down', isLasting: true });
    history.part(() => 700, { done: 0, total: 1000 });
    const last = transfers.begin({ ...OFFER, direction: 'down' });
    last.part(() => 40);
    last.end(true);
    expect(status()).toMatchObject([{ bytes: 740, total: 1000 }]);
    transfers.begin({ ...OFFER, direction: 'down', kind: 'push' }).part(() => 1);
    expect(status()).toHaveLength(2);
    history.end(true);
    expect(status()).toHaveLength(1);
  });

  it('are news when they take a while, and then also when they end', () => {
    const short = transfers.begin(OFFER);
    short.part(() => 5);
    clock.advance(900);
    short.end(true);
    expect(told).toEqual([]);
    const long = transfers.begin({ ...OFFER, direction: 'down' });
    long.part(() => 2_500_000);
    clock.advance(3 * SECONDS);
    long.end(false);
    expect(told).toEqual(['transfer: receiving notes from desktop', 'transfer-ended: broken off after 3 s: received 2.5 MB of notes from desktop']);
    long.end(true);
    expect(told).toHaveLength(2);
  });

  it('are not looked at any more once nothing has moved for long, and again when something does', () => {
    const transfer = transfers.begin(OFFER);
    let reads = 0;
    transfer.part(() => {
      reads += 1;
      return 5;
    });
    clock.advance(60 * SECONDS);
    const before = reads;
    clock.advance(600 * SECONDS);
    expect(reads).toBe(before);
    transfer.part(() => {
      reads += 1;
      return 6;
    });
    clock.advance(SECONDS);
    expect(reads).toBeGreaterThan(before + 1);
  });
});

describe('formatMegabytes', () => {
  it('is short', () => {
    expect([0, 300_000, 9_900_000, 12_400_000].map(formatMegabytes)).toEqual(['0.0 MB', '0.3 MB', '9.9 MB', '12 MB']);
  });
});
