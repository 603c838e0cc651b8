// Files that git writes through a filter of the user's, such as git-lfs (gitattributes(5), "filter"). Rule: a filter may ask the network and fail
// half-way, so a branch whose files pass through one does not move by itself; whoever has none pays for a look at a few small files.

import { join } from 'node:path';
import type { RunGit } from '../lib/git-run.ts';
import type { Oid } from '../lib/names.ts';
import { dropPrivateIndex, privateIndex } from './private-index.ts';
import type { TreeChange } from './tree-diff.ts';
import { readSmallFile } from './worktrees.ts';
import type { WorkTree } from './worktrees.ts';

/** Folders whose .gitattributes are looked at; with more of them git is asked at once. */
const MAX_FOLDERS = 200;
const ATTRIBUTES = '.gitattributes';
/** A private index of its own. */
const PURPOSE = '-attributes';

/** The first changed file that a filter would write, and the filter's name. */
export async function findFiltered(
  runGit: RunGit,
  move: { readonly tree: WorkTree; readonly to: Oid; readonly changes: readonly TreeChange[]; readonly commonDir: string },
): Promise<{ readonly path: string; readonly filter: string } | undefined> {
  const written = move.changes.filter(({ kind }) => kind !== 'deleted');
  if (!(await mayBeFiltered(move, written))) return undefined;
  const filters = await configuredFilters(runGit, move.tree);
  return filters.size === 0 ? undefined : ask(runGit, { ...move, changes: written }, filters);
}

/** Whether any attributes that concern these files speak of a filter, here or in what comes. */
async function mayBeFiltered({ tree, commonDir }: { readonly tree: WorkTree; readonly commonDir: string }, changes: readonly TreeChange[]): Promise<boolean> {
  const folders = new Set(['']);
  for (const change of changes) {
    const name = change.path.toString('utf8');
    if (name === ATTRIBUTES || name.endsWith(`/${ATTRIBUTES}`)) return true;
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) folders.add(name.slice(0, slash));
    if (folders.size > MAX_FOLDERS) return true;
  }
  const files = [join(commonDir, 'info/attributes'), ...[...folders].map((folder) => join(tree.path, folder, ATTRIBUTES))];
  const texts = await Promise.all(files.map((file) => readSmallFile(file)));
  return texts.some((text) => text !== undefined && /\sfilter=/.test(text));
}

/** Names of filters that would run when a file is written. */
async function configuredFilters(runGit: RunGit, tree: WorkTree): Promise<ReadonlySet<string>> {
  const args = ['config', '--null', '--get-regexp', '^filter\\..*\\.(smudge|process)$'];
  const { stdout } = await runGit(args, { ...privateIndex(tree), okCodes: [0, 1] });
  const entries = stdout.split('\0').flatMap((entry) => {
    const [key = '', command = ''] = entry.split('\n', 2);
    const name = /^filter\.(.*)\.(?:smudge|process)$/s.exec(key)?.[1];
    return name === undefined || command === '' || command === 'cat' ? [] : [name];
  });
  return new Set(entries);
}

/** git's own answer, by the attributes as the new commit has them. */
async function ask(
  runGit: RunGit,
  { tree, to, changes }: { readonly tree: WorkTree; readonly to: Oid; readonly changes: readonly TreeChange[] },
  filters: ReadonlySet<string>,
): Promise<{ readonly path: string; readonly filter: string } | undefined> {
  const place = privateIndex(tree, PURPOSE);
  try {
    await runGit(['read-tree', to], place);
    const input = Buffer.concat(changes.flatMap(({ path }) => [path, Buffer.of(0)]));
    const { stdout } = await runGit(['check-attr', '--cached', '--stdin', '-z', 'filter'], { ...place, input });
    const fields = stdout.split('\0');
    for (let at = 0; at + 2 < fields.length; at += 3) {
      const [path = '', filter = ''] = [fields[at], fields[at + 2]];
      if (filters.has(filter)) return { path, filter };
    }
    return undefined;
  } finally {
    await dropPrivateIndex(tree.gitDir, PURPOSE);
  }
}
