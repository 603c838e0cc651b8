// What every shim does around its work: words for people on stderr, an exit code, and nothing lost on the way out.
// Rule: stdout belongs to git's protocol; stderr is shared with git, so it is written at once and never made non-blocking.

import { writeSync } from 'node:fs';
import { asFault, formatFaultLines } from '../src/lib/errors.ts';

/** Runs `work` and ends the process with its exit code; a fault is told to people as by every executable (docs/ERRORS.md). */
export async function runShim(work: () => Promise<number>): Promise<void> {
  const code = await work().catch((error: unknown) => {
    for (const line of formatFaultLines(asFault(error, 'failed'))) writeError(Buffer.from(`${line}\n`));
    return 1;
  });
  // An open stdin would keep the process; what is written to stdout must be out before it ends.
  process.stdout.write('', () => process.exit(code));
}

/** One line for people, without control characters: the words may come from a peer. */
export function say(name: string, words: string): void {
  writeError(Buffer.from(`${name}: ${words.replace(/\p{Cc}/gu, '?')}\n`));
}

/** Writes to stderr before it returns; a terminal that has gone away is no reason to fail. */
export function writeError(bytes: Uint8Array): void {
  let sent = 0;
  try {
    while (sent < bytes.length) sent += writeSync(2, bytes, sent);
  } catch {
    // EAGAIN when somebody else made the pipe non-blocking: Node's own stream waits for room; EPIPE is then ignored.
    process.stderr.once('error', () => undefined);
    process.stderr.write(bytes.subarray(sent));
  }
}
