// How an agent's process begins and ends, in processes of their own where that is what is told.

import { spawnSync } from 'node:child_process';
import { fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logWriter, markOf, startedBy } from '../../../src/agent/process.ts';
import { LogFile } from '../../../src/home/log-file.ts';
import { makeFolder } from '../../helpers/repo.ts';

const SOURCE = join(import.meta.dirname, '../../../src/agent/process.ts');
const LOADER = join(import.meta.dirname, '../../../scripts/typescript.mjs');

/** Runs a program that has `logWriter` and `handOver`; standard error is a file, as for an agent. */
function runIn(dir: string, program: string, args: readonly string[]): { readonly code: number | null; readonly stderr: string } {
  const file = join(dir, 'program.mjs');
  writeFileSync(file, `import { handOver, logWriter, startedBy } from ${JSON.stringify(SOURCE)};\n${program}`);
  const log = join(dir, 'stderr');
  const { status } = spawnSync(process.execPath, ['--import', LOADER, file, ...args], { stdio: ['ignore', 'ignore', openSync(log, 'a')] });
  return { code: status, stderr: readFileSync(log, 'utf8') };
}

describe("an agent's process", () => {
  it('knows who started it', () => {
    expect(startedBy(['node', '/p/agent.mjs', '--service'])).toBe('service');
    expect(startedBy(['node', '/p/agent.mjs', '--background'])).toBe('background');
    expect(startedBy(['node', '/bin/git-xmpp', 'daemon', 'run'])).toBe('foreground');
  });

  it('ends with 75 for a service to start it again', () => {
    expect(runIn(makeFolder(), "handOver('service');", ['--service']).code).toBe(75);
  });

  it('writes for the journal only where standard error is the journal, and in full to its file', () => {
    const line = '2026-11-25T10:00:00.000Z warn door: x';
    const { dev, ino } = fstatSync(2, { bigint: true });
    const path = join(makeFolder(), 'agent.log');
    const file = new LogFile(path);
    const said: string[] = [];
    const write = process.stderr.write.bind(process.stderr);
    process.stderr.write = (text: string | Uint8Array): boolean => said.push(String(text)) > 0;
    try {
      logWriter({ JOURNAL_STREAM: `${dev}:${ino}` }, file)(line);
      logWriter({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, file)(line);
      logWriter({}, file)(line);
    } finally {
      process.stderr.write = write;
      file.close();
    }
    expect(said).toEqual(['<4>door: x\n', `${line}\n`, `${line}\n`]);
    expect(readFileSync(path, 'utf8')).toBe(`${line}\n`.repeat(3));
  });

  it('tells a program from the one that took its place, and that there is none', async () => {
    const dir = makeFolder();
    const file = join(dir, 'agent.mjs');
    expect(await markOf(file)).toBeUndefined();
    writeFileSync(file, 'same');
    const before = await markOf(file);
    expect(await markOf(file)).toBe(before);
    writeFileSync(`${file}.new`, 'same');
    renameSync(`${file}.new`, file);
    expect(await markOf(file)).not.toBe(before);
  });
});
