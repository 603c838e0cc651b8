// What both sides of the agent's door agree on: headers, limits, faults as HTTP statuses (RFC 9110 §15).
// Rule: a header value is percent-encoded UTF-8, because HTTP fields are Latin-1 and petnames and paths are not.

import { Fault, InputFault, type FaultCode, type FaultRecord } from '../lib/errors.ts';
import { isFaultCode } from '../lib/fault-catalogue.ts';
import { shorten } from '../lib/jid.ts';

/** The protocol name in `Upgrade:` of a git stream. */
export const UPGRADE = 'git-xmpp-stream';
/** The agent's version, on each of its answers. */
export const VERSION_HEADER = 'x-git-xmpp-version';
/** Longest request body, in bytes. */
export const MAX_BODY_BYTES = 64 * 1024;
/** Longest JSON answer that the client takes, in bytes. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** Longest socket path: Node truncates a longer one without a word, and two homes would meet on one socket. */
export const MAX_SOCKET_PATH = 100;

const PREFIX = 'x-git-xmpp-';
const NAME = /^[a-z][a-z-]{0,30}$/;
const MAX_VALUE = 12 * 1024;

const STATUS: Readonly<Record<FaultCode, number>> = {
  'wrong-use': 400,
  'bad-input': 400,
  'bad-code': 400,
  'no-account': 403,
  'not-paired': 403,
  'not-granted': 403,
  permissions: 403,
  'no-such-peer': 404,
  'no-such-repo': 404,
  'not-a-repository': 404,
  conflict: 409,
  paused: 409,
  'not-open': 409,
  exists: 409,
  'code-spent': 409,
  'refused-repository': 409,
  'too-large': 413,
  'already-running': 421,
  throttled: 429,
  'bad-config': 500,
  git: 500,
  internal: 500,
  'no-network': 502,
  dns: 502,
  tcp: 502,
  tls: 502,
  'no-encryption': 502,
  'no-mechanism': 502,
  'wrong-password': 502,
  server: 502,
  'newer-protocol': 502,
  agent: 503,
  service: 503,
  'too-many-files': 503,
  'not-connected': 503,
  'peer-offline': 503,
  timeout: 504,
  'disk-full': 507,
};

/** The HTTP status that a fault travels under; its words are in the body. */
export function statusOf(fault: Fault): number {
  return STATUS[fault.code];
}

/** Our header fields for `fields`. @throws InputFault on a name or value that cannot travel */
export function formatHeaders(fields: Readonly<Record<string, string>>): Record<string, string> {
  const ours = Object.entries(fields).map(([name, value]) => [`${PREFIX}${checkName(name)}`, formatValue(name, value)] as const);
  return Object.fromEntries(ours);
}

/** Our fields among all that came, names without the prefix. @throws InputFault */
export function parseHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const ours = Object.entries(headers).filter(([name]) => name.startsWith(PREFIX));
  return Object.fromEntries(ours.map(([name, value]) => parseField(name.slice(PREFIX.length), value)));
}

/**
 * The fault in an answer's body, or in the last line of many.
 * @returns undefined when `value` is no `{fault}` alone
 */
export function parseFault(value: unknown): Fault | undefined {
  if (typeof value !== 'object' || value === null || !('fault' in value) || Object.keys(value).length !== 1) return undefined;
  const record = value.fault;
  if (typeof record !== 'object' || record === null) return undefined;
  if (!('message' in record) || typeof record.message !== 'string') return undefined;
  const code = 'code' in record && isFaultCode(record.code) ? record.code : 'internal';
  const remedy = 'remedy' in record && typeof record.remedy === 'string' ? { remedy: record.remedy } : {};
  return new Fault(code, record.message, remedy);
}

/** A fault as it travels. */
export function formatFaultBody(fault: FaultRecord): { readonly fault: FaultRecord } {
  return { fault };
}

/** @throws Fault `bad-config` when Node would cut the path short */
export function checkSocketPath(path: string): void {
  const bytes = new TextEncoder().encode(path).length;
  if (bytes <= MAX_SOCKET_PATH) return;
  throw new Fault('bad-config', `the socket path is ${bytes} bytes long, ${MAX_SOCKET_PATH} are the most that work: ${path}`, {
    remedy: 'set GIT_XMPP_HOME to a shorter path',
  });
}

function formatValue(name: string, value: string): string {
  const encoded = encodeText(name, value);
  if (encoded.length > MAX_VALUE) throw new InputFault(name, 'is too long');
  return encoded;
}

function encodeText(name: string, value: string): string {
  try {
    return encodeURIComponent(value);
  } catch (error) {
    throw new InputFault(name, 'is not valid Unicode', { cause: error });
  }
}

function parseField(name: string, value: string | string[] | undefined): [string, string] {
  checkName(name);
  if (typeof value !== 'string' || value.length > MAX_VALUE) throw new InputFault(name, 'is not one short header field');
  try {
    return [name, decodeURIComponent(value)];
  } catch (error) {
    throw new InputFault(name, 'is not percent-encoded UTF-8', { cause: error });
  }
}

function checkName(name: string): string {
  if (!NAME.test(name)) throw new InputFault('header', `"${shorten(name)}" is no name of ours`);
  return name;
}
