// Two devices that share a repository, joined by a real link: the far one answers as an agent does. Rule: real git on both sides; only
// the network between the two is in memory.

import { join } from 'node:path';
import { Answers } from '../../src/agent/answer.ts';
import { Events } from '../../src/agent/events.ts';
import { Exchanges } from '../../src/agent/exchanges.ts';
import type { AgentEvent } from '../../src/agent/events.ts';
import { Offering } from '../../src/agent/offering.ts';
import { RepoLoop } from '../../src/agent/loop.ts';
import type { LoopParts } from '../../src/agent/loop-parts.ts';
import { Quota } from '../../src/agent/quota.ts';
import { Serving } from '../../src/agent/serving.ts';
import { SliceServer } from '../../src/agent/serve-slices.ts';
import { prepareHavesDir } from '../../src/git/hooks.ts';
import { Peers } from '../../src/home/peers.ts';
import type { Peer } from '../../src/home/peers.ts';
import type { SharedRepo } from '../../src/home/repos.ts';
import { realClock } from '../../src/lib/clock.ts';
import { Fault } from '../../src/lib/errors.ts';
import { silentLog } from '../../src/lib/log.ts';
import type { DeviceId } from '../../src/lib/names.ts';
import type { LinkHandlers } from '../../src/link/serve.ts';
import { Links } from '../../src/link/links.ts';
import { openAgentRepo } from './agent-repo.ts';
import { FAR_ADDRESS } from './carrier-pair.ts';
import type { AgentRepo } from './agent-repo.ts';
import type { CarrierPairOptions } from './carrier-pair.ts';
import type { DeviceKey } from './device-key.ts';
import { makePeer } from './home-values.ts';
import { LinkWorld } from './link-world.ts';
import { makeFolder } from './repo.ts';
import type { TestRepo } from './repo.ts';

export interface AgentPairOptions {
  readonly near: TestRepo;
  readonly far: TestRepo;
  /** Devices that the far one is paired with beside the near one. */
  readonly others?: readonly DeviceKey[];
  /** What the far side shares, and how it sees the near device. */
  readonly shared?: Partial<SharedRepo>;
  readonly peer?: Partial<Peer>;
  readonly carrier?: CarrierPairOptions;
  /** Bytes that the near device may send; 1 GiB unless said. */
  readonly quota?: number;
}

export interface AgentPair {
  readonly world: LinkWorld;
  readonly near: AgentRepo;
  readonly far: AgentRepo;
  readonly loop: RepoLoop;
  readonly peers: Peers;
  readonly events: readonly AgentEvent[];
  /** Requests that the far side got, by kind. */
  readonly asked: string[];
}

export async function makeAgentPair(options: AgentPairOptions): Promise<AgentPair> {
  const asked: string[] = [];
  let answers: LinkHandlers<DeviceId> | undefined;
  const ask = (kind: string): LinkHandlers<DeviceId> => {
    if (answers === undefined) throw new Error('nobody answers yet');
    asked.push(kind);
    return answers;
  };
  const handlers: LinkHandlers<DeviceId> = {
    digest: (who, body) => ask('digest').digest(who, body),
    repos: (who) => ask('repos').repos(who),
    carriers: (who, body) => ask('carriers').carriers(who, body),
    devices: (who, body) => ask('devices').devices(who, body),
    map: (who, repo, body) => ask('map').map(who, repo, body),
    offer: (who, repo, offer) => ask('offer').offer(who, repo, offer),
    partial: (who, repo, slice) => ask('partial').partial(who, repo, slice),
    packState: (who, repo, sha256) => ask('pack-state').packState(who, repo, sha256),
    pack: (who, repo, pack) => ask('pack').pack(who, repo, pack),
    service: (who, repo, service, protocol) => ask(service).service(who, repo, service, protocol),
  };
  const world = new LinkWorld({ handlers, ...(options.carrier === undefined ? {} : { carrier: options.carrier }) });
  const pins = [world.near, world.far, ...(options.others ?? [])];
  const near = await openAgentRepo(options.near, { pins, me: world.near.device });
  const far = await openAgentRepo(options.far, { pins, me: world.far.device, ...(options.shared === undefined ? {} : { shared: options.shared }) });
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  await peers.add(makePeer('near', { device: world.near.device, spki: world.near.spki, ...options.peer }));
  for (const [index, { device, spki }] of (options.others ?? []).entries()) await peers.add(makePeer(`other-${index}`, { device, spki }));
  const events = new Events(realClock, silentLog);
  const links = noLinks();
  const loop = new RepoLoop({ context: far, me: world.far, peers, links, events, clock: realClock, random: () => 0, offering: new Offering(realClock), onLost: () => undefined, announce: () => undefined, around: NO_HUBS, exchanges: new Exchanges(events) });
  const havesDir = join(makeFolder(), 'haves');
  await prepareHavesDir(havesDir);
  const quota = await Quota.open(join(makeFolder(), 'quota.json'), options.quota ?? 2 ** 30);
  const byId = (id: string): RepoLoop | undefined => (id === far.shared().id ? loop : undefined);
  const serve = { hooksPath: '/dev/null', havesDir, hookEnv: {}, quota };
  answers = new Answers({ me: world.far.device, peers, loops: { all: () => [loop], byId, standing: { why: () => undefined, show: () => Promise.resolve([]) } }, exchanges: new Exchanges(events), serve, serving: new Serving(), slices: new SliceServer({ clock: realClock, events }), onContact: () => undefined, onCarriers: () => Promise.resolve(), onDevices: () => Promise.resolve({ refused: [] }), events, clock: realClock });
  return {
    world,
    near,
    far,
    loop,
    peers,
    get events() {
      return events.recent;
    },
    asked,
  };
}

/** The near device's own loop, which dials the far one. */
export async function makeNearLoop({ world, near }: AgentPair): Promise<RepoLoop> {
  const peers = await Peers.open(join(makeFolder(), 'peers.json'));
  await peers.add(makePeer('far', { device: world.far.device, spki: world.far.spki }));
  const links = new Links({ ...WAYS, dial: () => world.dial(), findAddress: () => Promise.resolve(FAR_ADDRESS) });
  const events = new Events(realClock, silentLog);
  return new RepoLoop({ context: near, me: world.near, peers, links, events, clock: realClock, random: () => 0, offering: new Offering(realClock), onLost: () => undefined, announce: () => undefined, around: NO_HUBS, exchanges: new Exchanges(events) });
}

/** For a loop whose repository has no hub. */
export const NO_HUBS: LoopParts['around'] = { announce: () => undefined, mounts: { onChange: () => () => undefined }, deviceName: () => 'device' };

const WAYS = {
  nameOf: (device: DeviceId) => device,
  lastSeen: () => '',
  onUp: () => undefined,
  onDown: () => undefined,
  clock: realClock,
  log: silentLog,
};

function noLinks(): Links {
  const dial = (): Promise<never> => Promise.reject(new Fault('peer-offline', 'this side dials nobody'));
  return new Links({ ...WAYS, dial, findAddress: () => Promise.resolve(undefined) });
}
