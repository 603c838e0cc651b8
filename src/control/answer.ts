// Answers of the door, from values to HTTP (RFC 9112).
// Rule: whatever a handler throws becomes words for the caller; nothing is left unanswered.

import { STATUS_CODES, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { realClock } from '../lib/clock.ts';
import { asFault, Fault, formatFault } from '../lib/errors.ts';
import { formatFaultBody, statusOf, UPGRADE } from './door-format.ts';
import { encodeServerEvent, EVENTS_HEAD, EVENTS_TYPE } from './events-format.ts';
import { encodeLine } from './lines-format.ts';

const JSON_TYPE = 'application/json';

export interface LinesAnswer {
  readonly signal: AbortSignal;
  readonly isEventStream: boolean;
}

/** One value; undefined is 204 No Content. */
export function answerJson(response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  if (text === undefined) response.writeHead(204, { connection: 'close' }).end();
  else response.writeHead(200, { 'content-type': JSON_TYPE, connection: 'close' }).end(text);
}

/** How many values travel. */
interface LinesForm {
  readonly type: string;
  readonly head: string;
  encode(value: unknown): Uint8Array;
  encodeFault(fault: unknown): Uint8Array;
}

const LINES: LinesForm = { type: 'application/x-ndjson', head: '', encode: encodeLine, encodeFault: encodeLine };
const EVENTS: LinesForm = { type: EVENTS_TYPE, head: EVENTS_HEAD, encode: (value) => encodeServerEvent(value), encodeFault: (fault) => encodeServerEvent(fault, 'fault') };

/** A caller that reads nothing for so long is let go. */
const UNREAD_MS = 120_000;

/** Each value as a line, or as a server-sent event, as soon as it comes, at the caller's pace. A fault midway is the last one. */
export async function answerLines(response: ServerResponse, values: AsyncIterable<unknown>, { signal, isEventStream }: LinesAnswer): Promise<void> {
  const form = isEventStream ? EVENTS : LINES;
  response.writeHead(200, { 'content-type': form.type, 'cache-control': 'no-store', connection: 'close' });
  response.flushHeaders();
  if (form.head !== '') response.write(form.head);
  try {
    for await (const value of untilAborted(values, signal)) {
      if (!response.write(form.encode(value))) await untilRead(response, signal);
    }
  } catch (error) {
    if (!response.destroyed) response.write(form.encodeFault(formatFaultBody(formatFault(asFault(error, 'answering')))));
  }
  response.end();
}

async function untilRead(response: ServerResponse, signal: AbortSignal): Promise<void> {
  const patience = realClock.setTimer(UNREAD_MS, () => response.destroy());
  await once(response, 'drain', { signal }).catch(() => undefined);
  patience.cancel();
}

/** A fault instead of an answer. */
export function answerFault(response: ServerResponse, fault: Fault): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(statusOf(fault), { 'content-type': JSON_TYPE, connection: 'close' }).end(faultText(fault));
}

/** The head that opens a git stream (RFC 9110 §15.2.2). */
export const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE}\r\n\r\n`;

/** A fault instead of a 101: the whole answer as text, for a socket that HTTP has let go of. */
export function formatRefusal(fault: Fault): string {
  const body = faultText(fault);
  const status = statusOf(fault);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `Content-Type: ${JSON_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

function faultText(fault: Fault): string {
  return JSON.stringify(formatFaultBody(formatFault(fault)));
}

/** The same values, given up as soon as `signal` aborts even if the next one never comes. */
async function* untilAborted(values: AsyncIterable<unknown>, signal: AbortSignal): AsyncGenerator {
  const iterator = values[Symbol.asyncIterator]();
  try {
    const next = (): Promise<IteratorResult<unknown>> => nextUnlessAborted(iterator, signal);
    for (let step = await next(); step.done !== true; step = await next()) yield step.value;
  } finally {
    iterator.return?.(undefined).catch(() => undefined);
  }
}

function nextUnlessAborted(iterator: AsyncIterator<unknown>, signal: AbortSignal): Promise<IteratorResult<unknown>> {
  return new Promise((resolve, reject) => {
    // A caller that went away hears nothing of this; one that is still there learns why its lines end.
    const abort = (): void => reject(new Fault('agent', 'the agent is stopping'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}
