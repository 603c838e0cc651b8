// A git service of a peer, asked of the agent by a shim. Rule: where the agent can write to the pipe that git reads, it is let to; where it knows nothing of
// that, or there is none, the bytes come through the shim.

import type { Duplex } from 'node:stream';
import { formatOutputPlace } from '../src/control/output-format.ts';
import { asFault } from '../src/lib/errors.ts';
import { readProcessStart } from '../src/lib/process-start.ts';
import type { AgentDoor } from './agent-door.ts';
import type { Service } from './ssh-command.ts';

/** A type, for an interface is no record of strings. */
export type StreamFields = { readonly peer: string; readonly repo: string; readonly service: Service; readonly protocol?: string };

export interface OpenedStream {
  readonly socket: Duplex;
  /** The agent writes to standard output by itself, from when the first byte lets it (docs/PROTOCOL.md, "Streams"). */
  readonly isDirect: boolean;
}

/** @throws Fault the agent's own */
export async function openStream(door: AgentDoor, fields: StreamFields): Promise<OpenedStream> {
  // What a push gets to read is little.
  const output = fields.service === 'git-upload-pack' ? await standardOutput() : undefined;
  if (output !== undefined) {
    try {
      return { socket: await door.ask((client) => client.stream('/streams/direct', { ...fields, output })), isDirect: true };
    } catch (error) {
      // An agent of before, which is not yet replaced.
      if (asFault(error, 'asking the agent').code !== 'wrong-use') throw error;
    }
  }
  return { socket: await door.ask((client) => client.stream('/streams', fields)), isDirect: false };
}

async function standardOutput(): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined;
  const start = await readProcessStart(process.pid);
  return start === undefined ? undefined : formatOutputPlace({ pid: process.pid, fd: 1, start });
}
