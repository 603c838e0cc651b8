// The remote helper's side of gitremote-helpers(7), the part that it needs: `capabilities` and `connect`.
// Rule: after the empty line that says "connected", standard input and output belong to git's own protocol, to the byte.

import type { Readable, Writable } from 'node:stream';
import { Fault, InputFault } from '../src/lib/errors.ts';
import { shorten } from '../src/lib/jid.ts';
import { waitForMore } from '../src/lib/more.ts';
import { parseService, type Service } from './ssh-command.ts';

const MAX_LINE = 4096;
const NEWLINE = 0x0a;

export interface HelperOptions {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Opens the service; resolves when it is connected, with the work that is left to do. */
  readonly connect: (service: Service) => Promise<() => Promise<number>>;
}

/**
 * Answers git until it says goodbye (an empty line, or the end of input) or asks to connect.
 * @returns the exit code
 * @throws Fault `wrong-use` on a command or service that is not known
 */
export async function runHelper({ stdin, stdout, connect }: HelperOptions): Promise<number> {
  for (;;) {
    const line = await readLine(stdin);
    if (line === undefined || line === '') return 0;
    if (line === 'capabilities') {
      stdout.write('connect\n\n');
    } else if (line.startsWith('connect ')) {
      const work = await connect(parseService(line.slice('connect '.length)));
      stdout.write('\n');
      return work();
    } else {
      throw new Fault('wrong-use', `git asked for "${shorten(line)}", which this helper does not know`);
    }
  }
}

/** One line without its end, the rest left in the stream; undefined when there is none. @throws InputFault when it is too long */
export async function readLine(input: Readable): Promise<string | undefined> {
  let held = Buffer.alloc(0);
  for (;;) {
    const bytes: unknown = input.read();
    if (bytes instanceof Uint8Array) {
      held = Buffer.concat([held, bytes]);
      const end = held.indexOf(NEWLINE);
      if ((end < 0 ? held.length : end) > MAX_LINE) throw new InputFault('helper command', 'is too long');
      if (end < 0) continue;
      if (end + 1 < held.length) input.unshift(held.subarray(end + 1));
      return held.toString('utf8', 0, end);
    }
    if (input.readableEnded || input.destroyed) return undefined;
    await waitForMore(input);
  }
}
