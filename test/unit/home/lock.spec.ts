// One agent per home. Rule: dead holders are processes that really ended, and racers are processes that really race.

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acquireLock } from '../../../src/home/lock.ts';
import { readProcessStart } from '../../../src/lib/process-start.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

const DEAD_PID = spawnSync(process.execPath, ['-e', '']).pid;

function makePath(): { readonly dir: string; readonly path: string } {
  const dir = makeFolder();
  return { dir, path: join(dir, 'lock') };
}

async function writeStale(path: string): Promise<void> {
  const started = await readProcessStart(process.pid);
  writeFileSync(path, JSON.stringify({ pid: DEAD_PID, started }));
}

interface Racer {
  readonly child: ChildProcessWithoutNullStreams;
  readonly nextLine: () => Promise<string>;
}

function startRacer(program: string, path: string): Racer {
  const child = spawn(process.execPath, [program, path]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return { child, nextLine: async () => String((await lines.next()).value) };
}

function buildRacer(dir: string): string {
  const program = join(dir, 'racer.mjs');
  const entry = new URL('../../helpers/lock-holder.ts', import.meta.url).pathname;
  buildSync({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  return program;
}

describe('acquireLock', () => {
  it('gives the lock, and gives it again once released', async () => {
    const { dir, path } = makePath();
    const lock = await acquireLock(path);
    expect(modeOf(path)).toBe(0o600);
    await lock.release();
    expect(readdirSync(dir)).toEqual([]);
    await (await acquireLock(path)).release();
  });

  it('names the process that has it', async () => {
    const { path } = makePath();
    await acquireLock(path);
    const fault = { code: 'already-running', message: expect.stringContaining(`process ${process.pid}`) };
    await expect(acquireLock(path)).rejects.toMatchObject(fault);
  });

  it('takes over from a process that ended', async () => {
    const { dir, path } = makePath();
    await writeStale(path);
    await acquireLock(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: process.pid });
    expect(readdirSync(dir)).toEqual(['lock']);
  });

  it('takes over when the pid has come round to another process', async () => {
    const { path } = makePath();
    writeFileSync(path, JSON.stringify({ pid: process.pid, started: 'another boot 12345' }));
    await acquireLock(path);
    await expect(acquireLock(path)).rejects.toMatchObject({ code: 'already-running' });
  });

  it('takes over from one that was killed in the middle of a takeover', async () => {
    const { dir, path } = makePath();
    for (const name of [path, `${path}.takeover`]) await writeStale(name);
    await acquireLock(path);
    expect(readdirSync(dir)).toEqual(['lock']);
  });

  it('gives a stale lock to exactly one of many in one process', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { dir, path } = makePath();
      await writeStale(path);
      const results = await Promise.allSettled(Array.from({ length: 5 }, () => acquireLock(path)));
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(readdirSync(dir)).toEqual(['lock']);
    }
  });

  it.each(['stale', 'absent'])('gives a lock that is %s to exactly one of many processes', async (before) => {
    const { dir, path } = makePath();
    const program = buildRacer(dir);
    const racers = Array.from({ length: 6 }, () => startRacer(program, path));
    for (const { nextLine } of racers) expect(await nextLine()).toBe('ready');
    if (before === 'stale') await writeStale(path);
    for (const { child } of racers) child.stdin.write('go\n');
    const said = await Promise.all(racers.map(({ nextLine }) => nextLine()));
    expect(said.toSorted()).toEqual([...Array.from({ length: 5 }, () => 'already-running'), 'won']);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ pid: racers[said.indexOf('won')]?.child.pid });
  });

  it('takes over from a holder that was killed', async () => {
    const { dir, path } = makePath();
    const { child, nextLine } = startRacer(buildRacer(dir), path);
    await nextLine();
    child.stdin.write('go\n');
    expect(await nextLine()).toBe('won');
    await expect(acquireLock(path)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await acquireLock(path);
  });

  it('does not remove a lock that has become another\'s', async () => {
    const { path } = makePath();
    const lock = await acquireLock(path);
    writeFileSync(path, JSON.stringify({ pid: 1, started: 'x' }));
    await lock.release();
    expect(existsSync(path)).toBe(true);
  });

  it('names a file that is no lock, and leaves it', async () => {
    for (const text of ['', '{"pid": 0, "started": "x"}', '{"pid": 1}', '1234\n']) {
      const { path } = makePath();
      writeFileSync(path, text);
      await expect(acquireLock(path)).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });
});
