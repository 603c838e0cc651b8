// What a frame on a running carrier means. Rule: data continues exactly where it stopped, and a frame out of place ends the pipe.

import { InputFault } from '../lib/errors.ts';
import type { DelayedAck } from './delayed-ack.ts';
import type { Frame } from './frame-format.ts';
import type { Outbox } from './outbox.ts';
import type { PipeEvent } from './pipe-types.ts';
import type { Replay } from './replay.ts';

/** Both directions of a pipe. */
export interface Streams {
  readonly replay: Replay;
  readonly acks: DelayedAck;
  readonly outbox: Outbox;
}

/**
 * Takes a frame other than CLOSE.
 * @throws InputFault when it may not stand here
 */
export function receiveFrame(frame: Frame, { replay, acks, outbox }: Streams, now: number): PipeEvent[] {
  switch (frame.type) {
    case 'data':
      if (frame.offset !== acks.received) {
        throw new InputFault('data', `at offset ${frame.offset} where ${acks.received} is the next`);
      }
      acks.add(frame.bytes.length, now);
      return [{ type: 'data', bytes: frame.bytes }];
    case 'ack':
      return replay.acknowledge(frame.received) ? [{ type: 'acknowledged', offset: frame.received }] : [];
    case 'ping':
      outbox.pong(frame.number);
      return [];
    case 'pong':
      return [];
    default:
      throw new InputFault('pipe frame', `${frame.type} has no place on a running carrier`);
  }
}
