// Quarantines that killed pushes leave.

import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeStaleIncoming, sweepKilled } from '../../../src/git/clean.ts';
import { open } from '../../helpers/git-pipe.ts';
import { makeRepo } from '../../helpers/repo.ts';

describe('removeStaleIncoming', () => {
  it('removes what is older than the agent, and leaves a push that still runs and everything else', async () => {
    const repo = makeRepo({ isBare: true });
    const objects = join(repo.dir, 'objects');
    const make = (name: string, packAgo: number): void => {
      mkdirSync(join(objects, name, 'pack'), { recursive: true });
      const pack = join(objects, name, 'pack', 'tmp_pack_x');
      writeFileSync(pack, 'x');
      utimesSync(pack, 1000 - packAgo, 1000 - packAgo);
      for (const path of [join(objects, name, 'pack'), join(objects, name)]) utimesSync(path, 1, 1);
    };
    make('tmp_objdir-incoming-old', 500);
    make('tmp_objdir-incoming-running', 0);
    make('tmp_objdir-other', 500);
    expect(await removeStaleIncoming(await open(repo), { before: 900_000 })).toBe(1);
    expect(readdirSync(objects).sort()).toEqual(['info', 'pack', 'tmp_objdir-incoming-running', 'tmp_objdir-other']);
  });
});

describe('sweepKilled', () => {
  it('removes locks of refs/xmpp, and at last what a push had received that was killed under an agent that goes on', async () => {
    const repo = makeRepo({ isBare: true });
    const [lock, incoming] = [join(repo.dir, 'refs/xmpp/x/main.lock'), join(repo.dir, 'objects/tmp_objdir-incoming-x')];
    mkdirSync(join(repo.dir, 'refs/xmpp/x'), { recursive: true });
    writeFileSync(lock, '');
    mkdirSync(incoming);
    for (const path of [lock, incoming]) utimesSync(path, 1000, 1000);
    const DAY = 86_400_000;
    const sweep = async (now: number): Promise<boolean[]> => {
      await sweepKilled(await open(repo), { startedAt: 900_000, now });
      return [lock, incoming].map((path) => existsSync(path));
    };
    expect(await sweep(1_001_000)).toEqual([true, true]);
    expect(await sweep(1_010_000)).toEqual([false, true]);
    expect(await sweep(1_000_000 + 7 * DAY)).toEqual([false, true]);
    expect(await sweep(1_000_001 + 8 * DAY)).toEqual([false, false]);
  });
});
