// When a process began, asked of real ones.

import { spawn, spawnSync } from 'node:child_process';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readProcessStart } from '../../../src/lib/process-start.ts';

describe('readProcessStart', () => {
  it('is the same each time for one process, and undefined for one that ended', async () => {
    expect(await readProcessStart(process.pid)).toBe(await readProcessStart(process.pid));
    expect(await readProcessStart(process.pid)).not.toBe(await readProcessStart(process.ppid));
    expect(await readProcessStart(spawnSync(process.execPath, ['-e', '']).pid)).toBeUndefined();
  });

  it('takes a process that ended but was not waited for as ended', async () => {
    // The child lives until fd 3 ends. Its parent has by then become cat, which waits for nobody.
    const shell = spawn('sh', ['-c', '(read line <&3) & echo $!; exec cat 3<&-'], { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
    onTestFinished(() => {
      shell.kill('SIGKILL');
    });
    const { stdin, stdout } = shell;
    const release = shell.stdio[3];
    if (stdin === null || stdout === null || !(release instanceof Socket)) throw new Error('no pipes');
    const lines = createInterface(stdout)[Symbol.asyncIterator]();
    const pid = Number((await lines.next()).value);
    stdin.write('cat runs\n');
    expect((await lines.next()).value).toBe('cat runs');
    expect(await readProcessStart(pid)).toBeDefined();
    release.end();
    await expect.poll(() => readProcessStart(pid), { timeout: 10_000 }).toBeUndefined();
    expect(process.kill(pid, 0)).toBe(true);
  });
});
