// Takes over tags (docs/PROTOCOL.md, "Maps"). Rule: made when absent, never moved or deleted by a peer; a clash is named.

import { asFault } from '../lib/errors.ts';
import type { RefName } from '../lib/names.ts';
import { updateRefs } from '../git/refs.ts';
import type { RefMap } from '../git/refs.ts';
import type { Moved, Outcome, TipSource } from './consider-types.ts';
import type { RepoContext, Waiting } from './context.ts';

/** Makes what only an own device or a hub has, and tells which clash. */
export async function takeTags(
  { runGit, repository }: RepoContext,
  who: TipSource,
  refs: { readonly ours: RefMap; readonly theirs: RefMap },
): Promise<Outcome> {
  const tags = [...refs.theirs].filter(([ref]) => ref.startsWith('refs/tags/'));
  const missing = who.isOwn ? tags.filter(([ref]) => !refs.ours.has(ref)) : [];
  const wait = (ref: RefName, why: string, words: string): Waiting => ({ source: who.id, ref, why, words });
  const clashes = tags.filter(([ref, oid]) => refs.ours.has(ref) && refs.ours.get(ref) !== oid);
  const waiting = clashes.map(([ref]) => wait(ref, 'tag-clash', 'the tag names another object there; tags are never moved'));
  const moved: Moved[] = [];
  const make = async (some: typeof missing): Promise<void> => {
    const updates = some.map(([ref, to]) => ({ ref, from: undefined, to }));
    const done = await updateRefs(runGit, repository, updates, { message: 'xmpp: tag' });
    if (done === 'done') moved.push(...updates.map((update) => ({ ...update, how: 'tag' as const })));
  };
  try {
    await make(missing);
  } catch {
    // One that cannot be beside another (`v1/a` where `v1` is) fails them all: so one by one.
    for (const tag of missing) await make([tag]).catch((error: unknown) => waiting.push(wait(tag[0], 'failed', asFault(error, `making ${tag[0]}`).message)));
  }
  return { moved, waiting };
}
