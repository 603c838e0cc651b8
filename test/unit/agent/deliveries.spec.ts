// Maps on their way to a peer: what the engine is told of it, and what is believed of the peer's answer; two real repositories over a real link.

import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Deliveries } from '../../../src/agent/deliveries.ts';
import type { DeliveryParts } from '../../../src/agent/deliveries.ts';
import { Exchanges } from '../../../src/agent/exchanges.ts';
import { Offering } from '../../../src/agent/offering.ts';
import { Peers } from '../../../src/home/peers.ts';
import type { Peer } from '../../../src/home/peers.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { Fault } from '../../../src/lib/errors.ts';
import type { FaultCode } from '../../../src/lib/errors.ts';
import type { DeviceId, Oid } from '../../../src/lib/names.ts';
import { HEADER } from '../../../src/link/http-format.ts';
import type { Requester } from '../../../src/link/services.ts';
import type { Fact } from '../../../src/sync/engine.ts';
import { makeAgentPair } from '../../helpers/agent-pair.ts';
import type { AgentPair } from '../../helpers/agent-pair.ts';
import { copyOf, refsOf, takeMap } from '../../helpers/agent-repo.ts';
import { makeDeviceKey } from '../../helpers/device-key.ts';
import { makePeer } from '../../helpers/home-values.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';

const NOW = 1_700_000_000_000;
const phone = makeDeviceKey();
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');
const old = copyOf(base);
const two = commit(base, { a: '2' }, 'two');

let pair: AgentPair;
let told: Fact[];
let lost: DeviceId[];
let events: string[];
let held: Map<DeviceId, number>;

const me = (): DeviceId => pair.world.near.device;
const far = (): DeviceId => pair.world.far.device;
const publish = (main: Oid): Promise<number | undefined> => pair.near.maps.publish(me(), refsOf({ main }), { keyPem: pair.world.near.keyPem, now: NOW });

/** Deliveries of the near device, which reaches the far one by `session`. */
async function makeDeliveries(session: () => Promise<Requester>, peer: Partial<Peer> = {}): Promise<Deliveries> {
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  await peers.add(makePeer('far', { device: far(), spki: pair.world.far.spki, ...peer }));
  const emit = ({ type }: { readonly type: string }): unknown => events.push(type);
  return new Deliveries({
    context: pair.near,
    me: me(),
    engine: { held: () => held, isReachable: () => true },
    peers,
    links: { session, isUp: () => false },
    events: { emit },
    exchanges: new Exchanges({ emit }),
    offering: new Offering(realClock),
    clock: realClock,
    tell: (fact: Fact) => Promise.resolve(void told.push(fact)),
    onLost: (each: DeviceId) => lost.push(each),
  } as unknown as DeliveryParts);
}

beforeEach(async () => {
  [told, lost, events, held] = [[], [], [], new Map()];
  pair = await makeAgentPair({ near: copyOf(base), far: copyOf(old), others: [phone] });
});

describe('an offer', () => {
  it.each<[FaultCode, boolean]>([
    ['timeout', true],
    ['peer-offline', true],
    ['not-granted', false],
  ])('that fails with %s is told to the engine; that the peer may be lost: %s', async (code, isLost) => {
    await publish(one);
    const deliveries = await makeDeliveries(() => Promise.reject(new Fault(code, 'no way')));
    await deliveries.offer(far(), me());
    expect(told).toEqual([{ type: 'undelivered', peer: far(), device: me(), mayRetry: false, isUnwanted: false }]);
    expect(lost).toEqual(isLost ? [far()] : []);
    expect(events).toEqual(['syncing', 'done-syncing', 'offer-failed']);
  });

  it('of a device that has no map is none', async () => {
    const deliveries = await makeDeliveries(() => Promise.reject(new Fault('timeout', 'no way')));
    await deliveries.offer(far(), far());
    expect([told, events]).toEqual([[], []]);
  });
});

describe('what is known of a peer', () => {
  /** Bases that are named to a peer that claims to hold phone's map, which says `secret`. */
  async function basesTold(branches: readonly string[], secret: Oid): Promise<string> {
    const { session } = await pair.world.dial();
    let told = '';
    const seen: Requester = Object.create(session, {
      request: {
        value: (headers: Readonly<Record<string, string>>, ...rest: []) => {
          told += headers[HEADER.mapBases] ?? '';
          return session.request(headers, ...rest);
        },
      },
    }) as Requester;
    const shared = { ...pair.near.shared(), branches };
    Object.assign(pair.near, { shared: () => shared });
    await takeMap(pair.near, phone, { counter: 7, refs: refsOf({ main: one, secret }) });
    await publish(commit(pair.near.repo, { b: '1' }, 'ours'));
    held = new Map([[phone.device, 9e14]]);
    await (await makeDeliveries(() => Promise.resolve(seen))).offer(far(), me());
    return told;
  }

  it.each([
    ['names what other devices say, where their maps are passed on', [], true],
    ['names nothing of it, where only some branches are shared, whatever it claims', ['main'], false],
  ])('%s', async (_name, branches, isNamed) => {
    const secret = commit(pair.near.repo, { s: '1' }, 'secret');
    git(pair.near.repo.dir, 'switch', '--quiet', '--force-create', 'main', two);
    expect((await basesTold(branches, secret)).includes(secret)).toBe(isNamed);
  });
});

describe('what a peer tells of its own map in its answer', () => {
  /** The far device holds `one` of both, is offered `two`, takes it over, and says so. */
  async function offerTwo(peer: Partial<Peer> = {}, counterHere = 7): Promise<void> {
    const { session } = await pair.world.dial();
    const deliveries = await makeDeliveries(() => Promise.resolve(session), peer);
    const refs = refsOf({ main: one });
    await takeMap(pair.near, { ...pair.world.far }, { counter: 7, refs });
    await pair.far.maps.publish(far(), refs, { keyPem: pair.world.far.keyPem, now: 7 });
    const counter = await publish(one);
    await deliveries.offer(far(), me());
    held = new Map([[me(), counter ?? 0]]);
    await pair.loop.tell({ type: 'granted', peer: me(), isGranted: true });
    await pair.loop.tell({ type: 'contact', peer: me(), maps: new Map([[far(), 7], ...held]) });
    if (counterHere !== 7) await takeMap(pair.near, { ...pair.world.far }, { counter: counterHere, refs });
    await publish(two);
    told.length = 0;
    await deliveries.offer(far(), me());
    expect(told[0]).toMatchObject({ type: 'delivered', peer: far(), device: me() });
  }

  it('is taken in as if it had offered it', async () => {
    await offerTwo();
    const counter = pair.far.maps.signed(far())?.counter;
    expect(told[1]).toEqual({ type: 'accepted', device: far(), counter, via: far() });
    expect(pair.near.maps.refsOf(far())).toEqual(refsOf({ main: two }));
    expect(lost).toEqual([]);
  });

  it('counts for nothing where it may not offer', async () => {
    await offerTwo({ kind: 'other' });
    expect(told).toHaveLength(1);
    expect(pair.near.maps.refsOf(far())).toEqual(refsOf({ main: one }));
  });

  it('counts for nothing, and is looked into, where it builds on another map than is held', async () => {
    await offerTwo({}, 8);
    expect(told).toHaveLength(1);
    expect(pair.near.maps.signed(far())?.counter).toBe(8);
    expect(lost).toEqual([far()]);
  });
});
