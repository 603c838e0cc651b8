// Real git repositories in temporary folders, with fixed names and dates, so that the same content gives the same object ids.
// Rule: no configuration of the machine or of the person who runs the specs reaches them.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { parseOid } from '../../src/lib/names.ts';
import type { Oid } from '../../src/lib/names.ts';

/** A file's content; `null` removes it. */
export type TestFile = string | Uint8Array | null | { readonly link: string } | { readonly executable: string };

export interface TestRepo {
  /** Work tree, or the bare repository itself. */
  readonly dir: string;
  readonly gitDir: string;
}

const folders: string[] = [];
const clock = { seconds: 1_700_000_000 };

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, removed when the spec file is done. */
export function makeFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'git-xmpp-spec-')));
  folders.push(folder);
  return folder;
}

/** A home without any configuration: what `createRunGit` and `git` below are given. */
export function cleanEnv(): Record<string, string> {
  home ??= makeFolder();
  return { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: tmpdir() };
}
let home: string | undefined;

/** An empty repository on branch `main`. */
export function makeRepo(
  options: { readonly isBare?: boolean; readonly dir?: string; readonly args?: readonly string[] } = {},
): TestRepo {
  const dir = options.dir ?? makeFolder();
  mkdirSync(dir, { recursive: true });
  git(dir, 'init', '-q', '-b', 'main', ...(options.isBare === true ? ['--bare'] : []), ...(options.args ?? []));
  return { dir, gitDir: options.isBare === true ? dir : join(dir, '.git') };
}

/** Writes `files`, stages everything and commits; every commit is one minute younger than the one before. */
export function commit(repo: TestRepo, files: Readonly<Record<string, TestFile>>, message: string): Oid {
  writeFiles(repo.dir, files);
  git(repo.dir, 'add', '-A', '-f', '--', ...Object.keys(files));
  git(repo.dir, 'commit', '-q', '--allow-empty', '-m', message);
  return tipOf(repo, 'HEAD');
}

/** Puts `files` into a folder, without git. */
export function writeFiles(dir: string, files: Readonly<Record<string, TestFile>>): void {
  for (const [path, content] of Object.entries(files)) {
    const at = join(dir, path);
    rmSync(at, { recursive: true, force: true });
    if (content === null) continue;
    mkdirSync(dirname(at), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(at, content);
    else if ('link' in content) symlinkSync(content.link, at);
    else {
      writeFileSync(at, content.executable);
      chmodSync(at, 0o755);
    }
  }
}

/** What `name` stands for in `repo`. */
export function tipOf(repo: TestRepo, name: string): Oid {
  return parseOid(git(repo.dir, 'rev-parse', '--verify', name));
}

/** Runs git in `dir`; its standard output without the last line break. Throws with git's words when it fails. */
export function git(dir: string, ...args: string[]): string {
  clock.seconds += 60;
  const date = `${clock.seconds} +0000`;
  const person = {
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'ann@example.org',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'ann@example.org',
  };
  const env = {
    ...cleanEnv(),
    ...person,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_DATE: date,
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C.UTF-8',
  };
  return execFileSync('git', ['-C', dir, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).replace(
    /\n$/,
    '',
  );
}
