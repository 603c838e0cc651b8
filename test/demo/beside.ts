// The same by plain git over OpenSSH on this machine. Rule: same content, same sizes, same run; where there is no sshd, nothing is claimed.

import { timed } from './act.ts';
import type { Stage } from './stage.ts';

/** `git clone`, uncut, in milliseconds; undefined without an sshd. */
export async function cloneBeside({ laptop, notes, desktop, sshd }: Stage): Promise<number | undefined> {
  const server = await sshd;
  if (server === undefined) return undefined;
  const bare = laptop.path('beside.git');
  await laptop.git(laptop.dir, 'clone', '--quiet', '--bare', notes, bare);
  const { ms, value } = await timed(desktop.run('git', ['clone', '--quiet', server.urlOf(bare), desktop.path('beside')], { env: server.env }));
  if (value.code !== 0) throw new Error(`git clone over OpenSSH ended with ${value.code}: ${value.stderr}`);
  return ms;
}

/** `git push` of one commit with `files`, in milliseconds; undefined without an sshd. */
export async function pushBeside({ desktop, sshd }: Stage, branch: string, files: Readonly<Record<string, string>>): Promise<number | undefined> {
  const server = await sshd;
  if (server === undefined) return undefined;
  const dir = desktop.path('beside');
  await desktop.git(dir, 'switch', '--quiet', ...(branch === 'main' ? [] : ['--create']), branch);
  await desktop.commit(dir, files, 'A commit of the same size');
  const { ms, value } = await timed(desktop.run('git', ['push', '--quiet', 'origin', branch], { cwd: dir, env: server.env }));
  if (value.code !== 0) throw new Error(`git push over OpenSSH ended with ${value.code}: ${value.stderr}`);
  return ms;
}
