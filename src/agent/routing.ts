// What every route of the door is made with. Rule: bodies are parsed strictly, and a field that is missing, wrong or unknown is named.

import { InputFault } from '../lib/errors.ts';
import type { ControlHandler, ControlRequest } from '../control/server.ts';
import { Fields } from '../home/fields-format.ts';

/** A route with one answer. */
export function json(answer: (request: ControlRequest) => Promise<unknown>): ControlHandler {
  return { kind: 'json', answer };
}

/** Reads the fields that `read` asks for, and refuses any other. */
export function take<T>(body: unknown, read: (fields: Fields) => T): T {
  const fields = new Fields(body ?? {}, 'request');
  const result = read(fields);
  fields.end();
  return result;
}

/** An absolute path. @throws InputFault */
export function parsePath(text: string): string {
  if (!text.startsWith('/') || text.includes('\0') || text.length > 4096) throw new InputFault('path', 'is no absolute path');
  return text;
}
