// Opening a repository: gitrepository-layout(5), git-rev-parse(1).
// Rule: what cannot be kept in sync safely is refused here, in one sentence that says why.

import { dirname, basename } from 'node:path';
import { CONFIG_LOCKED, pastConfigLock } from '../lib/config-lock.ts';
import { Fault, messageOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { parseOid } from '../lib/names.ts';
import type { Oid } from '../lib/names.ts';
import { inRepository } from './environment.ts';
import { lastWords } from './run.ts';

/** A repository that may be shared. All paths are absolute. */
export interface Repository {
  /** `.git`, the bare repository, or `.git/worktrees/<name>`. */
  readonly gitDir: string;
  /** What linked work trees have in common; the same as `gitDir` without them. */
  readonly commonDir: string;
  readonly workTree: string | undefined;
  readonly isBare: boolean;
  readonly isShallow: boolean;
  /** The work tree, or the bare repository. */
  readonly path: string;
}

const MAX_ROOTS = 64;
/** Exit codes of `git config --unset`: it was not set (git-config(1)); its folder is gone. */
const NOTHING_TO_UNSET = 5;
const NO_REPOSITORY = 128;

/**
 * The repository that holds `path`.
 * @throws Fault `not-a-repository`, or `refused-repository` with the reason
 */
export async function openRepository(runGit: RunGit, path: string): Promise<Repository> {
  const [gitDir, commonDir, bare, shallow] = await revParse(runGit, path);
  if (gitDir === undefined || commonDir === undefined)
    throw new Fault('not-a-repository', `${path} has a path that git-xmpp cannot read`);
  const isBare = bare === 'true';
  const workTree = isBare ? undefined : await workTreeOf(runGit, path, gitDir);
  const isShallow = shallow === 'true';
  const repository = { gitDir, commonDir, workTree, isBare, isShallow, path: workTree ?? gitDir };
  if (isShallow) {
    throw refused(repository, 'is a shallow clone: others could not fetch whole branches from it', 'run git fetch --unshallow');
  }
  const reason = refusalOf(await readGitConfig(runGit, repository));
  if (reason !== undefined) throw refused(repository, reason.why, reason.remedy);
  return repository;
}

async function revParse(runGit: RunGit, path: string): Promise<string[]> {
  const asked = [
    '--absolute-git-dir',
    '--path-format=absolute',
    '--git-common-dir',
    '--is-bare-repository',
    '--is-shallow-repository',
  ];
  try {
    const { stdout } = await runGit(['rev-parse', ...asked], { dir: path });
    const lines = stdout.replace(/\n$/, '').split('\n');
    return lines.length === 4 ? lines : [];
  } catch (error) {
    throw explain(path, error);
  }
}

function explain(path: string, error: unknown): unknown {
  const words = messageOf(error);
  if (/not a git repository|cannot change to/i.test(words)) {
    return new Fault('not-a-repository', `${path} is not in a git repository`, {
      remedy: 'run `git init`, or `git xmpp share --folder` to have it made',
      cause: error,
    });
  }
  if (/unknown repository extension|repository version|dubious ownership|not owned|safe\.directory/i.test(words)) {
    return new Fault('refused-repository', `${path} cannot be opened: ${words}`, { cause: error });
  }
  return error;
}

async function workTreeOf(runGit: RunGit, path: string, gitDir: string): Promise<string> {
  const { stdout, exitCode } = await runGit(['rev-parse', '--show-toplevel'], { dir: path, okCodes: [0, 128] });
  if (exitCode === 0) return stdout.replace(/\n$/, '');
  if (basename(gitDir) === '.git') return workTreeOf(runGit, dirname(gitDir), '');
  throw new Fault('refused-repository', `${path} lies inside a git directory`, {
    remedy: 'name the folder with the files in it',
  });
}

/** Extensions that change what a ref or an object is. */
function refusalOf(config: ReadonlyMap<string, readonly string[]>): { why: string; remedy: string } | undefined {
  const isPartial = [...config].some(([key, values]) => /^remote\..*\.promisor$/s.test(key) && values.at(-1) !== 'false');
  if (isPartial || config.has('extensions.partialclone')) {
    return {
      why: 'is a partial clone: it does not hold the objects that others would fetch from it',
      remedy: 'share a full clone instead',
    };
  }
  const storage = config.get('extensions.refstorage')?.at(-1) ?? 'files';
  if (storage !== 'files') {
    return {
      why: `keeps its refs as ${storage}, which git-xmpp cannot watch yet`,
      remedy: 'run git refs migrate --ref-format=files',
    };
  }
  if (config.has('extensions.compatobjectformat')) {
    return { why: 'mixes SHA-1 and SHA-256 object names', remedy: 'share a clone with one object format' };
  }
  return undefined;
}

function refused(repository: { readonly path: string }, why: string, remedy: string): Fault {
  return new Fault('refused-repository', `${repository.path} ${why}`, { remedy });
}

/** Commits without parents that branches and tags lead to, sorted: clones of one history have them in common. */
export async function rootCommits(runGit: RunGit, repository: Repository): Promise<Oid[]> {
  const { stdout } = await runGit(['rev-list', '--max-parents=0', '--branches', '--tags'], inRepository(repository));
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, MAX_ROOTS)
    .map(parseOid)
    .toSorted();
}

/** Bytes that its objects take on the disk, whatever leads to them (git-count-objects(1)). */
export async function storedBytes(runGit: RunGit, repository: Repository): Promise<number> {
  const { stdout } = await runGit(['count-objects', '-v'], inRepository(repository));
  const kilobytes = [...stdout.matchAll(/^size(?:-pack)?: (\d+)$/gm)].map(([, count]) => Number(count));
  return kilobytes.reduce((sum, each) => sum + each, 0) * 1024;
}

/** All configuration that holds in the repository; git writes section and variable in lower case. */
export async function readGitConfig(
  runGit: RunGit,
  repository: Pick<Repository, 'path' | 'gitDir'>,
): Promise<Map<string, string[]>> {
  const { stdout } = await runGit(['config', '--list', '-z', '--includes'], inRepository(repository));
  const config = new Map<string, string[]>();
  for (const entry of stdout.split('\0')) {
    if (entry === '') continue;
    const end = entry.indexOf('\n');
    const key = end < 0 ? entry : entry.slice(0, end);
    config.set(key, [...(config.get(key) ?? []), end < 0 ? 'true' : entry.slice(end + 1)]);
  }
  return config;
}

/** Sets `key` in the repository's own configuration, in place of all its values there. @throws Fault `git`, also where its lock stays */
export async function setGitConfig(runGit: RunGit, repository: Repository, key: string, value: string): Promise<void> {
  await writeGitConfig(runGit, repository, ['--replace-all', key, value]);
}

/** Takes `key` out of the repository's own configuration, if it is there and the repository still is. @throws as `setGitConfig` */
export async function unsetGitConfig(runGit: RunGit, repository: Pick<Repository, 'path' | 'gitDir'>, key: string): Promise<void> {
  await writeGitConfig(runGit, repository, ['--unset-all', key], [NOTHING_TO_UNSET, NO_REPOSITORY]);
}

async function writeGitConfig(
  runGit: RunGit,
  repository: Pick<Repository, 'path' | 'gitDir'>,
  args: readonly string[],
  okCodes: readonly number[] = [],
): Promise<void> {
  const { exitCode, stderr } = await pastConfigLock(() =>
    runGit(['config', '--local', ...args], { ...inRepository(repository), okCodes: [0, ...okCodes, CONFIG_LOCKED] }),
  );
  if (exitCode === CONFIG_LOCKED) throw new Fault('git', `git config: ${lastWords(stderr)}`, { remedy: 'if no git is at work there, remove that lock' });
}
