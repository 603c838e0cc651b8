import { chmodSync, mkdirSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { realClock } from '../../../src/lib/clock.ts';
import { lookAtFiles, lookAtWatches } from '../../../src/home/check.ts';
import { findHome, prepareHome } from '../../../src/home/paths.ts';
import type { Home } from '../../../src/home/paths.ts';
import { makeFolder } from '../../helpers/repo.ts';

let home: Home;

beforeEach(async () => {
  home = findHome({ GIT_XMPP_HOME: join(makeFolder(), 'home') });
  await prepareHome(home);
});

describe('lookAtFiles', () => {
  it('finds nothing wrong with a home as it is made, or with none', async () => {
    writeFileSync(home.config, '', { mode: 0o600 });
    expect(await lookAtFiles(home)).toEqual([]);
    expect(await lookAtFiles(findHome({ GIT_XMPP_HOME: join(makeFolder(), 'nowhere') }))).toEqual([]);
  });

  it('names what is open to others, once, with the command that closes it, and changes nothing', async () => {
    writeFileSync(join(home.identity, 'device.json'), '{}');
    chmodSync(join(home.identity, 'device.json'), 0o640);
    chmodSync(home.state, 0o755);
    const found = await lookAtFiles(home);
    expect(found).toHaveLength(2);
    expect(found).toContainEqual({ path: join(home.identity, 'device.json'), why: 'is open to others (0640)', remedy: `chmod 600 '${join(home.identity, 'device.json')}'` });
    expect(found).toContainEqual({ path: home.state, why: 'is open to others (0755)', remedy: `chmod 700 '${home.state}'` });
    expect(await lookAtFiles(home)).toEqual(found);
  });

  it('does not follow links', async () => {
    symlinkSync('/etc', join(home.dir, 'elsewhere'));
    expect(await lookAtFiles(home)).toEqual([]);
  });
});

describe('lookAtWatches', () => {
  it('counts the watches of a process, folder by folder', async () => {
    const before = await lookAtWatches(process.pid, realClock);
    for (const name of ['a', 'b', 'c']) {
      mkdirSync(join(home.dir, name));
      const watcher = watch(join(home.dir, name), { persistent: false });
      onTestFinished(() => watcher.close());
    }
    const after = await lookAtWatches(process.pid, realClock);
    expect((after?.byAgent ?? 0) - (before?.byAgent ?? 0)).toBe(3);
    expect(after?.used).toBeGreaterThanOrEqual(3);
    expect(after?.limit).toBeGreaterThan(0);
    expect(after?.instances).toBeGreaterThan(0);
  });

  it('counts the agent first, and stops when time is up', async () => {
    let now = 0;
    const hurried = { now: () => (now += 1_500), setTimer: realClock.setTimer.bind(realClock) };
    const watcher = watch(home.dir, { persistent: false });
    onTestFinished(() => watcher.close());
    expect(await lookAtWatches(process.pid, hurried)).toMatchObject({ isPartial: true, byAgent: expect.any(Number) });
  });
});
