// A device list on its way: signed by its device, sealed (age) to the devices that may read it, in base64 (docs/PROTOCOL.md, "Own devices").
// Rule: whatever is not sealed to this device, not signed by the device that it names, or not in its one form, is no list.

import { Decrypter, Encrypter } from 'age-encryption';
import { decodeBase64, encodeBase64 } from '../lib/base64.ts';
import { Fault } from '../lib/errors.ts';
import type { DeviceId } from '../lib/names.ts';
import type { Identity } from '../home/identity.ts';
import type { Peer } from '../home/peers.ts';
import { MAX_LIST_BYTES, signDeviceList, verifyDeviceList } from '../pairing/devices-format.ts';
import type { DeviceList } from '../pairing/devices-format.ts';

/** For each recipient age adds about a hundred bytes. */
const MAX_SEALED_BYTES = 64 * 1024;

type PinOf = (device: DeviceId) => string | undefined;

/** @throws Fault `too-large` */
export async function sealList(list: DeviceList, { keyPem }: Identity, recipients: readonly Pick<Peer, 'recipient'>[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const { recipient } of recipients) encrypter.addRecipient(recipient);
  return encodeBase64(await encrypter.encrypt(signDeviceList(list, keyPem)));
}

/** @throws Fault saying what is wrong; the words complete "the list of laptop …" */
export async function openList(text: string, { ageIdentity }: Identity, pinOf: PinOf): Promise<DeviceList> {
  const decrypter = new Decrypter();
  decrypter.addIdentity(ageIdentity);
  let bytes: Uint8Array;
  try {
    bytes = await decrypter.decrypt(decodeBase64(text, MAX_SEALED_BYTES));
  } catch {
    // The library's message may quote what it read.
    throw new Fault('not-granted', 'it is not sealed to this device');
  }
  return checkList(bytes, pinOf);
}

/** A list that came inside a link, as base64 that is signed and not sealed. @throws as `openList` */
export function parseList(text: string, pinOf: PinOf): DeviceList {
  return checkList(decodeBase64(text, MAX_LIST_BYTES), pinOf);
}

/** What `parseList` reads. @throws Fault `too-large` */
export function formatList(list: DeviceList, { keyPem }: Identity): string {
  return encodeBase64(signDeviceList(list, keyPem));
}

function checkList(bytes: Uint8Array, pinOf: PinOf): DeviceList {
  const list = verifyDeviceList(bytes, pinOf);
  if (list === undefined) throw new Fault('not-paired', 'is not signed by a device that counts here');
  return list;
}
