// More room in a pipe (fcntl(2), F_SETPIPE_SZ; pipe(7)): with the usual 64 KiB who writes a large clone and who reads it wait for each other
// (docs/decisions/0053-a-wider-pipe.md). Rule: it is only a help: where it cannot be had, nothing is said, and the pipe is as wide as it was.

import { spawn } from 'node:child_process';

/** As much as any user may ask for (proc(5), /proc/sys/fs/pipe-max-size). */
export const WIDE_BYTES = 1 << 20;
/** It holds the pipe meanwhile, and git is to see its end. */
const DEADLINE_MS = 5_000;
/** Node has no fcntl(2), and perl is where git is. 1031 is F_SETPIPE_SZ, the same on every Linux. */
const SCRIPT = `open(PIPE, '>&=3') and fcntl(PIPE, 1031, ${WIDE_BYTES})`;

/**
 * Widens the pipe at `fd`, which is open now and may be closed at any time after the call.
 * @param command another one in specs
 * @returns resolves when it is as wide as it gets; never rejects
 */
export function widenPipe(fd: number, command = 'perl'): Promise<void> {
  return new Promise((resolve) => {
    if (process.platform !== 'linux') return resolve();
    try {
      // Not as one of the first three: those libuv makes blocking, for this process too (uv__process_child_init).
      const child = spawn(command, ['-e', SCRIPT], { cwd: '/', env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'ignore', 'ignore', fd], timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
      child.once('error', () => resolve());
      child.once('close', () => resolve());
      child.unref();
    } catch {
      // No process can be started at the moment.
      resolve();
    }
  });
}
