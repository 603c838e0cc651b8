// What a service is to run. Rule: real links in real folders, as package managers lay them.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findHome } from '../../../src/home/paths.ts';
import { checkLasting, planService, programFolder } from '../../../src/home/service-plan.ts';
import type { ServicePlan } from '../../../src/home/service-format.ts';
import { makeFolder } from '../../helpers/repo.ts';

function file(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  return path;
}

function link(target: string, ...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  symlinkSync(target, path);
  return path;
}

function plan(env: Record<string, string>, node = '/opt/none/node'): ServicePlan {
  return planService({ home: findHome({ GIT_XMPP_HOME: '/home/anna/xmpp' }), env, programDir: '/lib/git-xmpp/dist', node });
}

describe('the folder of the program', () => {
  it('is found through the link that npm makes, in the folder that the next version will have', () => {
    const prefix = makeFolder();
    file(prefix, 'lib/node_modules/git-xmpp/dist/git-xmpp.cjs');
    const called = link('../lib/node_modules/git-xmpp/dist/git-xmpp.cjs', prefix, 'bin/git-xmpp');
    expect(programFolder(called)).toBe(join(prefix, 'lib/node_modules/git-xmpp/dist'));
  });

  it('is named by a folder that is a link, not by the version that it leads to today', () => {
    const root = makeFolder();
    file(root, '.store/git-xmpp@0.1.0/dist/git-xmpp.cjs');
    link('../.store/git-xmpp@0.1.0', root, 'node_modules/git-xmpp');
    expect(programFolder(join(root, 'node_modules/git-xmpp/dist/git-xmpp.cjs'))).toBe(join(root, 'node_modules/git-xmpp/dist'));
  });
});

describe('a program that will be gone', () => {
  it('is refused: what npx keeps for a while', () => {
    expect(() => checkLasting({ program: '/home/anna/.npm/_npx/3f2a/node_modules/git-xmpp/dist/agent.mjs' })).toThrow(/ is a copy that npx made for a while$/);
    expect(() => checkLasting({ program: '/home/_npxer/lib/node_modules/git-xmpp/dist/agent.mjs' })).not.toThrow();
  });
});

describe('the node that it runs', () => {
  it('is the one of the search path, where that leads to the one that runs now', () => {
    const brew = makeFolder();
    const node = file(brew, 'Cellar/node/20.1/bin/node');
    link('../Cellar/node/20.1/bin/node', brew, 'bin/node');
    file(brew, 'other/node');
    expect(plan({ PATH: `${brew}/other:${brew}/bin` }, node).node).toBe(join(brew, 'bin/node'));
    expect(plan({ PATH: `${brew}/other` }, node).node).toBe(node);
  });

  it('is never named by a link of this session', () => {
    const runtime = makeFolder();
    const node = file(makeFolder(), 'v20/bin/node');
    link(node, runtime, 'fnm/123/bin/node');
    expect(plan({ PATH: `${runtime}/fnm/123/bin:/usr/bin`, XDG_RUNTIME_DIR: runtime }, node)).toMatchObject({ node, environment: { PATH: '/usr/bin' } });
  });
});

describe('what it is given', () => {
  it('is the search path, each absolute folder once, and where git keeps its configuration', () => {
    const env = { PATH: '/usr/bin::node_modules/.bin:/opt/b:/usr/bin', XDG_CONFIG_HOME: '/home/anna/conf', GIT_CONFIG_GLOBAL: '', HTTPS_PROXY: 'http://u:secret@proxy' };
    expect(plan(env)).toEqual({
      node: '/opt/none/node',
      program: '/lib/git-xmpp/dist/agent.mjs',
      home: '/home/anna/xmpp',
      environment: { PATH: '/usr/bin:/opt/b', XDG_CONFIG_HOME: '/home/anna/conf' },
      log: '/home/anna/xmpp/agent.log',
    });
  });

  it.each([
    ['/run/user/1000/keyring/ssh', true],
    ['/run/user/1000/ssh-agent.socket', true],
    ['/run/user/1000/keyring-8F2311/ssh', false],
    ['/tmp/ssh-XXabc/agent.4711', false],
    ['', false],
  ])('holds the socket %s of an ssh agent: %s', (socket, isTaken) => {
    expect('SSH_AUTH_SOCK' in plan({ PATH: '/usr/bin', SSH_AUTH_SOCK: socket }).environment).toBe(isTaken);
  });
});
