// One git process served on one HTTP/2 stream. Rule: a reset kills the process and never feeds it a clean end; the exit code
// goes into a trailer, so that an end without it can only mean a lost link.

import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { passedBytes } from './bulk-gate.ts';
import { HEADER, formatStderr } from './http-format.ts';
import { LANE_HEADER } from './lane-format.ts';
import { bodiesOf, lanesOf } from './lanes.ts';

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
  /** Told each part of the body before the process is fed it; false ends the process, and nothing more is fed. */
  admit?(part: Uint8Array): boolean;
  /** `cut` is to be called when it may go on no more: what waits to be sent is dropped, and the stream reset. */
  onCut?(cut: () => void): void;
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
  let isRefused = false;
  stream.once('aborted', () => process.kill());
  stream.once('close', () => {
    if (!hasExited) process.kill();
  });
  process.onCut?.(() => stream.close(constants.NGHTTP2_REFUSED_STREAM));
  const lanes = lanesOf(stream.session) === undefined ? {} : { [LANE_HEADER]: '1' };
  if (process.isSilent !== true) stream.respond({ ':status': 200, ...lanes }, { waitForTrailers: true });
  const { input, output } = bodiesOf(stream);
  // `pipe` would end stdin on an aborted stream too; only a clean end may become the process's end of input.
  input.on('data', (part: Buffer) => {
    received += part.length;
    if (isRefused) return;
    isRefused = process.admit?.(part) === false;
    if (isRefused) return process.kill();
    if (!process.stdin.destroyed && !process.stdin.write(part)) input.pause();
  });
  process.stdin.on('drain', () => input.resume());
  process.stdin.on('error', () => input.resume());
  process.stdin.once('close', () => input.resume());
  input.once('end', () => {
    if (!stream.aborted) process.stdin.end();
  });
  process.onCounts?.({ received: () => received, sent: () => passedBytes(output) });
  if (process.isSilent === true) process.stdout.resume();
  else process.stdout.pipe(output, { end: false });
  // What nobody wants any more is read away, or the process would never have ended.
  output.once('close', () => process.stdout.resume());
  const told = await finish(process, () => received);
  hasExited = true;
  if (stream.destroyed || (process.isSilent === true && stream.closed)) return;
  const fields = endOf(process, told);
  if (process.isSilent === true) return stream.respond({ ':status': 200, ...fields }, { endStream: true });
  stream.once('wantTrailers', () => stream.sendTrailers(fields));
  output.end();
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
