// Waiting for a stream that is read by hand (node:stream, "paused mode"). Rule: whoever waited looks again: there is more, or nothing comes any more.

import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** Resolves when there is something to read, or the end. Rejects with the stream's error. */
export async function waitForMore(input: Readable): Promise<void> {
  const stop = new AbortController();
  try {
    await Promise.race(['readable', 'end', 'close'].map((event) => once(input, event, { signal: stop.signal })));
  } finally {
    stop.abort();
  }
}
