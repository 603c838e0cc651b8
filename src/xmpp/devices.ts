// Where a device keeps what it says of the other devices of its account, and the notice for one that was unpaired (docs/PROTOCOL.md, "Own
// devices"; XEP-0163). Rule: one node per device, for the own account alone; what lies there is sealed and signed, so the server can only withhold it.

import { InputFault } from '../lib/errors.ts';
import type { BareJid } from '../lib/jid.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Connection } from './connection-types.ts';
import { xml } from './element.ts';
import type { Element } from './element.ts';
import { NS_DEVICES } from './namespaces.ts';
import { publish, read } from './pep.ts';

type Requester = Pick<Connection, 'iq'>;

/** `devices`: a sealed list. `unpaired`: a signed notice. */
export type DevicesPayload = 'devices' | 'unpaired';

/** What travels, as an item or in a headline; `text` is base64. */
export function formatDevicesPayload(name: DevicesPayload, text: string): Element {
  return xml(name, { xmlns: NS_DEVICES }, text);
}

/** Replaces what the own account keeps for, or of, `device`. @throws Fault `server` without PEP, `too-large` */
export async function publishDevices(connection: Requester, name: DevicesPayload, device: DeviceId, text: string): Promise<void> {
  await publish(connection, nodeOf(name, device), formatDevicesPayload(name, text), { access: 'whitelist' });
}

/** The base64 text that `account` keeps; undefined when there is none. @throws InputFault when something else lies there */
export async function readDevices(connection: Requester, name: DevicesPayload, device: DeviceId, account: BareJid): Promise<string | undefined> {
  const item = await read(connection, account, nodeOf(name, device));
  if (item === undefined) return undefined;
  if (!item.is(name, NS_DEVICES)) throw new InputFault('device list', 'is none');
  return item.text();
}

function nodeOf(name: DevicesPayload, device: DeviceId): string {
  return `${NS_DEVICES}:${name}#${device}`;
}
