// What this device lets a peer run: git-upload-pack(1), git-receive-pack(1), hidden refs (git-config(1), transfer.hideRefs).
// Rule: what a peer sees and may write is decided by the arguments made here, which beat the repository's own configuration.

import { InputFault } from '../lib/errors.ts';
import { parseRefName } from '../lib/names.ts';
import type { Oid, RefName } from '../lib/names.ts';
import { QUIET_CONFIG } from './environment.ts';
import type { GitConfig } from './environment.ts';
import { fsckConfig } from './fsck-format.ts';
import type { Repository } from './repository.ts';

/** What to hand to `StartGit`. */
export interface ServiceStart {
  readonly args: readonly string[];
  readonly config: GitConfig;
  readonly env: Readonly<Record<string, string>>;
  /** As in `StartGitOptions`. */
  readonly cpuSeconds?: number;
}

/** A longer list would not fit in the environment that git hands its children. */
const MAX_NAMED_BRANCHES = 1000;
const MAX_HAVES = 64;

/** With a number behind it: globs of branches, a line each, for the hook `update`. */
export const GLOBS_VARIABLE = 'GIT_XMPP_BRANCHES';

export interface UploadOptions {
  /** Only these branches (full or short names, from `branchesMatching`); absent for all. */
  readonly branches?: readonly string[];
  /** Default true: with `branches` tags are shown all the same. */
  readonly hasTags?: boolean;
  /** The branch that HEAD names: HEAD is hidden when it is not among `branches`. */
  readonly headBranch?: RefName;
  /** The peer's GIT_PROTOCOL; anything but `version=0|1|2` counts as none. */
  readonly protocol?: string | undefined;
}

/**
 * Serves a fetch: HEAD, branches and tags, never refs/stash or refs/xmpp.
 * With `branches` the protocol is v0, for under v2 any object is served by its id.
 */
export function serveUpload(repository: Repository, options: UploadOptions = {}): ServiceStart {
  const limits = {
    'uploadpack.allowTipSHA1InWant': 'false',
    'uploadpack.allowReachableSHA1InWant': 'false',
    'uploadpack.allowAnySHA1InWant': 'false',
  };
  const { branches, headBranch } = options;
  const tags = options.hasTags === false ? [] : ['refs/tags'];
  const shown = branches === undefined ? ['refs/heads', 'refs/tags'] : [...named(branches), ...tags];
  const isHeadShown = branches === undefined || (headBranch !== undefined && shown.includes(headBranch));
  const version = branches === undefined ? (parseProtocol(options.protocol) ?? 'version=0') : 'version=0';
  return {
    args: ['upload-pack', '--strict', repository.commonDir],
    config: {
      ...QUIET_CONFIG,
      ...NO_ALTERNATES,
      ...limits,
      'uploadpack.hideRefs': [...(isHeadShown ? [] : ['HEAD']), ...showOnly(shown)],
    },
    env: { GIT_PROTOCOL: version },
  };
}

/** `version=0|1|2` as it stands, anything else as nothing (gitprotocol-v2(5)). */
export function parseProtocol(text: string | undefined): string | undefined {
  return text !== undefined && /^version=[012]$/.test(text) ? text : undefined;
}

/** Short names of the branches in `refs` that a list of globs names (`*` also crosses `/`). */
export function branchesMatching(globs: readonly string[], refs: { keys(): Iterable<string> }): string[] {
  const patterns = globs.map(
    (glob) =>
      new RegExp(
        `^${glob
          .replace(/[\\^$.|+(){}[\]]/g, '\\$&')
          .replace(/\*+/g, '.*')
          .replace(/\?/g, '.')}$`,
        'u',
      ),
  );
  const names = [...refs.keys()].filter((ref) => ref.startsWith('refs/heads/')).map((ref) => ref.slice('refs/heads/'.length));
  return names.filter((name) => patterns.some((pattern) => pattern.test(name)));
}

function named(branches: readonly string[]): string[] {
  if (branches.length > MAX_NAMED_BRANCHES) throw new InputFault('branches', `a grant may name at most ${MAX_NAMED_BRANCHES}`);
  return branches.map((name) => parseRefName(name.startsWith('refs/') ? name : `refs/heads/${name}`));
}

export interface ReceivePeopleOptions {
  /** Folder with our `update` and `push-to-checkout` (hooks.ts); without it a push to a checked-out branch is refused. */
  readonly hooksPath?: string;
  /** Larger packs are refused. No quota: a small pack may hold a giant tree. */
  readonly maxInputBytes?: number;
  /** Refs, or whole spaces of them, that are neither shown nor written. */
  readonly hidden?: readonly RefName[];
  /** Lists of globs of branch names: a branch that is pushed has to match one of each, which the hook `update` sees to. */
  readonly globs?: readonly (readonly string[])[];
}

/** People's lane: branches forward only, tags only when new, nothing deleted; a checked-out branch by the one safe path. */
export function serveReceivePeople(repository: Repository, options: ReceivePeopleOptions = {}): ServiceStart {
  const { hooksPath, hidden = [], globs = [] } = options;
  if (globs.length > 0 && hooksPath === undefined) throw new InputFault('push', 'to some branches alone needs the hook that tells them');
  if (hidden.length > MAX_NAMED_BRANCHES) throw new InputFault('branches', `a grant may leave out at most ${MAX_NAMED_BRANCHES}`);
  return {
    args: ['receive-pack', repository.commonDir],
    config: {
      ...receiveConfig(options),
      'core.hooksPath': hooksPath ?? '/dev/null',
      'receive.hideRefs': [...showOnly(hooksPath === undefined ? ['refs/heads'] : ['refs/heads', 'refs/tags']), ...hidden],
      'receive.denyNonFastForwards': 'true',
      'receive.denyDeletes': 'true',
      'receive.denyDeleteCurrent': 'refuse',
      'receive.denyCurrentBranch': hooksPath === undefined ? 'refuse' : 'updateInstead',
    },
    env: { GIT_PROTOCOL: 'version=0', ...Object.fromEntries(globs.map((each, index) => [`${GLOBS_VARIABLE}${index}`, each.join('\n')])) },
  };
}

export interface ReceiveOfferOptions {
  /** `refs/xmpp/<device>` of the offering device and of those it relays, or `refs/xmpp/partial/<device>`; with or without a last `/`. */
  readonly namespace: readonly string[];
  /** Commits the peer may build on, told as `.have`: seen but not writable. Needs `havesDir`, made by `prepareHavesDir`. */
  readonly haves?: readonly Oid[];
  readonly havesDir?: string;
  readonly maxInputBytes?: number;
  /** Keeps what comes as a pack, however few objects it holds: for slices, many of which would leave many loose ones. */
  readonly isKeptPacked?: boolean;
  /** The peer knows what is held: nothing is advertised, and the push comes at once (git-receive-pack(1), `--http-backend-info-refs`). */
  readonly isWarm?: boolean;
}

/** Agents' lane: only the named corners are seen and written; no hook runs. */
export function serveReceiveOffer(repository: Repository, options: ReceiveOfferOptions): ServiceStart {
  const corners = options.namespace.map((corner) => parseRefName(corner.replace(/\/$/, '')));
  if (corners.length === 0 || corners.some((corner) => !/^refs\/xmpp\/(?:partial\/)?[0-9a-f]{32}$/.test(corner))) {
    throw new InputFault('offer', 'may only name refs/xmpp/<device>/');
  }
  const haves = havesOf(options);
  return {
    args: ['receive-pack', ...(options.isWarm === true ? ['--stateless-rpc'] : []), repository.commonDir],
    config: {
      ...receiveConfig(options),
      ...haves.config,
      'receive.hideRefs': showOnly(corners),
      'receive.denyNonFastForwards': 'false',
      'receive.denyDeletes': 'false',
      ...(options.isKeptPacked === true ? { 'receive.unpackLimit': '1' } : {}),
    },
    env: { GIT_PROTOCOL: 'version=0', ...haves.env },
  };
}

/** For an alternate, even an empty one, git asks core.alternateRefsCommand for tips and tells them as `.have` (git-config(1)). */
function havesOf({ haves, havesDir }: ReceiveOfferOptions): {
  readonly config: GitConfig;
  readonly env: Readonly<Record<string, string>>;
} {
  if (haves === undefined || haves.length === 0 || havesDir === undefined) return { config: {}, env: {} };
  const oids = haves.slice(0, MAX_HAVES).join(' ');
  return {
    config: { 'core.alternateRefsCommand': `printf '%s\\n' ${oids} #` },
    env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: `${havesDir}/objects` },
  };
}

/** Tips of alternates are nobody's business. A word alone is run without a shell, so it has to be a program. */
const NO_ALTERNATES: GitConfig = { 'core.alternateRefsCommand': 'true' };

function receiveConfig(options: { readonly maxInputBytes?: number }): GitConfig {
  return {
    ...QUIET_CONFIG,
    ...NO_ALTERNATES,
    ...fsckConfig('receive'),
    'receive.autogc': 'false',
    'receive.updateServerInfo': 'false',
    'receive.advertisePushOptions': 'false',
    'receive.shallowUpdate': 'false',
    'receive.maxInputSize': String(options.maxInputBytes ?? 0),
  };
}

/** The last pattern that matches decides, and `-c` comes after every file. */
function showOnly(prefixes: readonly string[]): string[] {
  return ['refs', ...prefixes.map((prefix) => `!${prefix}`)];
}
