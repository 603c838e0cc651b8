// What people and agents do while the path breaks: commits that the agents carry, plain pushes, fetches and clones, both ways at once.
// Rule: a command that was refused before anything moved (the peer is offline) is given again; any other failure is one.

import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Device } from '../helpers/device.ts';
import type { SoakSetting } from './setting.ts';

export interface Done {
  readonly commits: number;
  readonly commands: number;
  /** Times a command was refused before it began. */
  readonly refused: number;
  /** Bytes that had to cross, as they are in files that do not compress. */
  readonly payload: number;
  readonly wrong: readonly string[];
}

type Name = 'laptop' | 'desktop';

/** What git and the agent say where there was no way when the command began, and nothing has moved. */
const REFUSED = /is offline|is not online|is not signed in|there is no connection to the XMPP server|no way to the other device is open|the agent is still signing in|did not answer/;
const RETRY_MS = 500;

/** Works until `isOver`, then ends what is under way. */
export async function workUntil(setting: SoakSetting, random: () => number, isOver: () => boolean): Promise<Done> {
  const done = { commits: 0, commands: 0, refused: 0, payload: 0, wrong: [] as string[] };
  const size = (): number => Math.round(20_000 + random() ** 3 * 1_500_000);
  const commit = async (device: Device, dir: string): Promise<string> => {
    const bytes = size();
    await writeFile(path.join(dir, 'data.bin'), randomBytes(bytes));
    done.payload += bytes;
    return device.commit(dir, {}, `${bytes} bytes`);
  };
  /** @returns whether it ended well */
  const git = async (device: Device, args: readonly string[], cwd: string): Promise<boolean> => {
    for (;;) {
      const { code, stderr } = await device.run('git', args, { cwd });
      if (code === 0) break;
      if (!REFUSED.test(stderr)) {
        done.wrong.push(`${device.name}: git ${args.join(' ')} ended with ${code}: ${stderr}`);
        return false;
      }
      done.refused += 1;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    done.commands += 1;
    return true;
  };
  const committing = async (name: Name): Promise<void> => {
    while (!isOver()) {
      await commit(setting.devices[name], setting.synced[name]);
      done.commits += 1;
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 2_000));
    }
  };
  /** `name` works on the repository of the other. */
  const plain = async (name: Name): Promise<void> => {
    const far = name === 'laptop' ? 'desktop' : 'laptop';
    const [device, { clone }] = [setting.devices[name], setting.plain[far]];
    for (let round = 0; !isOver(); round += 1) {
      const tip = await commit(device, clone);
      await git(device, ['push', '--quiet', 'origin', `${tip}:refs/heads/from-${name}`], clone);
      await git(device, ['fetch', '--quiet', 'origin'], clone);
      if (round % 4 !== 3 || isOver()) continue;
      const fresh = device.path(`fresh-${round}`);
      if (await git(device, ['clone', '--quiet', `xmpp::${far}/plain-${far}`, fresh], device.dir)) done.payload += await sizeOf(device, fresh);
      await rm(fresh, { recursive: true, force: true });
    }
  };
  await Promise.all([committing('laptop'), committing('desktop'), plain('laptop'), plain('desktop')]);
  return done;
}

/** Bytes of a repository's objects. */
async function sizeOf(device: Device, dir: string): Promise<number> {
  return Number(await device.git(dir, 'rev-list', '--all', '--objects', '--disk-usage'));
}

/** What is not as it should be once all is quiet again. */
export async function checkWork({ devices, synced, plain }: SoakSetting, deadlineMs: number): Promise<string[]> {
  const wrong: string[] = [];
  const same = async (branch: string, from: Name, to: Name): Promise<void> => {
    const tip = await devices[from].git(synced[from], 'rev-parse', branch);
    await devices[to].ref(synced[to], `refs/heads/${branch}`, tip, deadlineMs).catch((error: unknown) => wrong.push(String(error)));
  };
  await Promise.all([same('main', 'laptop', 'desktop'), same('desk', 'desktop', 'laptop')]);
  for (const name of ['laptop', 'desktop'] as const) {
    const far = name === 'laptop' ? 'desktop' : 'laptop';
    const { origin, clone } = plain[far];
    const [ours, theirs] = [await devices[name].git(clone, 'rev-parse', 'HEAD'), await devices[far].git(origin, 'rev-parse', `from-${name}`)];
    if (ours !== theirs) wrong.push(`from-${name} is ${theirs} on the ${far}, and ${ours} on the ${name}`);
    for (const [device, dir] of [[devices[name], synced[name]], [devices[name], clone], [devices[far], origin]] as const) {
      const { code, stderr } = await device.run('git', ['fsck', '--full', '--strict'], { cwd: dir });
      if (code !== 0) wrong.push(`${device.name}: fsck of ${path.basename(dir)}: ${stderr}`);
    }
  }
  return wrong;
}
