// The form of the file of shared repositories: `{version: 1, repos: […]}`, and what a grant is by default (docs/THREATS.md).
// Rule: a repository that names no one is shared with own devices alone; no two share an id, a name or a path.

import { isAbsolute } from 'node:path';
import { InputFault } from '../lib/errors.ts';
import { parseBareJid, shorten } from '../lib/jid.ts';
import type { BareJid } from '../lib/jid.ts';
import { isRefName, parseDeviceId, parseGrant, parseRepoId, parseRepoName } from '../lib/names.ts';
import type { DeviceId, Grant, RepoId } from '../lib/names.ts';
import { Fields } from './fields-format.ts';
import type { Peer } from './peers-format.ts';

/** As many as a digest may name. */
export const MAX_REPOS = 1000;
const MAX_GRANTS = 512;
const MAX_BRANCHES = 64;

/** A repository that this device shares. */
export interface SharedRepo {
  readonly id: RepoId;
  /** Its name in a URL. */
  readonly name: string;
  /** As it was opened: work tree, or bare folder; absolute. */
  readonly path: string;
  readonly gitDir: string;
  /** `own`: my devices alone. A list: devices of these accounts as well. */
  readonly audience: 'own' | readonly BareJid[];
  /** What the audience may do, where no grant of its own says otherwise. */
  readonly defaultGrant?: Grant;
  /** By DeviceId or BareJid. */
  readonly grants: Readonly<Record<string, Grant>>;
  /** By DeviceId or BareJid: globs below refs/heads/ that a grant is for; absent means all that are shared. */
  readonly grantBranches?: Readonly<Record<string, readonly string[]>>;
  /** Shared by `--folder`: commits by itself, and new branches become local. */
  readonly isFolder: boolean;
  /** Globs below refs/heads/ that are shared; none means all. */
  readonly branches: readonly string[];
}

/**
 * What a peer may do with a repository. A grant to the device wins over one to its account, and both over the default:
 * `write` for own devices, `offer` for others in the audience, which `defaultGrant` replaces for whom the audience names.
 */
export function grantOf(repo: SharedRepo, peer: Pick<Peer, 'device' | 'jid' | 'kind'>): Grant {
  const explicit = repo.grants[peer.device] ?? repo.grants[peer.jid];
  if (explicit !== undefined) return explicit;
  if (peer.kind === 'own') return repo.audience === 'own' ? (repo.defaultGrant ?? 'write') : 'write';
  return repo.audience !== 'own' && repo.audience.includes(peer.jid) ? (repo.defaultGrant ?? 'offer') : 'none';
}

/** Globs of the branches that a peer's grant is for, beside those that the sharing names; none for all. */
export function grantedBranches(repo: SharedRepo, peer: Pick<Peer, 'device' | 'jid'>): readonly string[] {
  const holder = repo.grants[peer.device] === undefined ? peer.jid : peer.device;
  return repo.grantBranches?.[holder] ?? [];
}

/** @throws InputFault naming the repository and field */
export function parseRepos(value: unknown): readonly SharedRepo[] {
  const fields = new Fields(value, 'file');
  if (fields.count('version') !== 1) throw new InputFault('file.version', 'is not 1');
  const repos = fields.list('repos', MAX_REPOS, parseRepo);
  fields.end();
  checkUnique(repos.map(({ id }) => id), 'id');
  checkUnique(repos.map(({ name }) => foldName(name)), 'name');
  checkUnique(repos.map(({ path }) => path), 'path');
  return repos;
}

/** What `parseRepos` reads back. */
export function formatRepos(repos: readonly SharedRepo[]): { readonly version: 1; readonly repos: readonly SharedRepo[] } {
  return { version: 1, repos };
}

/** @throws InputFault naming `what` and the field */
export function parseRepo(value: unknown, what: string): SharedRepo {
  const fields = new Fields(value, what);
  const repo: SharedRepo = {
    id: fields.text('id', parseRepoId),
    name: fields.text('name', parseRepoName),
    path: fields.text('path', parsePath),
    gitDir: fields.text('gitDir', parsePath),
    audience: fields.isText('audience') ? fields.text('audience', parseOwn) : fields.texts('audience', MAX_GRANTS, parseBareJid),
    ...fields.parseOptional('defaultGrant', (name) => fields.text(name, parseGrant)),
    grants: Object.fromEntries(fields.entries('grants', MAX_GRANTS, parseGrantOf)),
    ...fields.parseOptional('grantBranches', (name) => fields.value(name, parseGrantBranches)),
    isFolder: fields.flag('isFolder'),
    branches: fields.texts('branches', MAX_BRANCHES, parseBranchGlob),
  };
  fields.end();
  return repo;
}

/** What two names have in common when they are the same to a person. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

function parsePath(text: string): string {
  if (isAbsolute(text) && !text.includes('\0') && text.length <= 4096) return text;
  throw new InputFault('path', `"${shorten(text)}" is not absolute`);
}

function parseOwn(text: string): 'own' {
  if (text !== 'own') throw new InputFault('audience', 'is neither "own" nor a list of JIDs');
  return text;
}

function parseGrantOf(holder: string, grant: string): [DeviceId | BareJid, Grant] {
  return [parseHolder(holder), parseGrant(grant)];
}

function parseGrantBranches(value: unknown, what: string): Readonly<Record<string, readonly string[]>> {
  const fields = new Fields(value, what);
  const holders = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (holders.length > MAX_GRANTS) throw new InputFault(what, `holds more than ${MAX_GRANTS} entries`);
  return Object.fromEntries(holders.map((holder) => [parseNamedHolder(holder, what), fields.texts(holder, MAX_BRANCHES, parseBranchGlob)]));
}

function parseNamedHolder(text: string, what: string): DeviceId | BareJid {
  try {
    return parseHolder(text);
  } catch (cause) {
    throw new InputFault(what, `"${shorten(text)}" is neither a device nor an account`, { cause });
  }
}

function parseHolder(text: string): DeviceId | BareJid {
  return text.includes('@') ? parseBareJid(text) : parseDeviceId(text);
}

/** A branch name in which `*` stands for any characters, as in `feature/*`. */
function parseBranchGlob(text: string): string {
  if (!isRefName(`refs/heads/${text.replaceAll('*', 'x')}`)) throw new InputFault('branch', `"${shorten(text)}" names no branch`);
  return text;
}

function checkUnique(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new InputFault(`repos.${what}`, `"${shorten(name)}" stands twice`);
    seen.add(name);
  }
}
