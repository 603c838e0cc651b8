// Watching the files of a work tree: one fs.watch per folder (inotify(7); docs/decisions/0034-commits-by-itself.md).
// Rule: a folder is watched first and read then, so nothing made meanwhile is missed; .git, other repositories and ignored folders are left out.

import { join } from 'node:path';
import { readdir } from 'node:fs/promises';
import { messageOf } from '../lib/errors.ts';
import type { RunGit } from '../lib/git-run.ts';
import { entriesIn, folderIdentity, FolderWatches } from './folder-watch.ts';
import { checkIgnored, ignoredFolders } from './ignored.ts';
import type { Repository } from './repository.ts';

export interface WorkWatchOptions {
  /** Something changed at a path, from the top, with `/` between names; '' for anywhere. */
  readonly onTouched: (path: string) => void;
  /** Told in words, once, when not everything can be watched. */
  readonly onProblem: (words: string) => void;
}

/** What is in a folder, by path from the top. */
interface Found {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Other work of this process gets its turn after so many folders. */
const FOLDERS_AT_ONCE = 64;
/** Ignored files that are known by name; beyond, the oldest is asked about again. */
const MAX_IGNORED = 4096;

/** The watches of one work tree. */
export class WorkWatch {
  readonly #runGit: RunGit;
  readonly #repository: Repository;
  readonly #options: WorkWatchOptions;
  readonly #watches: FolderWatches;
  #ignored: Set<string> = new Set();
  readonly #ignoredFiles = new Set<string>();
  /** New folders that git has not been asked about yet. */
  #news = new Set<string>();
  #isAsking = false;
  #haveRulesChanged = false;
  #isRefreshing = false;
  #isStopped = false;

  /** @param repository one with a work tree */
  constructor(runGit: RunGit, repository: Repository, options: WorkWatchOptions) {
    this.#runGit = runGit;
    this.#repository = repository;
    this.#options = options;
    this.#watches = new FolderWatches(options.onProblem);
  }

  /** Whether every folder is watched; else only a slow look finds what changes. */
  get isWhole(): boolean {
    return this.#watches.isWhole;
  }

  /** Watches whatever is there and not ignored now; called first of all, and again to find what was lost. @throws Fault `git` */
  async refresh(): Promise<void> {
    this.#ignored = await ignoredFolders(this.#runGit, this.#repository);
    this.#ignoredFiles.clear();
    this.#watches.retry();
    for (const folder of this.#ignored) this.#watches.dropTree(this.#pathOf(folder));
    const folders = [''];
    for (let count = 1; folders.length > 0 && !this.#isStopped; count += 1) {
      folders.push(...this.#look(folders.pop() ?? '').folders);
      if (count % FOLDERS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A file that git ignores: what happens to it is told no more. */
  leaveOut(path: string): void {
    const [oldest] = this.#ignoredFiles;
    if (this.#ignoredFiles.size >= MAX_IGNORED && oldest !== undefined) this.#ignoredFiles.delete(oldest);
    this.#ignoredFiles.add(path);
  }

  /** Watched folders with nothing in them, of which git knows nothing; at most `most`. */
  async emptyFolders(most: number): Promise<string[]> {
    const found: string[] = [];
    const top = this.#pathOf('');
    for (const path of this.#watches.paths) {
      if (found.length >= most) break;
      const names = path === top ? ['.git'] : await readdir(path).catch(() => ['gone']);
      if (names.length === 0) found.push(path.slice(top.length + 1));
    }
    return found;
  }

  stop(): void {
    this.#isStopped = true;
    this.#watches.stop();
  }

  /** Watches a folder and reads it. @returns what is in it, from the top; nothing where it is, or is in, another repository */
  #look(folder: string): Found {
    const path = this.#pathOf(folder);
    this.#watches.add(path, (name, isRename) => this.#onEvent(folder, name, isRename));
    const entries = entriesIn(path);
    if (folder !== '' && entries.some(({ name }) => name === '.git')) {
      this.#watches.dropTree(path);
      return { folders: [], files: [] };
    }
    const found = { folders: new Array<string>(), files: new Array<string>() };
    for (const entry of entries) {
      const inside = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === '.git' || this.#ignored.has(inside)) continue;
      (entry.isDirectory() ? found.folders : found.files).push(inside);
    }
    return found;
  }

  #onEvent(folder: string, name: string | null, isRename: boolean): void {
    if (name === null) return this.#options.onTouched('');
    if (name === '.git') return folder === '' ? undefined : this.#watches.dropTree(this.#pathOf(folder));
    const path = folder === '' ? name : `${folder}/${name}`;
    if (isRename) this.#replaced(path);
    if (name === '.gitignore') void this.#rulesChanged();
    if (!this.#ignored.has(path) && !this.#ignoredFiles.has(path)) this.#options.onTouched(path);
  }

  /** Something was made, removed or put in the place of another. */
  #replaced(path: string): void {
    if (folderIdentity(this.#pathOf(path)) === undefined) {
      if (this.#watches.has(this.#pathOf(path))) this.#watches.dropTree(this.#pathOf(path));
      return;
    }
    if (this.#ignored.has(path)) return;
    this.#news.add(path);
    if (!this.#isAsking) void this.#takeNews();
  }

  /** Asks about new folders, watches those that count, and tells what is in them; what is in them may be new folders again. */
  async #takeNews(): Promise<void> {
    this.#isAsking = true;
    while (this.#news.size > 0 && !this.#isStopped) {
      const news = [...this.#news];
      this.#news = new Set();
      // Where git cannot be asked, one folder too many is watched.
      const ignored = await checkIgnored(this.#runGit, this.#repository, news).catch(() => new Set<string>());
      for (const folder of news) {
        if (ignored.has(folder)) this.#ignored.add(folder);
        else this.#tell(this.#look(folder));
      }
    }
    this.#isAsking = false;
  }

  #tell({ folders, files }: Found): void {
    for (const path of files) this.#options.onTouched(path);
    for (const path of folders) this.#news.add(path);
  }

  /** What is ignored may have become wanted, and the other way round. */
  async #rulesChanged(): Promise<void> {
    this.#haveRulesChanged = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      while (this.#haveRulesChanged && !this.#isStopped) {
        this.#haveRulesChanged = false;
        await this.refresh();
      }
      this.#options.onTouched('');
    } catch (error) {
      this.#options.onProblem(`${this.#repository.path} is not watched: ${messageOf(error)}`);
    } finally {
      this.#isRefreshing = false;
    }
  }

  #pathOf(folder: string): string {
    return folder === '' ? this.#repository.path : join(this.#repository.path, folder);
  }
}
