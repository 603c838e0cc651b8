import { describe, expect, it } from 'vitest';
import { CONFIG_LOCKED, pastConfigLock } from '../../../src/lib/config-lock.ts';

describe('pastConfigLock', () => {
  it('tries again while the lock is held, and gives what came then', async () => {
    const codes = [CONFIG_LOCKED, CONFIG_LOCKED, 0];
    const result = await pastConfigLock(() => Promise.resolve({ exitCode: codes.shift() ?? 1 }), { random: () => 0 });
    expect([result.exitCode, codes]).toEqual([0, []]);
  });

  it('does not try again what failed otherwise', async () => {
    let tries = 0;
    await pastConfigLock(() => Promise.resolve({ exitCode: (tries += 1) }));
    expect(tries).toBe(1);
  });
});
