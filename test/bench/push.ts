// `git push` of one small commit by a person: to a paired device over its link, beside the same over OpenSSH.
// Rule: a branch that nobody has checked out, so that both sides do the same; the sides take turns.

import { startSshd } from '../helpers/sshd.ts';
import { started } from './teardown.ts';
import { ms, percentile } from './setting.ts';
import type { Row, Setting } from './setting.ts';

const WARM_UP = 2;
const BRANCH = 'refs/heads/pushed';

/** @param way what the row is called by: the carrier that the link runs on */
export async function benchPush({ a, dirA, dirB }: Setting, count: number, way: string): Promise<Row[]> {
  const [sshd, stop] = await started(startSshd(), (each) => each.stop());
  const bare = a.path('pushed.git');
  const [ours, ssh]: [number[], number[]] = [[], []];
  try {
    await a.git(a.dir, 'clone', '--quiet', '--bare', dirB, bare);
    let tip = await a.git(dirA, 'rev-parse', 'HEAD');
    for (let index = 0; index < count + WARM_UP; index += 1) {
      tip = await a.git(dirA, 'commit-tree', '-p', tip, '-m', `pushed ${index}`, 'HEAD^{tree}');
      const times = [await push('xmpp::desktop/notes', {}), await push(sshd.urlOf(bare), sshd.env)];
      if (index < WARM_UP) continue;
      ours.push(times[0] ?? Number.NaN);
      ssh.push(times[1] ?? Number.NaN);
    }
    async function push(url: string, env: Readonly<Record<string, string>>): Promise<number> {
      const start = performance.now();
      const { code, stderr } = await a.run('git', ['push', '--quiet', url, `${tip}:${BRANCH}`], { cwd: dirA, env });
      if (code !== 0) throw new Error(`git push to ${url} failed: ${stderr}`);
      return performance.now() - start;
    }
  } finally {
    await stop();
  }
  const [mine, its] = [percentile(ours, 0.5), percentile(ssh, 0.5)];
  return [[`git push of one commit, ${way}`, ms(mine), ms(percentile(ours, 0.95)), 'git push over OpenSSH', ms(its), (mine / its).toFixed(2)]];
}
