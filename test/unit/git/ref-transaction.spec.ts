// A git update-ref that does not do what it should; what it does on real repositories is in move.spec.ts.

import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startUpdate } from '../../../src/git/ref-transaction.ts';
import type { UpdateProcess } from '../../../src/git/ref-transaction.ts';
import type { StartGit } from '../../../src/git/run.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';

const update = { ref: parseRefName('refs/heads/main'), from: parseOid('a'.repeat(40)), to: parseOid('b'.repeat(40)) };

/** A process that was started and says what it is told to. */
class Played {
  readonly stdin = new PassThrough();
  readonly stdout = new PassThrough();
  readonly update: UpdateProcess;
  words = '';
  kills = 0;
  end: (code: number) => void = () => undefined;

  constructor() {
    const exit = new Promise<number>((resolve) => (this.end = resolve));
    const start: StartGit = () => ({
      stdin: this.stdin,
      stdout: this.stdout,
      extra: [],
      exit,
      stderrTail: () => this.words,
      kill: () => {
        this.kills += 1;
        this.end(255);
      },
      hangUp: () => undefined,
    });
    this.update = startUpdate(start, { dir: '/', env: {} }, 'xmpp: spec');
  }

  get heard(): string {
    return String(this.stdin.read() ?? '');
  }
}

afterEach(() => void vi.useRealTimers());

describe('startUpdate', () => {
  it('ends a git that does not say that it is prepared, after half a minute', async () => {
    vi.useFakeTimers();
    const git = new Played();
    const prepared = expect(git.update.prepare(update)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(29_000);
    expect(git.kills).toBe(0);
    await vi.advanceTimersByTimeAsync(2000);
    await prepared;
    expect(git.kills).toBe(1);
    expect(await git.update.wasKilled()).toBe(true);
  });

  it('says in git’s words what keeps it, and takes a lock or another value for a lost race', async () => {
    const [broken, locked] = [new Played(), new Played()];
    broken.words = 'fatal: disk on fire';
    broken.end(128);
    await expect(broken.update.prepare(update)).rejects.toMatchObject({ code: 'git', message: 'git update-ref: fatal: disk on fire' });
    locked.words = "fatal: prepare: cannot lock ref 'refs/heads/main'";
    locked.end(128);
    expect(await locked.update.prepare(update)).toBeUndefined();
  });

  it('commits or aborts, once, what was prepared', async () => {
    const git = new Played();
    const asked = git.update.prepare(update);
    git.stdout.write('start: ok\nprepare: ok\n');
    const prepared = await asked;
    expect(git.heard).toBe(`start\0update refs/heads/main\0${update.to}\0${update.from}\0prepare\0`);
    const committed = prepared?.commit();
    git.end(0);
    await committed;
    await prepared?.abort();
    expect(git.heard).toBe('commit\0');
  });

  it('tells that what was prepared could not be committed', async () => {
    const git = new Played();
    const asked = git.update.prepare(update);
    git.stdout.write('prepare: ok\n');
    const prepared = await asked;
    git.words = 'fatal: no';
    git.end(1);
    await expect(prepared?.commit()).rejects.toMatchObject({ code: 'git' });
  });

  it('ends what was never used, and only that', async () => {
    const [unused, used] = [new Played(), new Played()];
    unused.update.end();
    expect(unused.stdin.writableEnded).toBe(true);
    expect(await unused.update.wasKilled()).toBe(false);
    const prepared = used.update.prepare(update);
    used.update.end();
    expect(used.stdin.writableEnded).toBe(false);
    used.stdout.write('prepare: ok\n');
    expect(await prepared).toBeDefined();
  });
});
