// How this device makes its links to peers: what a dial is given of the agent (docs/PROTOCOL.md, "TLS"). Rule: only a peer is dialled, and only the
// key that it was paired with is accepted.

import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import type { FullJid } from '../lib/jid.ts';
import type { Log } from '../lib/log.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Identity } from '../home/identity.ts';
import type { Peers } from '../home/peers.ts';
import type { Settings } from '../home/settings.ts';
import type { GateGroup } from '../link/bulk-gate.ts';
import { dialLink } from '../link/dial.ts';
import type { DialledLink } from '../link/dialled-link.ts';
import { Links } from '../link/links.ts';
import { parseLinkId } from '../pipe/frame-format.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import type { Contacts } from './contacts.ts';
import type { Events } from './events.ts';
import { formatSeen } from './status.ts';
import type { Ways } from './ways.ts';

export interface DiallingParts {
  readonly peers: Peers;
  readonly settings: Settings;
  readonly events: Pick<Events, 'emit'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: (size: number) => Uint8Array;
  /** From 0 up to 1. */
  readonly chance: () => number;
  readonly budget: ReplayBudget;
  readonly gates: GateGroup;
  readonly ways: Ways;
  readonly contacts: () => Contacts;
  readonly identity: () => Identity;
}

/** All links that this device dials. */
export function makeLinks(parts: DiallingParts): Links {
  const { peers, clock, log, events, ways, contacts } = parts;
  return new Links({
    dial: (device, address) => dial(parts, device, address),
    findAddress: (device, isFresh) => (isFresh ? ways.lookUp(device) : Promise.resolve(peers.byDevice(device)?.address)),
    nameOf: (device) => peers.byDevice(device)?.petname ?? 'a peer',
    down: () => ways.down,
    lastSeen: (device) => formatSeen(peers.byDevice(device)?.lastSeen, clock.now()),
    onUp: (device) => events.emit({ type: 'link-up', words: 'a link is up', peer: peers.byDevice(device)?.petname ?? '' }),
    onDown: (device, fault) => contacts().linkLost(device, fault),
    clock,
    log: log.scope('links'),
  });
}

function dial(parts: DiallingParts, device: DeviceId, address: FullJid): Promise<DialledLink> {
  const { peers, settings, clock, log, random, chance, budget, gates, ways, contacts, identity } = parts;
  const peer = peers.byDevice(device);
  if (peer === undefined) throw new Fault('no-such-peer', 'that device is not paired');
  return dialLink({
    own: identity(),
    pin: peer.spki,
    linkId: parseLinkId(Buffer.from(random(16)).toString('hex')),
    address,
    currentAddress: () => peers.byDevice(device)?.address ?? address,
    openCarrier: (to, how) => ways.openInBand(to, how),
    openOwn: (link, to, lane) => ways.openOwn(link, to, lane),
    mayGrow: (carrier) => ways.mayGrow(carrier),
    onWayFree: (retry) => ways.onFree(device, retry),
    clock,
    random: chance,
    log: log.scope('link'),
    budget,
    gates,
    giveUpMs: () => settings.giveUpMs,
    onSuspect: () => void ways.probe(),
    onCarrier: (change) => {
      ways.changed(device, change, 'dialler');
      if (!contacts().isOnline(device)) void contacts().contact(device);
    },
    onUnreachable: (fault) => contacts().linkLost(device, fault),
  });
}
