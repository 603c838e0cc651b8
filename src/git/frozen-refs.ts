// A place to push from whose refs cannot move: a bare repository of the agent's own, with the user's objects and just the refs it was handed
// (gitrepository-layout(5), git(1), GIT_OBJECT_DIRECTORY). Rule: git reads its refs when it starts, and by then the repository's own may be others.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Oid, RefName } from '../lib/names.ts';
import type { GitPlace } from './environment.ts';
import type { Repository } from './repository.ts';

const SHA256_DIGITS = 64;
const SHA1_CONFIG = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';
const SHA256_CONFIG = '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n';

export interface FrozenRefs extends GitPlace {
  /** To be called when git has ended. */
  remove(): Promise<void>;
}

/**
 * Writes `refs` down, by their full names.
 * @param folder the agent's own; made when it is not there, and what a crash left in it may be removed at the next start
 */
export async function freezeRefs(folder: string, { commonDir }: Pick<Repository, 'commonDir'>, refs: ReadonlyMap<RefName, Oid>): Promise<FrozenRefs> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const dir = await mkdtemp(join(folder, 'refs-'));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  const [anyOid] = refs.values();
  try {
    await mkdir(join(dir, 'refs'));
    await writeFile(join(dir, 'HEAD'), 'ref: refs/heads/none\n');
    await writeFile(join(dir, 'config'), anyOid?.length === SHA256_DIGITS ? SHA256_CONFIG : SHA1_CONFIG);
    await writeFile(join(dir, 'packed-refs'), [...refs].map(([ref, oid]) => `${oid} ${ref}\n`).join(''));
  } catch (error) {
    await remove();
    throw error;
  }
  return { dir, env: { GIT_DIR: dir, GIT_OBJECT_DIRECTORY: join(commonDir, 'objects') }, remove };
}
