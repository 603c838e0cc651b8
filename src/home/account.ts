// The account that the agent signs in to, as `account.*` in the home's configuration; its password is in credentials.ts.
// Rule: half an account is none; the JID is written last.

import { isAbsolute } from 'node:path';
import { Fault, InputFault } from '../lib/errors.ts';
import { parseBareJid, shorten } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import type { Config } from './config.ts';

/** Where to connect when DNS is not to be asked. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (XEP-0368), else STARTTLS. */
  readonly isDirectTls: boolean;
}

export interface Account {
  readonly jid: BareJid;
  readonly server?: ServerAddress;
  /** Absolute path of a PEM file with the certificate authority to trust. */
  readonly caFile?: string;
  /** The strongest SASL mechanism (RFC 4422) the server ever offered: a weaker offer is refused. */
  readonly strongestMechanism?: string;
}

const KEYS = ['account.jid', 'account.server', 'account.directTls', 'account.caFile', 'account.strongestMechanism'] as const;

/** The account, or undefined before `login`. @throws Fault `bad-config` naming file and key */
export function readAccount(config: Config): Account | undefined {
  const jid = read(config, 'account.jid', parseBareJid);
  if (jid === undefined) return undefined;
  const server = read(config, 'account.server', parseHostAndPort);
  const isDirectTls = read(config, 'account.directTls', parseFlag) ?? false;
  const caFile = read(config, 'account.caFile', parseCaFile);
  const strongestMechanism = read(config, 'account.strongestMechanism', parseMechanism);
  return {
    jid,
    ...(server === undefined ? {} : { server: { ...server, isDirectTls } }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(strongestMechanism === undefined ? {} : { strongestMechanism }),
  };
}

/** @throws InputFault when a part of it could not be read back */
export async function writeAccount(config: Config, account: Account): Promise<void> {
  const { jid, server, caFile, strongestMechanism } = account;
  const values: readonly (readonly [string, string | undefined])[] = [
    ['account.server', server && formatHostAndPort(server)],
    ['account.directTls', server && String(server.isDirectTls)],
    ['account.caFile', caFile && parseCaFile(caFile)],
    ['account.strongestMechanism', strongestMechanism && parseMechanism(strongestMechanism)],
  ];
  if (config.get('account.jid') !== jid) await put(config, 'account.jid', undefined);
  for (const [key, value] of values) await put(config, key, value);
  await put(config, 'account.jid', jid);
}

/** Removes every `account.*` key of ours. */
export async function forgetAccount(config: Config): Promise<void> {
  for (const key of KEYS) await put(config, key, undefined);
}

async function put(config: Config, key: string, value: string | undefined): Promise<void> {
  if (value === undefined) {
    if (config.get(key) !== undefined) await config.unset(key);
  } else if (config.get(key) !== value) {
    await config.set(key, value);
  }
}

function read<T>(config: Config, key: string, parse: (text: string) => T): T | undefined {
  const text = config.get(key);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new Fault('bad-config', `${config.path}: ${key}: ${error.message}`, {
      remedy: 'correct it, or run git xmpp login again',
      cause: error,
    });
  }
}

/** `host:port` or `[address]:port`, as `--server` has it. @throws InputFault */
export function parseHostAndPort(text: string): { readonly host: string; readonly port: number } {
  const parts = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^\s:/@[\]\p{Cc}]{1,255})):([1-9][0-9]{0,4})$/u.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  if (host === undefined || port > 65_535) throw new InputFault('server', `"${shorten(text)}" is not of the form host:port`);
  return { host, port };
}

function formatHostAndPort({ host, port }: ServerAddress): string {
  const text = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  parseHostAndPort(text);
  return text;
}

function parseFlag(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new InputFault('switch', `"${shorten(text)}" is neither true nor false`);
  return text === 'true';
}

function parseCaFile(text: string): string {
  if (!isAbsolute(text) || text.length > 4096 || /\p{Cc}/u.test(text)) {
    throw new InputFault('CA file', `"${shorten(text)}" is no absolute path`);
  }
  return text;
}

/** RFC 4422 §3.1. */
function parseMechanism(text: string): string {
  if (!/^[A-Z0-9_-]{1,20}$/.test(text)) throw new InputFault('SASL mechanism', `"${shorten(text)}" is none`);
  return text;
}
