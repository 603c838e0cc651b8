// The address record: where a device can be reached now (docs/PROTOCOL.md, "Addresses"; XEP-0163).
// Rule: one node per device, readable by paired accounts only; what it says is a hint, the pin in TLS says who it is.

import { InputFault } from '../lib/errors.ts';
import { bareOf, parseFullJid } from '../lib/jid.ts';
import type { BareJid, FullJid } from '../lib/jid.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Connection } from './connection-types.ts';
import { attrOf, xml } from './element.ts';
import type { Element } from './element.ts';
import { NS_ADDRESS } from './namespaces.ts';
import { publish, read } from './pep.ts';

/**
 * Says that `device` is at the connection's full JID.
 * @param members accounts that may read it
 * @throws Fault `server` without PEP
 */
export async function publishAddress(
  connection: Pick<Connection, 'iq' | 'jid'>,
  device: DeviceId,
  members: readonly BareJid[],
): Promise<void> {
  const record = xml('address', { xmlns: NS_ADDRESS, device, jid: connection.jid });
  await publish(connection, nodeOf(device), record, { access: 'whitelist', members });
}

/**
 * Where `device` of the account `jid` says it is; undefined when it says nothing, or not to us.
 * @throws InputFault when the record is malformed or of another device or account
 */
export async function readAddress(
  connection: Pick<Connection, 'iq'>,
  jid: BareJid,
  device: DeviceId,
): Promise<FullJid | undefined> {
  const record = await read(connection, jid, nodeOf(device));
  return record === undefined ? undefined : parseAddress(record, jid, device);
}

function parseAddress(record: Element, owner: BareJid, device: DeviceId): FullJid {
  if (!record.is('address', NS_ADDRESS)) throw new InputFault('address record', 'is not one');
  const address = parseFullJid(attrOf(record, 'jid') ?? '');
  if (bareOf(address) !== owner || parseDeviceId(attrOf(record, 'device') ?? '') !== device) {
    throw new InputFault('address record', 'is of another device or account');
  }
  return address;
}

function nodeOf(device: DeviceId): string {
  return `${NS_ADDRESS}#${device}`;
}
