// Configuration that is read ahead: used once, and only while it is fresh.

import { describe, expect, it } from 'vitest';
import { ConfigAhead } from '../../../src/git/config-ahead.ts';
import type { Repository } from '../../../src/git/repository.ts';

const repository: Repository = { gitDir: '/r/.git', commonDir: '/r/.git', workTree: '/r', isBare: false, isShallow: false, path: '/r' };

/** What is asked of git is answered with how often it was asked. */
function begin(): { readonly config: ConfigAhead; readonly at: (now: number) => Promise<string | undefined> } {
  let count = 0;
  const config = new ConfigAhead(() => Promise.resolve({ stdout: `xmpp.count\n${(count += 1)}\0`, stderr: '', exitCode: 0 }), repository);
  return { config, at: async (now) => (await config.read(now)).get('xmpp.count')?.at(-1) };
}

describe('ConfigAhead', () => {
  it('gives what was read ahead, once', async () => {
    const { config, at } = begin();
    config.prepare(1000);
    expect([await at(1050), await at(1051)]).toEqual(['1', '2']);
  });

  it.each([1100, 800])('reads anew what was read at 1000 and is asked for at %i', async (now) => {
    const { config, at } = begin();
    config.prepare(1000);
    expect(await at(now)).toBe('2');
  });

  it('reads when nothing was prepared', async () => {
    const { at } = begin();
    expect(await at(5)).toBe('1');
  });

  it('tells a failure to the one who asks, and tries again', async () => {
    let count = 0;
    const config = new ConfigAhead(() => ((count += 1) === 1 ? Promise.reject(new Error('no')) : Promise.resolve({ stdout: '', stderr: '', exitCode: 0 })), repository);
    config.prepare(0);
    await expect(config.read(1)).rejects.toThrow('no');
    expect(await config.read(2)).toEqual(new Map());
  });
});
