// The OpenSSH server that benchmarks stand beside. Rule: real git over real ssh, with nothing of the user's own set-up.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSshd } from '../helpers/sshd.ts';
import type { Sshd } from '../helpers/sshd.ts';

const run = promisify(execFile);

describe('startSshd', () => {
  let server: Sshd;
  let dir: string;
  let env: Record<string, string | undefined>;
  beforeAll(async () => {
    server = await startSshd();
    dir = await mkdtemp(path.join(os.tmpdir(), 'git-xmpp-spec-'));
    const person = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
    env = { PATH: process.env.PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: '1', ...person, ...server.env };
  });
  afterAll(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('takes a push and gives it back to a clone', async () => {
    await run('git', ['init', '--quiet', '--bare', 'hub with space.git'], { cwd: dir, env });
    await run('git', ['init', '--quiet', '-b', 'main', 'work'], { cwd: dir, env });
    const work = path.join(dir, 'work');
    await run('git', ['commit', '--quiet', '--allow-empty', '-m', 'first'], { cwd: work, env });
    const url = server.urlOf(path.join(dir, 'hub with space.git'));
    await run('git', ['push', '--quiet', url, 'main'], { cwd: work, env });
    const { stdout } = await run('git', ['ls-remote', url, 'refs/heads/main'], { cwd: work, env });
    const { stdout: tip } = await run('git', ['rev-parse', 'HEAD'], { cwd: work, env });
    expect(stdout).toBe(`${tip.trim()}\trefs/heads/main\n`);
  });

  it('runs a forced command in place of what the client asks for', async () => {
    const forced = await startSshd({ forcedCommand: 'echo "asked: $SSH_ORIGINAL_COMMAND"' });
    const { stdout } = await run('/bin/sh', ['-c', `${forced.command} ${forced.host} git-upload-pack notes`], { env });
    expect(stdout).toBe('asked: git-upload-pack notes\n');
    await forced.stop();
  });

  it('is gone, with its keys, after stop', async () => {
    const other = await startSshd();
    const [, key = ''] = /-i '([^']+)'/.exec(other.command) ?? [];
    expect(existsSync(key)).toBe(true);
    await other.stop();
    expect(() => process.kill(other.pid, 0)).toThrow('ESRCH');
    expect(existsSync(key)).toBe(false);
  });
});
