// What git ignores.

import { describe, expect, it } from 'vitest';
import { checkIgnored, ignoredFolders } from '../../../src/git/ignored.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { open } from '../../helpers/git-pipe.ts';
import { cleanEnv, commit, git, makeRepo, writeFiles } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());
const repo = makeRepo();
commit(repo, { '.gitignore': 'build/\nnode_modules\n*.log\n', 'build/kept': 'kept', a: 'a' }, 'one');
writeFiles(repo.dir, { 'build/x': 'x', 'build/deep/x': 'x', 'node_modules/x/y': 'y', 'd/node_modules/z': 'z', 'd/ü ö.log': 'x', 'd/e': 'e' });
git(repo.dir, 'init', '-q', 'inner');

describe('ignoredFolders', () => {
  it('lists folders ignored as a whole, and not one that holds a tracked file', async () => {
    expect([...(await ignoredFolders(runGit, await open(repo)))].toSorted()).toEqual(['build/deep', 'd/node_modules', 'node_modules']);
  });
});

describe('checkIgnored', () => {
  it('names those that are ignored, whether they are there or not', async () => {
    const asked = ['build', 'build/deep', 'node_modules', 'd', 'd/e', 'd/ü ö.log', 'd/new.log', 'new'];
    expect([...(await checkIgnored(runGit, await open(repo), asked))]).toEqual(['build/deep', 'node_modules', 'd/ü ö.log', 'd/new.log']);
  });

  it('asks nothing about nothing, and takes what git does not answer for wanted', async () => {
    expect([...(await checkIgnored(runGit, await open(repo), []))]).toEqual([]);
    expect([...(await checkIgnored(runGit, await open(repo), ['../out']))]).toEqual([]);
  });
});
