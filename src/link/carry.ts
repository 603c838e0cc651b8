// One git process served on one HTTP/2 stream. Rule: a reset kills the process and never feeds it a clean end; the exit code
// goes into a trailer, so that an end without it can only mean a lost link.

import type { ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { bulkWriter, passedBytes } from './bulk-gate.ts';
import { HEADER, formatStderr } from './http-format.ts';

/** A process whose output is an answer. */
export interface ServedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. */
  readonly exit: Promise<number>;
  stderrTail(): string;
  /** It writes nothing that is to be told: the answer is one header block, when it has ended. */
  readonly isSilent?: boolean;
  kill(): void;
  /** Called once after the exit with how many bytes came in, before the code is told; what it answers is the code that is told. */
  settle?(exitCode: number, received: number): Promise<number>;
  /** Told at the start how to read what has come in and gone out so far, in bytes. */
  onCounts?(counts: { readonly received: () => number; readonly sent: () => number }): void;
  /** What else is told with the code; asked for after `settle`. */
  fields?(): Readonly<Record<string, string>>;
}

/** Joins `process` and `stream` until both have ended. */
export async function carryProcess(stream: ServerHttp2Stream, process: ServedProcess): Promise<void> {
  if (stream.destroyed || stream.closed) {
    process.kill();
    process.stdout.resume();
    await finish(process, () => 0);
    return;
  }
  let hasExited = false;
  let received = 0;
  stream.once('aborted', () => process.kill());
  stream.once('close', () => {
    if (!hasExited) process.kill();
  });
  if (process.isSilent !== true) stream.respond({ ':status': 200 }, { waitForTrailers: true });
  // `pipe` would end stdin on an aborted stream too; only a clean end may become the process's end of input.
  stream.on('data', (part: Buffer) => {
    received += part.length;
    if (!process.stdin.destroyed && !process.stdin.write(part)) stream.pause();
  });
  process.stdin.on('drain', () => stream.resume());
  process.stdin.on('error', () => stream.resume());
  process.stdin.once('close', () => stream.resume());
  stream.once('end', () => {
    if (!stream.aborted) process.stdin.end();
  });
  const body = bulkWriter(stream);
  process.onCounts?.({ received: () => received, sent: () => passedBytes(body) });
  if (process.isSilent === true) process.stdout.resume();
  else process.stdout.pipe(body, { end: false });
  // What nobody wants any more is read away, or the process would never have ended.
  body.once('close', () => process.stdout.resume());
  const told = await finish(process, () => received);
  hasExited = true;
  if (stream.destroyed || (process.isSilent === true && stream.closed)) return;
  const fields = endOf(process, told);
  if (process.isSilent === true) return stream.respond({ ':status': 200, ...fields }, { endStream: true });
  stream.once('wantTrailers', () => stream.sendTrailers(fields));
  body.end();
}

/** How a process ended, in headers or trailers. */
function endOf(process: ServedProcess, told: number): Record<string, string> {
  const stderr = told === 0 && process.isSilent === true ? '' : process.stderrTail();
  return { [HEADER.gitExit]: String(told), ...(stderr === '' ? {} : { [HEADER.gitStderr]: formatStderr(stderr) }), ...process.fields?.() };
}

async function finish(process: ServedProcess, received: () => number): Promise<number> {
  const drained = new Promise<void>((resolve) => {
    process.stdout.once('end', resolve);
    process.stdout.once('close', resolve);
  });
  const code = await process.exit;
  await drained;
  return process.settle === undefined ? code : process.settle(code, received());
}
