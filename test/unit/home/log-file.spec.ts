import { appendFileSync, chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile, olderLog } from '../../../src/home/log-file.ts';
import { makeFolder } from '../../helpers/repo.ts';

const MAX = 100;
let path: string;
let log: LogFile;

beforeEach(() => {
  path = join(makeFolder(), 'agent.log');
  log = new LogFile(path, MAX);
});

afterEach(() => log.close());

const both = (): string => (existsSync(olderLog(path)) ? readFileSync(olderLog(path), 'utf8') : '') + readFileSync(path, 'utf8');

describe('LogFile', () => {
  it('holds what was written, for its owner alone', () => {
    log.write('one');
    log.write('two');
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('never takes more than two files, and keeps the newest lines whole and in order', () => {
    for (let number = 0; number < 500; number += 1) log.write(`line ${number}`);
    for (const each of [path, olderLog(path)]) {
      expect(statSync(each).size).toBeLessThanOrEqual(MAX);
      expect(statSync(each).mode & 0o777).toBe(0o600);
    }
    const lines = both().trimEnd().split('\n');
    expect(lines.at(-1)).toBe('line 499');
    expect(lines).toEqual(Array.from({ length: lines.length }, (_none, index) => `line ${500 - lines.length + index}`));
    expect(lines.length).toBeGreaterThan(MAX / 20);
  });

  it('loses a line that cannot be written, and nothing else', () => {
    rmSync(path);
    mkdirSync(path);
    log.write('lost');
    rmSync(path, { recursive: true });
    log.write('kept');
    expect(readFileSync(path, 'utf8')).toBe('kept\n');
  });

  it('goes on where an earlier agent stopped, closes a log that was open to others, and counts what others write', () => {
    writeFileSync(path, 'x'.repeat(MAX - 10));
    // A mode that is told to `writeFileSync` holds for new files alone.
    chmodSync(path, 0o644);
    const next = new LogFile(path, MAX);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    next.write('short');
    appendFileSync(path, 'last words of a process\n');
    next.write('after');
    expect(readFileSync(path, 'utf8')).toBe('after\n');
    expect(readFileSync(olderLog(path), 'utf8')).toContain('last words of a process');
    next.close();
  });

  it('stays the file that descriptor 2 of the process is open on', () => {
    const stderr = openSync(path, 'a');
    expect(log.isSame(stderr)).toBe(true);
    for (let number = 0; number < 30; number += 1) log.write(`line ${number}`);
    writeSync(stderr, 'a crash\n');
    expect(log.isSame(stderr)).toBe(true);
    expect(readFileSync(path, 'utf8')).toMatch(/line 29\na crash\n$/);
    closeSync(stderr);
  });

  it.each([['removed', () => rmSync(path)], ['renamed', () => renameSync(path, `${path}.mine`)]])('begins anew when it was %s', (_how, take) => {
    log.write('before');
    take();
    log.write('after');
    expect(readFileSync(path, 'utf8')).toBe('after\n');
  });

  it('is emptied all the same at twice its length where no copy can be made, and lets its agent live', () => {
    // A file cannot take the place of a folder.
    mkdirSync(join(olderLog(path), 'x'), { recursive: true });
    for (let number = 0; number < 18; number += 1) log.write(`line ${number}`);
    expect(statSync(path).size).toBeGreaterThan(MAX);
    for (let number = 18; number < 100; number += 1) log.write(`line ${number}`);
    expect(statSync(path).size).toBeLessThanOrEqual(2 * MAX + 20);
    expect(readFileSync(path, 'utf8')).toMatch(/line 99\n$/);
  });
});
