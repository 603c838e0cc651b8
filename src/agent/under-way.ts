// What callers at the door have under way: a person's fetch or push, a clone, a pairing. Rule: whoever only looks on is not counted, and what
// began is counted until its connection ends, however it ends.

import type { Duplex } from 'node:stream';
import type { ControlHandler, ControlRequest, Routes } from '../control/server.ts';

export interface UnderWay {
  /** The same routes, counted. */
  readonly routes: Routes;
  readonly count: () => number;
}

/** Counts what a restart would cut off. */
export function countUnderWay(routes: Routes): UnderWay {
  let running = 0;
  const begin = (): (() => void) => {
    running += 1;
    let isRunning = true;
    return () => {
      if (isRunning) running -= 1;
      isRunning = false;
    };
  };
  const counted = Object.entries(routes).map(([route, handler]) => [route, route.startsWith('GET ') ? handler : countOne(handler, begin)] as const);
  return { routes: Object.fromEntries(counted), count: () => running };
}

function countOne(handler: ControlHandler, begin: () => () => void): ControlHandler {
  if (handler.kind === 'stream') {
    return {
      ...handler,
      open: async (request: ControlRequest, socket: Duplex) => {
        const end = begin();
        socket.once('close', end);
        await handler.open(request, socket).catch((error: unknown) => {
          end();
          throw error;
        });
      },
    };
  }
  if (handler.kind === 'lines') return { ...handler, answer: (request: ControlRequest) => countLines(handler.answer(request), begin) };
  return {
    ...handler,
    answer: async (request: ControlRequest) => {
      const end = begin();
      return handler.answer(request).finally(end);
    },
  };
}

async function* countLines(lines: AsyncIterable<unknown>, begin: () => () => void): AsyncGenerator<unknown, void> {
  const end = begin();
  try {
    yield* lines;
  } finally {
    end();
  }
}
