// One git process served on one HTTP/2 stream. Rule: a reset kills the process and never feeds it a clean end; the exit code
// goes into a trailer, so that an end without it can only mean a lost link.

import type { ServerHttp2Stream } from 'node:http2';
import type { Readable, Writable } from 'node:stream';
import { bulkWriter } from './bulk-gate.ts';
import { HEADER, formatStderr } from './http-format.ts';

/** A process whose output is an answer. */
export interface ServedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. */
  readonly exit: Promise<number>;
  stderrTail(): string;
  kill(): void;
  /** Called once after the exit with how many bytes came in, before the code is told; what it answers is the code that is told. */
  settle?(exitCode: number, received: number): Promise<number>;
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
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
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
  process.stdout.pipe(body, { end: false });
  // What nobody wants any more is read away, or the process would never have ended.
  body.once('close', () => process.stdout.resume());
  const told = await finish(process, () => received);
  hasExited = true;
  if (stream.destroyed) return;
  stream.once('wantTrailers', () => {
    const stderr = process.stderrTail();
    stream.sendTrailers({ [HEADER.gitExit]: String(told), ...(stderr === '' ? {} : { [HEADER.gitStderr]: formatStderr(stderr) }) });
  });
  body.end();
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
