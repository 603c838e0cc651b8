// The digest: which maps, at which counter, a device holds of each repository it shares with the asker.
// Rule: it is a comparison, never the data; what is missing is offered, and an unknown field is an error of the sender.

import { InputFault } from '../lib/errors.ts';
import { parseDeviceId, parseRepoId, parseRepoName } from '../lib/names.ts';
import type { DeviceId, RepoId } from '../lib/names.ts';

/** The protocol's version; a higher one from a peer is refused by name, never guessed at. */
export const PROTOCOL_VERSION = 1;
/** More repositories than this are not compared in one request. */
export const MAX_REPOS = 1000;
const MAX_MAPS = 512;

/** One repository: its name at the sender, and the counter of every map the sender holds. */
export interface RepoDigest {
  readonly repo: RepoId;
  readonly name: string;
  readonly maps: ReadonlyMap<DeviceId, number>;
}

export interface Digest {
  readonly version: number;
  readonly repos: readonly RepoDigest[];
}

/** A digest as the JSON that travels: `{version, repos: [{repo, name, maps: {device: counter}}]}`. */
export function formatDigest(digest: Digest): unknown {
  return {
    version: digest.version,
    repos: digest.repos.map(({ repo, name, maps }) => ({ repo, name, maps: Object.fromEntries(maps) })),
  };
}

/**
 * Of a newer version only the number is read: it is refused by its name, and what else it says may have another form.
 * @throws InputFault on anything but the form above, within its limits
 */
export function parseDigest(value: unknown): Digest {
  const { version, repos } = parseRecord(value, 'digest');
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) throw new InputFault('digest', 'has no version');
  if (version > PROTOCOL_VERSION) return { version, repos: [] };
  if (!Array.isArray(repos) || repos.length > MAX_REPOS) throw new InputFault('digest', `names no list of at most ${MAX_REPOS} repositories`);
  return { version, repos: repos.map(parseRepoDigest) };
}

function parseRepoDigest(value: unknown): RepoDigest {
  const { repo, name, maps } = parseRecord(value, 'digest of a repository');
  const entries = Object.entries(parseRecord(maps, 'maps of a digest'));
  if (entries.length > MAX_MAPS) throw new InputFault('digest', `names more than ${MAX_MAPS} maps`);
  return {
    repo: parseRepoId(parseText(repo, 'repo id')),
    name: parseRepoName(parseText(name, 'repo name')),
    maps: new Map(entries.map(([device, counter]) => [parseDeviceId(device), parseCounter(counter)])),
  };
}

/** A map's counter: a positive integer that a double holds exactly. @throws InputFault */
export function parseCounter(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw new InputFault('counter', 'is no positive integer');
  return value;
}

/** A JSON text. @throws InputFault naming `what` */
export function parseText(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new InputFault(what, 'is no text');
  return value;
}

/** A JSON object. @throws InputFault naming `what` */
export function parseRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputFault(what, 'is no JSON object');
  return value as Record<string, unknown>;
}
