// Git's names and ours. Rule: a name from outside becomes one of these types here, or nowhere.

import { InputFault } from './errors.ts';
import { shorten } from './jid.ts';

/** An object id: 40 hex digits (SHA-1) or 64 (SHA-256). */
export type Oid = string & { readonly __type: 'Oid' };
/** A full ref name such as `refs/heads/main` (git-check-ref-format(1)). */
export type RefName = string & { readonly __type: 'RefName' };
/** The UUID that all clones of a shared repository carry. */
export type RepoId = string & { readonly __type: 'RepoId' };
/** The first 32 hex digits of SHA-256 over a device's public key (SPKI, DER). */
export type DeviceId = string & { readonly __type: 'DeviceId' };
/** The local name of a peer; always a valid remote name. */
export type Petname = string & { readonly __type: 'Petname' };

/** What a device may do with a repository (docs/THREATS.md): each holds what stands before it. */
export type Grant = 'none' | 'read' | 'offer' | 'write';

/** @throws InputFault */
export function parseOid(text: string): Oid {
  if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) throw new InputFault('object id', `"${shorten(text)}" is not 40 or 64 hex digits`);
  return text as Oid;
}

/**
 * Whether `text` may be a ref name: git-check-ref-format(1) without options. Half a surrogate pair has no bytes, and U+FFFD stands where
 * git's bytes were no UTF-8, so neither may be in it.
 */
export function isRefName(text: string): boolean {
  return (
    text.length <= 1024 &&
    text.includes('/') &&
    !/[\p{Cc}\p{Cs}\uFFFD ~^:?*[\\]/u.test(text) &&
    !/\.\.|@\{|\/\/|^\/|\/$|\.$|(?:^|\/)\.|\.lock(?:\/|$)/.test(text)
  );
}

/** @throws InputFault on anything git itself would refuse, or that does not begin with `refs/` */
export function parseRefName(text: string): RefName {
  if (!text.startsWith('refs/') || !isRefName(text)) throw new InputFault('ref name', `"${shorten(text)}" is not a valid full ref name`);
  return text as RefName;
}

/** @throws InputFault */
export function parseRepoId(text: string): RepoId {
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) {
    throw new InputFault('repo id', `"${shorten(text)}" is not a lower-case UUID`);
  }
  return text as RepoId;
}

/** @throws InputFault */
export function parseDeviceId(text: string): DeviceId {
  if (!/^[0-9a-f]{32}$/.test(text)) throw new InputFault('device id', `"${shorten(text)}" is not 32 hex digits`);
  return text as DeviceId;
}

/** @throws InputFault when `text` could not name a git remote on every file system */
export function parsePetname(text: string): Petname {
  if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u.test(text) || !isRefName(`refs/remotes/${text}/x`) || /^head$/i.test(text)) {
    throw new InputFault('name', `"${shorten(text)}" may hold letters, digits, ".", "_" and "-", and begins with a letter or digit`);
  }
  return text as Petname;
}

/** A shared repository's name in a URL: one path segment. @throws InputFault */
export function parseRepoName(text: string): string {
  if (!/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._ +-]{0,99}$/u.test(text)) {
    throw new InputFault('repo name', `"${shorten(text)}" may hold letters, digits, spaces, ".", "_", "+" and "-"`);
  }
  return text;
}

/** @throws InputFault */
export function parseGrant(text: string): Grant {
  if (text === 'none' || text === 'read' || text === 'offer' || text === 'write') return text;
  throw new InputFault('grant', `"${shorten(text)}" is not none, read, offer or write`);
}

/** Whether a device with grant `held` may do what needs `needed`. */
export function isGranted(held: Grant, needed: Exclude<Grant, 'none'>): boolean {
  const order: readonly Grant[] = ['none', 'read', 'offer', 'write'];
  return order.indexOf(held) >= order.indexOf(needed);
}
