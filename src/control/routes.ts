// What the agent hands the door: one handler for each route. Rule: a handler sees a checked request, and never HTTP.

import type { Duplex } from 'node:stream';

/** One question at the door, parsed and within its limits. */
export interface ControlRequest {
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON of at most 64 KiB; undefined when none was sent. */
  readonly body: unknown;
  /** Aborted when the caller goes away before the end, or the door closes. */
  readonly signal: AbortSignal;
  /** The caller's fields, such as `peer` and `repo` of a stream; names are lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Many answers are wanted as server-sent events. */
  readonly isEventStream?: boolean;
  /** The last of them that the caller has, as it was told. */
  readonly lastEventId?: string;
}

export type ControlHandler =
  | {
      readonly kind: 'json';
      /** One answer; undefined is an empty one. */
      answer(request: ControlRequest): Promise<unknown>;
    }
  | {
      readonly kind: 'lines';
      /** Many answers, each sent as it comes, in lines or as server-sent events (with their `id`, if they have one); a fault thrown midway becomes the last. */
      answer(request: ControlRequest): AsyncIterable<unknown>;
    }
  | {
      readonly kind: 'stream';
      /**
       * Opens a git stream: resolves once the far end is open (the caller then gets its 101), rejects with what the caller
       * is told instead.
       * `socket` may be written to at once (frames of `stream-format.ts`; held back until the 101 is out) and gives the
       * caller's raw bytes; it is half-open at either end, and destroyed when the caller goes away.
       */
      open(request: ControlRequest, socket: Duplex): Promise<void>;
    };

/** Handlers by method and path, such as `GET /status`; a stream's method is POST. */
export type Routes = Readonly<Record<string, ControlHandler>>;
