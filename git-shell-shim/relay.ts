// The relay between git's pipes and one stream of the agent. Rule: bytes pass at the slower side's pace, each direction ends by
// itself (half-close), and only the exit frame says that git's service is done.

import type { Duplex, Readable, Writable } from 'node:stream';
import { codeOf, Fault } from '../src/lib/errors.ts';
import { EXIT, FrameDecoder, GO, STDERR, type Frame } from '../src/control/stream-format.ts';
import type { OpenedStream } from './open-stream.ts';

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
export async function relay({ socket, isDirect }: OpenedStream, stdio: Stdio): Promise<number> {
  const { stdin, stdout } = stdio;
  let isReaderGone = false;
  stdout.once('error', () => {
    isReaderGone = true;
    socket.destroy();
  });
  stdin.on('error', () => socket.end());
  // What the shim itself had to say there has been said.
  if (isDirect) socket.write(Uint8Array.of(GO));
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

/** Frame after frame as they come in, without a promise for each: half a gigabyte is tens of thousands of them. */
function carry(socket: Duplex, { stdout, writeError }: Stdio): Promise<number | undefined> {
  const decoder = new FrameDecoder();
  return new Promise((resolve, reject) => {
    const take = ({ channel, payload }: Frame): void => {
      if (channel === EXIT) resolve(payload[0]);
      else if (channel === STDERR) writeError(payload);
      else if (!stdout.write(payload)) socket.pause();
    };
    socket.on('data', (bytes: Uint8Array) => {
      try {
        for (const frame of decoder.receive(bytes)) take(frame);
      } catch (error) {
        reject(error);
        socket.destroy();
      }
    });
    stdout.on('drain', () => socket.resume());
    socket.once('error', reject);
    // The agent's end without an exit frame; this side may still be open.
    for (const event of ['end', 'close']) socket.once(event, () => resolve(undefined));
  });
}

function cutOff(cause?: unknown): Fault {
  const why = codeOf(cause) === undefined ? '' : ` (${codeOf(cause)})`;
  return new Fault('agent', `the agent closed the stream before git was done${why}`, {
    remedy: 'try again; what went wrong is in: git xmpp log',
    cause,
  });
}
