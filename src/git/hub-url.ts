// The address of a hub: the same one however it is written, and the folder of one that is a path (git-fetch(1), GIT URLS; RFC 3986).
// Rule: pure text, and no password ever goes into what is made of it.

import { createHmac } from 'node:crypto';
import { resolve } from 'node:path';
import type { RepoId } from '../lib/names.ts';

const DEFAULT_PORTS: Readonly<Record<string, string>> = { ssh: '22', 'git+ssh': '22', 'ssh+git': '22', https: '443', http: '80', git: '9418' };

/**
 * The folder that a URL means on this machine, undefined for every other.
 * @param base the folder that a relative path begins at
 */
export function pathOfUrl(url: string, base: string): string | undefined {
  if (url.startsWith('file://')) return decode(url.replace(/^file:\/\/(?:localhost(?=\/))?/, ''));
  // `host:path` is ssh unless a slash comes first; `helper::…` and `scheme://…` have a colon as well.
  return url === '' || /^[^/]*:/.test(url) ? undefined : resolve(base, url);
}

/** `host/path` without user, password, scheme, usual port and `.git`: what ssh and https call the same repository has one form. */
export function normaliseUrl(url: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url) ?? [];
  const scp = scheme === '' ? /^(?:[^/@]*@)?(\[[^\]]*\]|[^/:[\]]+):(?!:)(.*)$/s.exec(url) : null;
  if (scp !== null) return join(String(scp[1]), String(scp[2]));
  if (scheme === '' || scheme.toLowerCase() === 'file') return trim(scheme === '' ? url : decode(rest));
  const [, host = '', port = '', path = ''] = /^(?:[^/]*@)?(\[[^\]]*\]|[^/:]*)(?::(\d*))?(.*)$/s.exec(rest) ?? [];
  const isUsual = port === '' || DEFAULT_PORTS[scheme.toLowerCase()] === port;
  return join(isUsual ? host : `${host}:${port}`, decode(path));
}

/** What stands for a hub in an announcement: 32 hex digits that say nothing to those who do not know the URL and the repository. */
export function hashUrl(repo: RepoId, url: string): string {
  return createHmac('sha256', repo).update(normaliseUrl(url)).digest('hex').slice(0, 32);
}

function join(host: string, path: string): string {
  return `${host.toLowerCase()}/${trim(path).replace(/^\/+/, '')}`;
}

function trim(path: string): string {
  return path.replace(/\/+$/, '').replace(/(?<=[^/])\/?\.git$/, '').replace(/\/+$/, '');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
