// The relay between git's pipes and one stream of the agent. Rule: bytes pass at the slower side's pace, each direction ends by
// itself (half-close), and only the exit frame says that git's service is done.

import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { codeOf, Fault } from '../src/lib/errors.ts';
import { EXIT, FrameDecoder, STDERR, type Frame } from '../src/control/stream-format.ts';

/** What git has given the shim. */
export interface Stdio {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Shows the service's own words to people. */
  readonly writeError: (bytes: Uint8Array) => void;
}

/** Exit code when git itself has gone away: nobody reads it. */
const READER_GONE = 1;

/**
 * Carries a stream to its end.
 * @returns the service's exit code, as it was at the far end
 * @throws Fault `agent` when the stream ends without one
 */
export async function relay(socket: Duplex, stdio: Stdio): Promise<number> {
  const { stdin, stdout } = stdio;
  let isReaderGone = false;
  stdout.once('error', () => {
    isReaderGone = true;
    socket.destroy();
  });
  stdin.on('error', () => socket.end());
  stdin.pipe(socket);
  try {
    const code = await carry(socket, stdio);
    if (code !== undefined) return code;
  } catch (error) {
    if (isReaderGone) return READER_GONE;
    if (error instanceof Fault) throw error;
    throw cutOff(error);
  } finally {
    stdin.unpipe(socket);
    socket.destroy();
  }
  if (isReaderGone) return READER_GONE;
  throw cutOff();
}

async function carry(socket: Duplex, stdio: Stdio): Promise<number | undefined> {
  const decoder = new FrameDecoder();
  for await (const bytes of socket) {
    if (!(bytes instanceof Uint8Array)) continue;
    for (const frame of decoder.receive(bytes)) {
      if (frame.channel === EXIT) return frame.payload[0];
      await deliver(frame, stdio);
    }
  }
  return undefined;
}

async function deliver({ channel, payload }: Frame, { stdout, writeError }: Stdio): Promise<void> {
  if (channel === STDERR) writeError(payload);
  else if (!stdout.write(payload)) await once(stdout, 'drain');
}

function cutOff(cause?: unknown): Fault {
  const why = codeOf(cause) === undefined ? '' : ` (${codeOf(cause)})`;
  return new Fault('agent', `the agent closed the stream before git was done${why}`, {
    remedy: 'try again; what went wrong is in: git xmpp log',
    cause,
  });
}
