// From the end of `git commit` on one device to the moved branch and files on the other, beside `git push` of such a commit over
// OpenSSH. Rule: commits alternate between the two sides, as people's do, and each waits for the one before.

import { watch } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { startSshd } from '../helpers/sshd.ts';
import type { Device } from '../helpers/device.ts';
import { ms, percentile } from './setting.ts';
import type { Row, Setting } from './setting.ts';

const WARM_UP = 4;

/** @param way what the row is called by: the carrier that both links run on */
export async function benchLatency(setting: Setting, commits: number, way: string): Promise<Row[]> {
  const there: number[] = [];
  const beside = await startSshPeer(setting);
  const pushes: number[] = [];
  try {
    for (let index = 0; index < commits + WARM_UP; index += 1) {
      const [from, to] = index % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
      const { ms: took } = await measureCommit(setting, { from, to, index });
      if (index >= WARM_UP) there.push(took);
      const push = await beside.push(index);
      if (index >= WARM_UP) pushes.push(push);
    }
  } finally {
    await beside.stop();
  }
  const ratio = (percentile(there, 0.5) / percentile(pushes, 0.5)).toFixed(2);
  return [
    [`commit here → files there, warm, ${way}`, ms(percentile(there, 0.5)), ms(percentile(there, 0.95)), 'git push over OpenSSH', ms(percentile(pushes, 0.5)), ratio],
  ];
}

/** How long a commit took to the other side, and when `git commit` had ended (ms since 1970). */
export async function measureCommit(
  setting: Setting,
  { from, to, index }: { readonly from: 'a' | 'b'; readonly to: 'a' | 'b'; readonly index: number },
): Promise<{ readonly ms: number; readonly start: number }> {
  const dirOf = { a: setting.dirA, b: setting.dirB };
  const arrived = waitForTip(dirOf[to]);
  const oid = await setting[from].commit(dirOf[from], { [`file-${index}`]: `line ${index}\n` }, `commit ${index}`);
  const start = performance.now();
  await arrived(oid);
  return { ms: performance.now() - start, start: performance.timeOrigin + start };
}

/** Resolves when `main` of a work tree is the oid, told by the file system and without any process of our own. */
function waitForTip(dir: string): (oid: string) => Promise<void> {
  const heads = path.join(dir, '.git/refs/heads');
  const read = (): Promise<string> => readFile(path.join(heads, 'main'), 'utf8').catch(() => '');
  const watcher = watch(heads);
  return async (oid) => {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${oid} did not arrive in ${dir} within 30 s`)), 30_000);
      const look = (): void => {
        void read().then((text) => {
          if (text.trim() !== oid) return;
          clearTimeout(timer);
          resolve();
        });
      };
      watcher.on('change', look);
      look();
    });
    watcher.close();
  };
}

async function startSshPeer({ a }: Setting): Promise<{ push(index: number): Promise<number>; stop(): Promise<void> }> {
  const sshd = await startSshd();
  const dir = await a.repo('beside');
  const bare = a.path('beside.git');
  await a.git(a.dir, 'clone', '--quiet', '--bare', dir, bare);
  const push = async (index: number): Promise<number> => {
    await writeFile(path.join(dir, `file-${index}`), `line ${index}\n`);
    await a.commit(dir, {}, `commit ${index}`);
    const start = performance.now();
    await pushOver(a, dir, { url: sshd.urlOf(bare), env: sshd.env });
    return performance.now() - start;
  };
  return { push, stop: () => sshd.stop() };
}

async function pushOver(device: Device, dir: string, { url, env }: { readonly url: string; readonly env: Readonly<Record<string, string>> }): Promise<void> {
  const { code, stderr } = await device.run('git', ['push', '--quiet', url, 'main'], { cwd: dir, env });
  if (code !== 0) throw new Error(`git push over OpenSSH failed: ${stderr}`);
}
