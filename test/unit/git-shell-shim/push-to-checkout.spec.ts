import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, type TestRepo } from '../../helpers/repo.ts';
import { run, type Ran } from '../../helpers/shims.ts';

const HOOKS = new URL('../../../git-shell-shim/hooks', import.meta.url).pathname;

interface Stage {
  readonly target: TestRepo;
  readonly source: TestRepo;
  readonly push: (env: Record<string, string>) => Promise<Ran>;
}

/** A repository with `main` checked out, and another one that pushes a newer tip to it, with the hook in force. */
function setStage(): Stage {
  const target = makeRepo();
  commit(target, { 'a.txt': 'one\n' }, 'first');
  git(target.dir, 'config', 'receive.denyCurrentBranch', 'updateInstead');
  git(target.dir, 'config', 'core.hooksPath', HOOKS);
  const source = makeRepo();
  git(source.dir, 'pull', '-q', target.dir, 'main');
  commit(source, { 'a.txt': 'two\n' }, 'second');
  const push = (env: Record<string, string>): Promise<Ran> =>
    run('git', ['push', target.dir, 'main'], { env: { ...cleanEnv(), ...env }, dir: source.dir });
  return { target, source, push };
}

/** Stands in for the command line: notes what it was given, and ends with `code`. */
function makeCli(code: number): { readonly env: Record<string, string>; readonly seen: () => unknown } {
  const dir = makeFolder();
  const script = `
    const git = Object.keys(process.env).filter((name) => name.startsWith('GIT_') && !name.startsWith('GIT_XMPP_'));
    const { GIT_XMPP_HOME: home, GIT_XMPP_REPO: repo } = process.env;
    require('node:fs').writeFileSync(__dirname + '/seen', JSON.stringify({ args: process.argv.slice(2), home, repo, git }));
    process.stderr.write('a rebase is under way\\n', () => process.exit(${code}));
  `;
  writeFileSync(join(dir, 'cli.cjs'), script);
  const env = {
    GIT_XMPP_NODE: process.execPath,
    GIT_XMPP_CLI: join(dir, 'cli.cjs'),
    GIT_XMPP_HOME: '/some home',
    GIT_XMPP_REPO: 'an-id',
  };
  return { env, seen: () => JSON.parse(readFileSync(join(dir, 'seen'), 'utf8')) };
}

describe('hooks/push-to-checkout', () => {
  it('asks the agent with the new tip, and without git’s own variables', async () => {
    const { source, push } = setStage();
    const cli = makeCli(0);
    expect((await push(cli.env)).code).toBe(0);
    const { git: left, ...seen } = Object(cli.seen());
    expect(seen).toEqual({ args: ['push-to-checkout', tipOf(source, 'main')], home: '/some home', repo: 'an-id' });
    for (const name of ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX']) expect(left).not.toContain(name);
  });

  it('refuses the push when the agent does, with its words, and leaves branch and files', async () => {
    const { target, push } = setStage();
    const before = tipOf(target, 'main');
    const ran = await push(makeCli(1).env);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain('a rebase is under way');
    expect(tipOf(target, 'main')).toBe(before);
    expect(readFileSync(join(target.dir, 'a.txt'), 'utf8')).toBe('one\n');
  });

  it('refuses with a sentence where the agent did not start it', async () => {
    const { target, push } = setStage();
    const before = tipOf(target, 'main');
    const { GIT_XMPP_REPO: _without, ...env } = makeCli(0).env;
    for (const incomplete of [{}, env]) {
      const ran = await push(incomplete);
      expect(ran.code).toBe(1);
      expect(ran.stderr).toContain('git-xmpp: this push did not come through the agent');
      expect(tipOf(target, 'main')).toBe(before);
    }
  });
});
