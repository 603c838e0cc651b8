// Server-sent events (WHATWG HTML, "Server-sent events"): the other form of many answers. Rule: pure; one value is one event of one line of JSON.

import { utf8 } from '../lib/bytes.ts';
import { InputFault } from '../lib/errors.ts';
import { MAX_LINE } from './lines-format.ts';

export const EVENTS_TYPE = 'text/event-stream';

/** What a stream begins with: whoever lost it comes back after a second. */
export const EVENTS_HEAD = 'retry: 1000\n\n';

/** Whether an `Accept` field asks for them (RFC 9110 §12.5.1); a weight of 0 says no. */
export function acceptsEvents(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  return ranges.some(([type, ...params]) => type === EVENTS_TYPE && !params.some((param) => /^q=0(?:\.0*)?$/.test(param)));
}

/** One value as an event; its `id`, a whole number, is what the caller names when it comes back. @throws InputFault when it is too long */
export function encodeServerEvent(value: unknown, event?: string): Uint8Array {
  const id = typeof value === 'object' && value !== null && 'id' in value && Number.isSafeInteger(value.id) ? `id: ${String(value.id)}\n` : '';
  const name = event === undefined ? '' : `event: ${event}\n`;
  const bytes = utf8(`${id}${name}data: ${JSON.stringify(value ?? null)}\n\n`);
  if (bytes.length > MAX_LINE) throw new InputFault('event', `is longer than ${MAX_LINE} bytes`);
  return bytes;
}
