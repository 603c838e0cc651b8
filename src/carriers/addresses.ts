// Which addresses of this machine are offered to a peer, and which of a peer's are connected to (XEP-0065 §5.3.1).
// Rule: `xmpp.direct` decides. `false`: none at all; unset: of this machine and of private networks; `public`: those of the internet too.

import { BlockList, isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { DirectMode } from '../home/settings-format.ts';
import type { AddressClass } from './carrier.ts';

/** What `os.networkInterfaces()` gives. */
export type Interfaces = Readonly<Record<string, readonly { readonly address: string; readonly internal: boolean }[] | undefined>>;
export type DirectClass = Extract<AddressClass, 'loopback' | 'lan' | 'public'>;

/** Addresses of one offer at most: room is left for proxies among its 16 streamhosts. */
const MAX_ADDRESSES = 8;

const LOOPBACK = listOf(['127.0.0.0/8', '::1/128']);
/** RFC 1918, RFC 6598 (shared by carriers, and what overlay networks use), RFC 3927, RFC 4291 §2.5.6, RFC 4193. */
const LAN = listOf(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16', 'fe80::/10', 'fc00::/7']);
/** Nobody's address: "this host" (which Linux takes for the machine itself), multicast, reserved. */
const NOBODY = listOf(['0.0.0.0/8', '224.0.0.0/3', '::/128', 'ff00::/8']);
/** These mean something on their own wire alone, and a streamhost has no place for a zone. */
const LINK_LOCAL_V6 = listOf(['fe80::/10']);

/** What kind of address `host` is; undefined for a name, and for what is no machine's address. */
export function classOf(host: string): DirectClass | undefined {
  if (isIP(host) === 0 || host.includes('%') || isIn(NOBODY, host)) return undefined;
  if (isIn(LOOPBACK, host)) return 'loopback';
  return isIn(LAN, host) ? 'lan' : 'public';
}

/** By what class of address a connection goes. One between two equal addresses never leaves the machine, whatever the address. */
export function classOfSocket({ localAddress, remoteAddress }: Pick<Socket, 'localAddress' | 'remoteAddress'>): DirectClass {
  if (localAddress === remoteAddress) return 'loopback';
  return classOf(remoteAddress ?? '') ?? 'public';
}

/** Whether `mode` lets this machine talk directly to `host`. */
export function isWithin(mode: DirectMode, host: string): boolean {
  const kind = classOf(host);
  return kind !== undefined && mode !== 'off' && (kind !== 'public' || mode === 'public');
}

/**
 * The addresses to listen on for a peer, best first: private networks, then the internet, in each both families in turn. Loopback only
 * where there is nothing else: two agents on one machine meet on any of its addresses.
 */
export function addressesToOffer(interfaces: Interfaces, mode: DirectMode): string[] {
  const all = ownAddresses(interfaces).filter((address) => isWithin(mode, address) && !isIn(LINK_LOCAL_V6, address));
  const of = (kind: DirectClass): string[] => inTurn(all.filter((address) => classOf(address) === kind));
  const outside = [...of('lan'), ...of('public')];
  return (outside.length > 0 ? outside : of('loopback')).slice(0, MAX_ADDRESSES);
}

/**
 * Those of a peer's addresses that may be connected to. An address that this machine has as well (loopback, a bridge of Docker, which is
 * 172.17.0.1 everywhere) leads to itself and not to the peer, so it counts only when all of them are this machine's: then the
 * peer is on this machine too, or has nothing but loopback to offer, and the name it expects keeps others out.
 */
export function addressesToTry(offered: readonly string[], interfaces: Interfaces, mode: DirectMode): string[] {
  const here = new BlockList();
  for (const address of ownAddresses(interfaces)) here.addAddress(address, familyOf(address));
  const isHere = (host: string): boolean => isIn(here, host) || isIn(LOOPBACK, host);
  const allowed = offered.filter((host) => isWithin(mode, host));
  const isSameMachine = offered.every((host) => isHere(host));
  return isSameMachine ? allowed : allowed.filter((host) => !isHere(host));
}

function ownAddresses(interfaces: Interfaces): string[] {
  const all = Object.values(interfaces).flatMap((one) => one ?? []);
  return [...new Set(all.map(({ address }) => address))].filter((address) => classOf(address) !== undefined);
}

/** One of IPv4, one of IPv6, and so on, so that many of one do not push out the other. */
function inTurn(addresses: readonly string[]): string[] {
  const [v4, v6] = [addresses.filter((one) => isIP(one) === 4), addresses.filter((one) => isIP(one) === 6)];
  return addresses.flatMap((_one, at) => [...v4.slice(at, at + 1), ...v6.slice(at, at + 1)]);
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', prefix = ''] = subnet.split('/');
    list.addSubnet(net, Number(prefix), familyOf(net));
  }
  return list;
}

function isIn(list: BlockList, host: string): boolean {
  return isIP(host) !== 0 && list.check(host, familyOf(host));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}
