// Which branches and tags are synced: `xmpp.branches` (docs/git-xmpp.1). Rule: pure; a ref that is not synced is as it was last told, so that
// nobody takes it for deleted.

import { shorten } from '../lib/jid.ts';
import { isRefName } from '../lib/names.ts';
import type { RefsOfMap } from '../sync/map-format.ts';

/** What `xmpp.branches` says. */
export interface Synced {
  /** Globs as they were written; none when all is synced. */
  readonly globs: readonly string[];
  /** Whether a full ref name is synced. */
  readonly isSynced: (ref: string) => boolean;
}

const MAX_GLOBS = 64;
const HEADS = 'refs/heads/';
const TAGS = 'refs/tags/';
const NOTHING = /(?!)/u;

interface Pattern {
  readonly isTag: boolean;
  readonly isExcluded: boolean;
  readonly matches: RegExp;
}

/**
 * Globs of branch names, in which `*` stands for any characters, `/` too, and `?` for one; `refs/tags/v*` names tags, and `!wip/*` takes away.
 * As long as no glob names a tag, all tags are synced; where globs only take away, all other branches are. An empty value forgets those before it
 * (as for credential.helper in gitcredentials(7)). A glob that cannot be one is told and names nothing: it never widens what is synced.
 */
export function parseSynced(values: readonly string[], onProblem: (words: string) => void = () => undefined): Synced {
  const given = values.slice(values.lastIndexOf('') + 1);
  if (given.length > MAX_GLOBS) onProblem(`xmpp.branches: only the first ${MAX_GLOBS} of ${given.length} globs hold`);
  const globs = given.slice(0, MAX_GLOBS);
  const patterns = globs.map((glob) => {
    const pattern = parseGlob(glob);
    if (pattern === undefined) onProblem(`xmpp.branches: "${shorten(glob)}" names no branch`);
    return pattern ?? { isTag: /^!?refs\/tags\//.test(glob), isExcluded: false, matches: NOTHING };
  });
  const isSynced = (ref: string): boolean => {
    const isTag = ref.startsWith(TAGS);
    const mine = patterns.filter((pattern) => pattern.isTag === isTag);
    const named = mine.filter(({ isExcluded }) => !isExcluded);
    if (mine.some(({ isExcluded, matches }) => isExcluded && matches.test(ref))) return false;
    return named.length === 0 || named.some(({ matches }) => matches.test(ref));
  };
  return { globs, isSynced };
}

/**
 * What our map tells: what stands here of the refs that are synced, and the others as they were last told.
 * @param all branches and tags that stand here
 * @param told our map as it is
 */
export function tellOnlySynced(all: RefsOfMap, told: RefsOfMap, { globs, isSynced }: Synced): RefsOfMap {
  if (globs.length === 0) return all;
  return new Map([...[...told].filter(([ref]) => isBranchOrTag(ref) && !isSynced(ref)), ...[...all].filter(([ref]) => isSynced(ref))]);
}

/** The entries of a map, or of a record, whose refs are synced. */
export function onlySynced<Value>(refs: Iterable<readonly [string, Value]>, { isSynced }: Pick<Synced, 'isSynced'>): [string, Value][] {
  return [...refs].filter(([ref]) => !isBranchOrTag(ref) || isSynced(ref)).map(([ref, value]) => [ref, value]);
}

function isBranchOrTag(ref: string): boolean {
  return ref.startsWith(HEADS) || ref.startsWith(TAGS);
}

function parseGlob(text: string): Pattern | undefined {
  const isExcluded = text.startsWith('!');
  const glob = text.slice(isExcluded ? 1 : 0);
  const full = glob.startsWith('refs/') ? glob : HEADS + glob;
  if (!isBranchOrTag(full) || !isRefName(full.replace(/[*?]/g, 'x'))) return undefined;
  const source = full.replace(/[\\^$.|+(){}[\]]/g, '\\$&').replace(/\*+/g, '.*').replace(/\?/g, '.');
  return { isTag: full.startsWith(TAGS), isExcluded, matches: new RegExp(`^${source}$`, 'u') };
}
