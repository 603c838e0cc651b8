// A repository like a real one in what matters to a transfer: megabytes that do not compress, branches, merges, tags of both kinds.
// Rule: the same content every time, made in one go by git fast-import.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Device } from './device.ts';

const BLOB_BYTES = 64 * 1024;
/** Far fewer than commits: what is checked out is small beside the history. */
const FILES = 14;

/** Makes `name` on a device; its pack is a little larger than `megabytes`. @returns its folder */
export async function makeBigRepo(device: Device, name: string, megabytes = 10): Promise<string> {
  const dir = device.path(name);
  await device.git(device.dir, 'init', '--quiet', dir);
  const git = spawn('git', ['fast-import', '--quiet'], { cwd: dir, env: device.env, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(git, 'close');
  for (const part of importStream((megabytes * 2 ** 20) / BLOB_BYTES)) if (!git.stdin.write(part)) await once(git.stdin, 'drain');
  git.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`git fast-import ended with ${String(code)}`);
  await device.git(dir, 'reset', '--quiet', '--hard');
  return dir;
}

/** Commits on main and, every fourth time, a side commit that is merged; a tag for every sixteenth. */
function* importStream(commits: number): Generator<Buffer> {
  let mark = 0;
  let main = 0;
  const commit = (ref: string, message: string, parents: readonly number[], file: Buffer): Buffer => {
    mark += 1;
    const [from, merge] = parents;
    return Buffer.concat([
      Buffer.from(`commit ${ref}\nmark :${mark}\ncommitter Ann <ann@example.org> ${1_700_000_000 + mark * 60} +0000\n${data(message)}`),
      Buffer.from((from === undefined ? '' : `from :${from}\n`) + (merge === undefined ? '' : `merge :${merge}\n`)),
      file,
    ]);
  };
  for (let number = 0; number < commits; number += 1) {
    const bytes = noise(number);
    const file = Buffer.concat([Buffer.from(`M 100644 inline dir-${number % 7}/file-${number % FILES}.bin\ndata ${bytes.length}\n`), bytes, Buffer.from('\n')]);
    const before = main === 0 ? [] : [main];
    if (number % 4 === 3) {
      yield commit('refs/heads/side', `side ${number}`, before, file);
      yield commit('refs/heads/main', `merge ${number}`, [...before, mark], file);
    } else yield commit('refs/heads/main', `commit ${number}`, before, file);
    main = mark;
    if (number % 32 === 0) yield Buffer.from(`reset refs/tags/light-${number}\nfrom :${main}\n\n`);
    if (number % 32 === 16) yield Buffer.from(`tag v${number}\nfrom :${main}\ntagger Ann <ann@example.org> 1700000000 +0000\n${data(`release ${number}`)}`);
  }
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

/** Bytes that no compression makes smaller, the same for the same number. */
function noise(number: number): Buffer {
  const blocks = Array.from({ length: BLOB_BYTES / 64 }, (_, index) => createHash('sha512').update(`${number} ${index}`).digest());
  return Buffer.concat(blocks);
}

/** Every object that branches and tags reach, and the branches and tags themselves. */
export async function contentsOf(device: Device, dir: string, heads = 'refs/heads'): Promise<{ readonly objects: readonly string[]; readonly refs: readonly string[] }> {
  const listed = await device.git(dir, 'rev-list', '--objects', '--no-object-names', `--glob=${heads}`, '--tags');
  const refs = await device.git(dir, 'for-each-ref', '--format=%(objectname) %(refname)', heads, 'refs/tags');
  const named = refs.split('\n').filter((line) => !line.endsWith(`${heads}/HEAD`)).map((line) => line.replace(` ${heads}/`, ' refs/heads/'));
  return { objects: listed.split('\n').sort(), refs: named.sort() };
}
