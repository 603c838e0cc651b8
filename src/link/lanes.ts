// Which link has bulk lanes, and the bodies of its streams that may take one (docs/PROTOCOL.md, "Bulk lanes"). Rule: a link without lanes carries
// every body itself, and nothing of it is different.

import type { Http2Session, Http2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import type { Socket } from 'node:net';
import type { Carrier } from '../carriers/carrier.ts';
import { TcpCarrier } from '../carriers/tcp-carrier.ts';
import { bulkWriter } from './bulk-gate.ts';
import type { LaneMeter } from './lane-meter.ts';
import { LimitedCarrier } from './limited-carrier.ts';

/** Both bodies of a stream. */
export interface Bodies {
  readonly input: Readable;
  readonly output: Writable;
}

/** The lanes of one link, at one end. */
export interface Lanes {
  readonly meter: LaneMeter;
  /** Called once for a stream, before its bodies are read or written. */
  bodies(stream: Http2Stream & Readable & Writable): Bodies;
}

/** Lanes that run or are being made, of one link. */
export const MAX_LANES = 4;
/** A handshake, with what comes before the first byte of a body. */
export const LANE_HANDSHAKE_MS = 10_000;

const all = new WeakMap<Http2Session, Lanes>();

export function setLanes(session: Http2Session, lanes: Lanes): void {
  all.set(session, lanes);
}

export function lanesOf(session: Http2Session | undefined): Lanes | undefined {
  return session === undefined ? undefined : all.get(session);
}

/** What is read from and written to `stream`, on its link or on a lane of that. */
export function bodiesOf(stream: Http2Stream & Readable & Writable): Bodies {
  return lanesOf(stream.session)?.bodies(stream) ?? { input: stream, output: bulkWriter(stream) };
}

/** The connection of a carrier that is none yet; undefined for one through the server. */
export function socketOf(carrier: Carrier): Socket | undefined {
  const inner = carrier instanceof LimitedCarrier ? carrier.inner : carrier;
  return inner instanceof TcpCarrier ? inner.takeSocket() : undefined;
}

/** Whether a limit of the user's own holds for what goes out on a carrier. */
export function isLimited(carrier: Carrier): boolean {
  return carrier instanceof LimitedCarrier && carrier.isLimited;
}
