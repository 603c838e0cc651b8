import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { findHome } from '../../../src/home/paths.ts';
import { openDoor } from '../../helpers/door.ts';
import { gitRoutes } from '../../helpers/git-routes.ts';
import { cleanEnv, commit, git, makeFolder, makeRepo, tipOf, type TestRepo } from '../../helpers/repo.ts';
import { bundleShims, run, shimEnv, type Ran, type Shims } from '../../helpers/shims.ts';

let shims: Shims;

beforeAll(async () => {
  shims = await bundleShims();
});

interface Stage {
  readonly origin: TestRepo;
  readonly env: Record<string, string>;
  readonly fields: Readonly<Record<string, string>>[];
  /** Arguments and GIT_PROTOCOL of each call of the `ssh` on the PATH. */
  readonly sshCalls: () => string[];
}

/** A home with an account, an agent with a peer `laptop`, and on the PATH an `ssh` that notes its calls and ends with 42. */
async function setStage(options: { readonly isSetUp?: boolean; readonly hasAgent?: boolean } = {}): Promise<Stage> {
  const origin = makeRepo({ isBare: true });
  const work = makeRepo();
  commit(work, { 'a.txt': 'one\n' }, 'first');
  git(work.dir, 'push', '-q', origin.dir, 'main', 'main:refs/xmpp/device/heads/main');
  const fields: Readonly<Record<string, string>>[] = [];
  const home = findHome({ GIT_XMPP_HOME: makeFolder() });
  if (options.isSetUp !== false) writeFileSync(home.config, '[xmpp]\n\tjid = ann@example.org\n');
  const routes = gitRoutes({ repos: { notes: origin.dir }, env: cleanEnv(), onStream: (each) => fields.push(each) });
  if (options.hasAgent !== false) await openDoor(routes, { socketPath: home.socket, home: home.dir });
  const bin = makeFolder();
  writeFileSync(join(bin, 'ssh'), `#!/bin/sh\necho "$*|$GIT_PROTOCOL" >> '${bin}/calls'\nexit 42\n`, { mode: 0o755 });
  const env = shimEnv(shims, home.dir);
  const calls = join(bin, 'calls');
  const sshCalls = (): string[] => (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []);
  return { origin, env: { ...env, PATH: `${bin}:${env['PATH']}` }, fields, sshCalls };
}

function shell(stage: Stage, args: readonly string[], extra: Record<string, string> = {}): Promise<Ran> {
  return run('git-xmpp-shell', args, { env: { ...stage.env, ...extra } });
}

describe('git-xmpp-shell in the place of ssh', () => {
  it('carries clone, push and ls-remote of a petname, over protocol version 2', async () => {
    const stage = await setStage();
    const env = { ...stage.env, GIT_SSH_COMMAND: 'git-xmpp-shell' };
    const dir = join(makeFolder(), 'clone');
    expect(await run('git', ['clone', '-q', 'laptop:notes', dir], { env })).toMatchObject({ code: 0, stderr: '' });
    const tip = commit({ dir, gitDir: dir }, { 'b.txt': 'two\n' }, 'second');
    expect((await run('git', ['-C', dir, 'push', '-q', 'origin', 'main'], { env })).code).toBe(0);
    expect(tipOf(stage.origin, 'main')).toBe(tip);
    const listed = await run('git', ['ls-remote', 'ssh://ann@laptop:2222/notes.git', 'refs/heads/main'], { env });
    expect(listed.stdout).toBe(`${tip}\trefs/heads/main\n`);
    expect(stage.fields).toEqual([
      { peer: 'laptop', repo: 'notes', service: 'git-upload-pack', protocol: 'version=2' },
      { peer: 'laptop', repo: 'notes', service: 'git-receive-pack' },
      { peer: 'laptop', repo: 'notes', service: 'git-upload-pack', protocol: 'version=2' },
    ]);
    expect(stage.sshCalls()).toEqual([]);
  });

  it('works as GIT_SSH and as core.sshCommand too', async () => {
    const { env } = await setStage();
    const named = await run('git', ['ls-remote', 'laptop:notes'], { env: { ...env, GIT_SSH: 'git-xmpp-shell' } });
    expect(named.stdout).toContain('refs/heads/main');
    const configured = await run('git', ['-c', 'core.sshCommand=git-xmpp-shell', 'ls-remote', 'laptop:notes'], { env });
    expect(configured.stdout).toContain('refs/heads/main');
  });

  it('works where git is told that it is no OpenSSH, without a protocol version', async () => {
    const { env, fields } = await setStage();
    const simple = { ...env, GIT_SSH_COMMAND: 'git-xmpp-shell', GIT_SSH_VARIANT: 'simple' };
    const ran = await run('git', ['ls-remote', 'laptop:notes'], { env: simple });
    expect(ran.stdout).toContain('refs/heads/main');
    expect(fields).toEqual([{ peer: 'laptop', repo: 'notes', service: 'git-upload-pack' }]);
  });

  it('answers the probe for a petname with 0 and not a word, and asks ssh about any other host', async () => {
    const stage = await setStage();
    expect(await shell(stage, ['-G', '-o', 'SendEnv=GIT_PROTOCOL', 'laptop'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(stage.sshCalls()).toEqual([]);
    expect((await shell(stage, ['-G', '-p', '22', 'ann@github.com'])).code).toBe(42);
    expect(stage.sshCalls()).toEqual(['-G -p 22 ann@github.com|']);
  });

  it('hands any other host to ssh, arguments, environment, pipes and exit code as they are', async () => {
    const stage = await setStage();
    const env = { ...stage.env, GIT_SSH_COMMAND: 'git-xmpp-shell' };
    expect((await run('git', ['ls-remote', 'ssh://git@example.org:2222/x.git'], { env })).code).toBe(128);
    // The probe failed (42), so git takes it for a simple ssh, which cannot be given a port.
    expect(stage.sshCalls()).toEqual(['-G -o SendEnv=GIT_PROTOCOL -p 2222 git@example.org|version=2']);
    const fetching = ['-p', '2222', 'git@example.org', "git-upload-pack 'x'"];
    expect((await shell(stage, fetching, { GIT_PROTOCOL: 'version=2' })).code).toBe(42);
    expect((await shell(stage, ['-V'])).code).toBe(42);
    expect(stage.sshCalls().slice(1)).toEqual(["-p 2222 git@example.org git-upload-pack 'x'|version=2", '-V|']);
  });

  it('makes way for the real OpenSSH', async () => {
    const { env } = await setStage();
    const ran = await run(
      'git-xmpp-shell', ['-G', '-p', '2222', 'ann@example.org'], { env: { ...env, PATH: `${shims.bin}:${process.env['PATH']}` } },
    );
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^port 2222$/m);
  });

  it('hands a petname’s host to ssh where git-xmpp was never set up, and makes no home', async () => {
    const stage = await setStage({ isSetUp: false, hasAgent: false });
    const none = join(makeFolder(), 'none');
    expect(await shell(stage, ['laptop', "git-upload-pack 'notes'"], { GIT_XMPP_HOME: none })).toEqual({
      code: 42,
      stdout: '',
      stderr: '',
    });
    expect(existsSync(none)).toBe(false);
  });

  it('does not start an agent to ask about a domain, and says so when a plain name cannot be asked about', async () => {
    const stage = await setStage({ hasAgent: false });
    expect(await shell(stage, ['example.org', 'x'])).toEqual({ code: 42, stdout: '', stderr: '' });
    const plain = await shell(stage, ['laptop', 'x']);
    expect(plain.code).toBe(42);
    expect(plain.stderr).toMatch(
      /^git-xmpp-shell: no agent runs, and none can be started: .*; laptop is taken for an ssh host\n$/,
    );
  });

  it('refuses what a petname does not serve, and names it', async () => {
    const stage = await setStage();
    const refusals = [
      ['laptop', 'ls -l'],
      ['laptop'],
      ['laptop', "git-upload-pack 'a/b'"],
      ['laptop', "git-upload-pack 'other'"],
    ];
    const said: string[] = [];
    for (const args of refusals) {
      const ran = await shell(stage, args);
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      said.push(ran.stderr.split('\n', 1)[0] ?? '');
    }
    expect(said).toEqual([
      'git-xmpp: [wrong-use] "ls" is not served: only git-upload-pack and git-receive-pack are',
      'git-xmpp: [wrong-use] laptop is a git-xmpp peer, which serves git and no shell',
      expect.stringContaining('git-xmpp: [bad-input] repo name: "a/b"'),
      'git-xmpp: [no-such-repo] laptop shares no "other"',
    ]);
    expect(stage.sshCalls()).toEqual([]);
  });
});

describe('git-xmpp-shell as a login shell', () => {
  /** An ssh that is a whole sshd: it runs its last argument through the login shell, as sshd does. */
  function remoteSsh(how: string): string {
    const file = join(makeFolder(), 'ssh');
    writeFileSync(file, `#!/bin/sh\nfor command; do :; done\n${how}\n`, { mode: 0o755 });
    return file;
  }

  it('serves clone and push of a shared repository, as shell and as forced command', async () => {
    const stage = await setStage();
    for (const how of ['exec git-xmpp-shell -c "$command"', 'SSH_ORIGINAL_COMMAND="$command" exec git-xmpp-shell']) {
      const env = { ...stage.env, GIT_SSH: remoteSsh(how), GIT_SSH_VARIANT: 'simple' };
      const dir = join(makeFolder(), 'clone');
      expect(await run('git', ['clone', '-q', 'somewhere:notes', dir], { env })).toMatchObject({ code: 0, stderr: '' });
      const tip = commit({ dir, gitDir: dir }, { 'b.txt': how }, 'more');
      expect((await run('git', ['-C', dir, 'push', '-q', 'origin', 'main'], { env })).code).toBe(0);
      expect(tipOf(stage.origin, 'main')).toBe(tip);
      expect((await run('git', ['ls-remote', `somewhere:${stage.origin.dir}`], { env })).stdout).toContain(tip);
    }
  });

  it('speaks version 2 when asked, shows no refs of the agents, and passes no other variable to git', async () => {
    const stage = await setStage();
    const command = ['-c', "git-upload-pack '/notes.git'"];
    const second = await shell(stage, command, { GIT_PROTOCOL: 'version=2' });
    expect(second.stdout).toMatch(/^000eversion 2\n/);
    const steered = await shell(stage, command, { GIT_PROTOCOL: 'version=2:evil', GIT_TRACE: '1' });
    expect(steered.stdout).toContain('refs/heads/main');
    expect(steered.stdout).not.toContain('refs/xmpp');
    expect(steered.stderr).not.toContain('trace');
  });

  it('ends with git’s own exit code', async () => {
    const stage = await setStage();
    const ran = await run('git-xmpp-shell', ['-c', "git-receive-pack 'notes'"], { env: stage.env, input: 'zzzz' });
    expect(ran.code).toBe(128);
    expect(ran.stderr).toContain('fatal: protocol error');
  });

  it('refuses every other command and every repository that is not shared, and names it', async () => {
    const stage = await setStage();
    const commands = [
      "git-upload-archive 'notes'",
      'sh -i',
      "git-upload-pack '/etc'",
      "git-upload-pack 'notes'; id",
      "git-upload-pack '../notes'",
      '',
    ];
    const said: string[] = [];
    for (const command of commands) {
      const ran = await shell(stage, ['-c', command]);
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      said.push(ran.stderr.split('\n', 1)[0] ?? '');
    }
    expect(said).toEqual([
      expect.stringContaining('"git-upload-archive" is not served'),
      expect.stringContaining('"sh" is not served'),
      expect.stringContaining('"/etc" is no repository that is shared here'),
      expect.stringContaining('git-upload-pack: needs one path'),
      expect.stringContaining('"../notes" is no repository that is shared here'),
      expect.stringContaining('"" is not served'),
    ]);
  });

  it('gives nobody a shell, and says who they are', async () => {
    const stage = await setStage();
    const ran = await shell(stage, [], { USER: 'ann' });
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toContain(
      `git-xmpp: [wrong-use] you are ann on ${hostname()}, which serves git over ssh here and gives no shell`,
    );
  });
});
