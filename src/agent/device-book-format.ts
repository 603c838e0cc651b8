// The form of `devices.json`: what this device holds for unpaired, whom it introduced, and which lists it has read (docs/PROTOCOL.md, "Own
// devices"). Rule: strict; a file that cannot be read stops the agent, for without it an unpaired device would be let in again.

import { InputFault } from '../lib/errors.ts';
import { parseDeviceId } from '../lib/names.ts';
import type { DeviceId } from '../lib/names.ts';
import { parseDeviceName } from '../home/device-name-format.ts';
import { Fields } from '../home/fields-format.ts';
import { MAX_PEERS } from '../home/peers-format.ts';
import { parseCardFields } from '../pairing/card-format.ts';
import { MAX_AUDIENCE, MAX_INTRODUCED, MAX_REVOKED } from '../pairing/devices-format.ts';
import type { Introduced, Revoked } from '../pairing/devices-format.ts';

/** Every peer may be unpaired at once, beside those that never were paired here. */
export const MAX_HELD = MAX_REVOKED + MAX_PEERS;

/** A revocation that counts here, with the names that people know. */
export interface HeldRevocation extends Revoked {
  /** What the device was called here, where it was paired. */
  readonly name?: string;
  /** What whoever unpaired it is called here, or calls itself. */
  readonly byName: string;
}

/** That this very device was unpaired. */
export interface Unpaired {
  readonly by: DeviceId;
  readonly byName: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface DeviceBookState {
  /** Of our own list; 0 before there is one. */
  readonly counter: number;
  readonly revoked: readonly HeldRevocation[];
  readonly introduced: readonly Introduced[];
  /** Counter of the newest list of each device. */
  readonly seen: Readonly<Record<string, number>>;
  readonly unpaired?: Unpaired;
}

export const EMPTY_BOOK: DeviceBookState = { counter: 0, revoked: [], introduced: [], seen: {} };

/** @throws InputFault naming the field */
export function parseDeviceBook(value: unknown): DeviceBookState {
  const fields = new Fields(value, 'file');
  if (fields.count('version') !== 1) throw new InputFault('file.version', 'is not 1');
  const state: DeviceBookState = {
    counter: fields.count('counter'),
    revoked: fields.list('revoked', MAX_HELD, parseHeld),
    introduced: fields.list('introduced', MAX_INTRODUCED, parseIntroduced),
    seen: Object.fromEntries(fields.list('seen', MAX_HELD, parseSeen)),
    ...fields.parseOptional('unpaired', (name) => fields.value(name, parseUnpaired)),
  };
  fields.end();
  return state;
}

/** What `parseDeviceBook` reads back. */
export function formatDeviceBook({ counter, revoked, introduced, seen, unpaired }: DeviceBookState): unknown {
  const listed = Object.entries(seen).map(([device, newest]) => ({ device, counter: newest }));
  return { version: 1, counter, revoked, introduced, seen: listed, ...(unpaired === undefined ? {} : { unpaired }) };
}

function parseHeld(value: unknown, what: string): HeldRevocation {
  const fields = new Fields(value, what);
  const held = {
    device: fields.text('device', parseDeviceId),
    by: fields.text('by', parseDeviceId),
    at: fields.count('at'),
    ...fields.parseOptional('name', (name) => fields.text(name, parseDeviceName)),
    byName: fields.text('byName', parseDeviceName),
  };
  fields.end();
  return held;
}

function parseIntroduced(value: unknown, what: string): Introduced {
  const fields = new Fields(value, what);
  const introduced = { card: fields.value('card', parseCardFields), at: fields.count('at'), to: fields.texts('to', MAX_AUDIENCE, parseDeviceId) };
  fields.end();
  return introduced;
}

function parseSeen(value: unknown, what: string): [DeviceId, number] {
  const fields = new Fields(value, what);
  const seen: [DeviceId, number] = [fields.text('device', parseDeviceId), fields.count('counter')];
  fields.end();
  return seen;
}

function parseUnpaired(value: unknown, what: string): Unpaired {
  const fields = new Fields(value, what);
  const unpaired = { by: fields.text('by', parseDeviceId), byName: fields.text('byName', parseDeviceName), at: fields.count('at') };
  fields.end();
  return unpaired;
}
