// Running git: environment, faults, streams.

import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { writeFileSync, chmodSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRunGit, createStartGit, lastWords } from '../../../src/git/run.ts';
import { cleanEnv, commit, makeFolder, makeRepo } from '../../helpers/repo.ts';

const runGit = createRunGit(cleanEnv());
const startGit = createStartGit(cleanEnv());
const alias = (words: string) => ({ config: { 'alias.x': `!${words}` } });

describe('createRunGit', () => {
  it('passes no GIT_* on, and nothing that is not on the list', async () => {
    const run = createRunGit({
      ...cleanEnv(),
      GIT_DIR: '/nowhere',
      GIT_CONFIG_COUNT: '1',
      GIT_INDEX_FILE: 'x',
      LANGUAGE: 'de',
      SECRET: 's',
    });
    const { stdout } = await run(['x'], alias('env'));
    const names = stdout.split('\n').map((line) => line.split('=')[0]);
    for (const name of ['GIT_DIR', 'GIT_CONFIG_COUNT', 'GIT_INDEX_FILE', 'LANGUAGE', 'SECRET']) expect(names).not.toContain(name);
    expect(stdout).toContain('GIT_TERMINAL_PROMPT=0');
  });

  it('hands out exit codes that are an answer', async () => {
    expect(await runGit(['x'], { ...alias('exit 3'), okCodes: [3] })).toMatchObject({ exitCode: 3 });
  });

  it('runs eight at once and the others in turn, but lets nothing wait for what may wait for the network', async () => {
    const run = createRunGit(cleanEnv());
    const open = join(makeFolder(), 'open');
    const waiting = Array.from({ length: 8 }, () => run(['x'], alias(`while test ! -e ${open}; do sleep 0.02; done`)));
    let isIn = false;
    const late = run(['x'], alias('true')).then(() => (isIn = true));
    await run(['x'], { ...alias('true'), session: new AbortController().signal });
    expect(isIn).toBe(false);
    writeFileSync(open, '');
    await Promise.all(waiting);
    await late;
  });

  it("fails with git's own last words", async () => {
    await expect(runGit(['rev-parse', 'HEAD'], { dir: makeFolder() })).rejects.toMatchObject({
      code: 'git',
      message: expect.stringContaining('not a git repository'),
    });
  });

  it('stops at its deadline', async () => {
    await expect(runGit(['x'], { ...alias('exec sleep 60'), deadlineMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('stops at its limit of bytes', async () => {
    await expect(runGit(['x'], { ...alias('yes'), maxBytes: 1000 })).rejects.toMatchObject({ code: 'too-large' });
  });

  it('says when there is no git', async () => {
    await expect(createRunGit({ PATH: makeFolder() })(['version'])).rejects.toMatchObject({
      code: 'git',
      remedy: expect.stringContaining('install'),
    });
  });

  it('says when the disk is full', async () => {
    await expect(runGit(['x'], alias('echo "fatal: write error: No space left on device" >&2; exit 128'))).rejects.toMatchObject({
      code: 'disk-full',
    });
  });

  it('feeds input and keeps the last line break', async () => {
    expect((await runGit(['x'], { ...alias('cat'), input: 'a\nb\n' })).stdout).toBe('a\nb\n');
    expect((await runGit(['x'], alias('cat'))).stdout).toBe('');
  });
});

describe('lastWords', () => {
  it('keeps three lines and no control characters', () => {
    expect(lastWords('a\nb\nc\n\u001b[31md\n')).toBe('b; c; ?[31md');
  });

  it('tells no password of a URL', () => {
    expect(lastWords("fatal: Authentication failed for 'https://anna:hunter2@host/x'")).toBe("fatal: Authentication failed for 'https://<redacted>@host/x'");
  });
});

describe('createStartGit', () => {
  it('loses no byte that is read late', async () => {
    const repo = makeRepo();
    const big = 'x'.repeat(300_000);
    commit(repo, { big }, 'big');
    const process = startGit(['cat-file', 'blob', 'HEAD:big'], { dir: repo.dir });
    await new Promise((resolve) => {
      setImmediate(() => setImmediate(resolve));
    });
    await runGit(['version']);
    expect(await text(process.stdout)).toBe(big);
    expect(await process.exit).toBe(0);
  });

  it('tells the exit code and the last words', async () => {
    const process = startGit(['x'], { config: { 'alias.x': '!echo early >&2; printf "%5000s" end >&2; exit 7' } });
    expect(await process.exit).toBe(7);
    expect(process.stderrTail()).toHaveLength(4096);
    expect(process.stderrTail()).toMatch(/ end$/);
  });

  it('ends a process by the end of its input when it hangs up, read or not', async () => {
    const { dir } = makeRepo({ isBare: true });
    const process = createStartGit(cleanEnv())(['receive-pack', dir]);
    process.stdin.write('00');
    process.hangUp();
    expect(await process.exit).toBe(128);
    expect(process.stderrTail()).toContain('hung up unexpectedly');
  });

  it('gives 255 to one that is killed, by hand or by a signal', async () => {
    const process = startGit(['cat-file', '--batch'], { dir: makeRepo().dir });
    process.kill();
    expect(await process.exit).toBe(255);
    const controller = new AbortController();
    const aborted = startGit(['cat-file', '--batch'], { dir: makeRepo().dir, signal: controller.signal });
    controller.abort();
    expect(await aborted.exit).toBe(255);
  });

  it('gives 255 and words when git cannot be started', async () => {
    const process = createStartGit({ PATH: makeFolder() })(['version']);
    expect(await process.exit).toBe(255);
  });

  it('survives a process that does not read its input', async () => {
    const process = startGit(['version']);
    process.stdin.write(Buffer.alloc(1 << 20));
    expect(await process.exit).toBe(0);
  });

  it('opens descriptors after stderr, both ways', async () => {
    const script = join(makeFolder(), 'echo.sh');
    writeFileSync(script, '#!/bin/sh\ncat <&3 >&4\n');
    chmodSync(script, 0o755);
    const process = startGit(['x'], { config: { 'alias.x': `!${script}` }, extraFds: 2 });
    const [fdIn, fdOut] = process.extra;
    if (fdIn === undefined || fdOut === undefined) throw new Error('no descriptors');
    fdIn.end('over');
    expect(await text(fdOut)).toBe('over');
    expect(await process.exit).toBe(0);
  });
});
