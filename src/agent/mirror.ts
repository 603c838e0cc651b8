// The mirror: refs/remotes/<remote>/* written locally from a device's map (docs/PROTOCOL.md, "Maps"). Rule: only the namespace that the
// remote's own fetch refspec names is written, so that `git branch -r` shows just what a fetch would.

import { parseRefName } from '../lib/names.ts';
import type { DeviceId, Oid, RefName } from '../lib/names.ts';
import { listRefs, updateRefs } from '../git/refs.ts';
import type { RefUpdate } from '../git/refs.ts';
import { readGitConfig, setGitConfig } from '../git/repository.ts';
import { diffMaps } from '../sync/map-format.ts';
import type { RepoContext } from './context.ts';

const HEADS = 'refs/heads/';

/** The remote of `peer/repo` in a repository: by its URL, whatever it is called. */
export function findRemote(config: ReadonlyMap<string, readonly string[]>, url: string): string | undefined {
  for (const [key, values] of config) {
    const name = /^remote\.(.+)\.url$/.exec(key)?.[1];
    if (name !== undefined && values.includes(url)) return name;
  }
  return undefined;
}

/** The URL under which plain git reaches a peer's repository. */
export function urlOf(petname: string, repoName: string): string {
  return `xmpp::${petname}/${repoName}`;
}

/**
 * Adds a remote for a peer's clone of this repository, unless one has that URL already. A name that is taken gets `-2`, `-3`, ….
 * @returns the remote's name
 */
export async function ensureRemote({ runGit, repository }: RepoContext, petname: string, repoName: string): Promise<string> {
  const config = await readGitConfig(runGit, repository);
  const url = urlOf(petname, repoName);
  const known = findRemote(config, url);
  if (known !== undefined) return known;
  const isTaken = (name: string): boolean => [...config.keys()].some((key) => key.startsWith(`remote.${name}.`));
  let name = petname;
  for (let count = 2; isTaken(name); count += 1) name = `${petname}-${count}`;
  await setGitConfig(runGit, repository, `remote.${name}.url`, url);
  await setGitConfig(runGit, repository, `remote.${name}.fetch`, `+${HEADS}*:refs/remotes/${name}/*`);
  // A second remote beside `origin` would make `git switch feature` ambiguous.
  const hasOrigin = config.has('remote.origin.url');
  if (hasOrigin && !config.has('checkout.defaultremote')) await setGitConfig(runGit, repository, 'checkout.defaultRemote', 'origin');
  return name;
}

/** Writes what a device's map says into the remote's own refs; what the map lacks is removed. */
export async function writeMirror(
  context: RepoContext,
  device: DeviceId,
  { config, url }: { readonly config: ReadonlyMap<string, readonly string[]>; readonly url: string },
): Promise<void> {
  // No map says nothing: what a clone has just fetched is not to be taken away again.
  if (context.maps.signed(device) === undefined) return;
  const remote = findRemote(config, url);
  if (remote === undefined) return;
  const target = targetOf(config.get(`remote.${remote}.fetch`) ?? []);
  if (target === undefined) return;
  const wanted = new Map<RefName, Oid>();
  for (const [ref, oid] of context.maps.refsOf(device)) {
    if (ref.startsWith(HEADS)) wanted.set(parseRefName(target + ref.slice(HEADS.length)), oid);
  }
  const present = await listRefs(context.runGit, context.repository, [target]);
  const head = parseRefName(`${target}HEAD`);
  const updates: RefUpdate[] = [...diffMaps(present, wanted)]
    .filter(([ref]) => ref !== head)
    .map(([ref, to]) => ({ ref, from: present.get(ref), to }));
  // A race lost against the user's own fetch is a fact, no error: the next map or reconcile looks again.
  await updateRefs(context.runGit, context.repository, updates, { message: 'xmpp: mirror' });
}

/** Where `refs/heads/*` is fetched to, when it goes to remote-tracking refs at all. */
function targetOf(fetch: readonly string[]): string | undefined {
  for (const refspec of fetch) {
    const target = /^\+?refs\/heads\/\*:(refs\/remotes\/[^*]+\/)\*$/.exec(refspec)?.[1];
    if (target !== undefined) return target;
  }
  return undefined;
}
