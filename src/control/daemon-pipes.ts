// Where a program reaches remotedaemon without being its parent: two named pipes (fifo(7)) in the repository's git folder, or on Windows one pipe both ways (untried).
// Rule: 0600 in a folder of 0700; whoever reads is told how it stands first, and one that does not read on is cut off.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { constants, openSync } from 'node:fs';
import { chmod, lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, Socket } from 'node:net';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { asFault, codeOf, Fault } from '../lib/errors.ts';
import { FifoWriter } from './fifo-writer.ts';

export interface DaemonPipesOptions {
  /** The repository's git folder. */
  readonly gitDir: string;
  readonly clock: Clock;
  readonly onData: (bytes: Uint8Array) => void;
  /** Lines that whoever begins to read is told first. */
  readonly standing: () => readonly string[];
  /** The pipes were taken away. */
  readonly onGone: () => void;
}

/** Where they are: to write to, to read from. */
export interface PipePlaces {
  readonly control: string;
  readonly events: string;
}

/** A reader on Windows may leave so many bytes waiting. */
const MAX_WAITING_BYTES = 256 * 1024;
const run = promisify(execFile);

export function pipePlaces(gitDir: string, platform: NodeJS.Platform = process.platform): PipePlaces {
  if (platform !== 'win32') return { control: join(gitDir, 'xmpp', 'control'), events: join(gitDir, 'xmpp', 'events') };
  const both = `\\\\.\\pipe\\git-xmpp-${createHash('sha256').update(gitDir).digest('hex').slice(0, 32)}`;
  return { control: both, events: both };
}

/** Both pipes from `start` to `stop`. */
export class DaemonPipes {
  readonly #options: DaemonPipesOptions;
  readonly #places: PipePlaces;
  readonly #readers = new Set<Socket>();
  #input: Socket | undefined;
  #server: Server | undefined;
  #output: FifoWriter | undefined;

  constructor(options: DaemonPipesOptions) {
    this.#options = options;
    this.#places = pipePlaces(options.gitDir);
  }

  /** @throws Fault where they cannot be made; `exists` where something else is in their place */
  async start(): Promise<PipePlaces> {
    const { control, events } = this.#places;
    if (process.platform === 'win32') return this.#listen();
    const folder = join(this.#options.gitDir, 'xmpp');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    for (const path of [control, events]) await removePipe(path);
    await run('mkfifo', ['-m', '600', control, events]).catch((error: unknown) => {
      throw codeOf(error) === 'ENOENT' ? new Fault('internal', 'this machine has no mkfifo', { remedy: 'git xmpp remotedaemon --foreground' }) : asFault(error, 'making the pipes');
    });
    // Open for writing as well: it does not end when a program that wrote to it does.
    this.#input = new Socket({ fd: openSync(control, constants.O_RDWR | constants.O_NONBLOCK), readable: true, writable: false });
    this.#input.on('data', (bytes: Buffer) => this.#options.onData(bytes)).on('error', () => this.#options.onGone());
    const { clock, standing, onGone } = this.#options;
    this.#output = new FifoWriter({ path: events, clock, standing, onGone });
    this.#output.start();
    return this.#places;
  }

  /** Where the programs' words come from, to be read on or not; on Windows it always is. */
  get input(): Socket | undefined {
    return this.#input;
  }

  /** One line to whoever reads. */
  say(line: string): void {
    this.#output?.say(line);
    for (const reader of this.#readers) {
      reader.write(`${line}\n`);
      if (reader.writableLength > MAX_WAITING_BYTES) reader.destroy();
    }
  }

  async stop(): Promise<void> {
    this.#input?.destroy();
    this.#server?.close();
    this.#output?.stop();
    for (const reader of this.#readers) reader.end();
    if (process.platform === 'win32') return;
    // Something else may be in their place by now: that stays.
    for (const path of Object.values(this.#places)) await removePipe(path).catch(() => undefined);
  }

  #greet(reader: Socket): void {
    this.#readers.add(reader);
    reader.on('error', () => undefined).once('close', () => this.#readers.delete(reader));
    for (const line of this.#options.standing()) reader.write(`${line}\n`);
  }

  async #listen(): Promise<PipePlaces> {
    const server = createServer((socket) => {
      this.#greet(socket);
      socket.on('data', (bytes: Buffer) => this.#options.onData(bytes));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#places.control, resolve));
    return this.#places;
  }
}

/** What a daemon that was killed left there; anything that is no pipe stays. */
async function removePipe(path: string): Promise<void> {
  try {
    if (!(await lstat(path)).isFIFO()) throw new Fault('exists', `${path} is in the way: it is no pipe`, { remedy: 'move it away' });
    await rm(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw asFault(error, `looking at ${path}`);
  }
}
