import { describe, expect, it } from 'vitest';
import { findRepo, parseRepos, serviceEnv } from '../../../git-shell-shim/as-login-shell.ts';

const repos = [
  { name: 'notes', path: '/home/ann/code/notes' },
  { name: 'site.git', path: '/srv/site.git' },
];

describe('findRepo', () => {
  it('finds a repository by its name, however the path is written', () => {
    for (const path of ['notes', '/notes', '~/notes', 'notes.git', '/notes.git', 'notes/']) {
      expect(findRepo(repos, path, '/home/ann')).toBe(repos[0]);
    }
    for (const path of ['site.git', '/site.git']) expect(findRepo(repos, path, '/home/ann')).toBe(repos[1]);
  });

  it('finds it by its own path, absolute or from the home folder', () => {
    for (const path of ['/home/ann/code/notes', 'code/notes', '~/code/notes', '/home/ann/x/../code/notes.git']) {
      expect(findRepo(repos, path, '/home/ann')).toBe(repos[0]);
    }
    expect(findRepo(repos, '/srv/site', '/home/ann')).toBe(repos[1]);
  });

  it('finds nothing that is not shared', () => {
    for (const path of ['/home/ann', '/home/ann/code/notes/sub', '../notes', 'note', '/', '.', '~', '/etc']) {
      expect(findRepo(repos, path, '/home/ann'), path).toBeUndefined();
    }
  });
});

describe('parseRepos', () => {
  it('takes what has a name and a path, and survives anything else', () => {
    expect(parseRepos({ repos: [repos[0], null, 1, { name: 'x' }, { name: 1, path: '/' }] })).toEqual([repos[0]]);
    for (const answer of [undefined, null, 'x', [], {}, { repos: 'x' }]) expect(parseRepos(answer)).toEqual([]);
  });
});

describe('serviceEnv', () => {
  it('hands git a short list, and no variable that a remote client may have set to steer it', () => {
    const env = {
      PATH: '/bin',
      HOME: '/home/ann',
      GIT_DIR: '/x',
      GIT_CONFIG_COUNT: '1',
      LD_PRELOAD: 'x',
      GIT_PROTOCOL: 'version=2',
      LANG: undefined,
    };
    expect(serviceEnv(env)).toEqual({ PATH: '/bin', HOME: '/home/ann', GIT_PROTOCOL: 'version=2' });
    expect(serviceEnv({ GIT_PROTOCOL: 'version=2\nx' })).toEqual({});
  });
});
