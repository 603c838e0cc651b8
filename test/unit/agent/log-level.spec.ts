import { describe, expect, it } from 'vitest';
import { LogLevelNow } from '../../../src/agent/log-level.ts';
import type { LogLevel } from '../../../src/lib/log.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

describe('LogLevelNow', () => {
  it('is `info` until the settings are known, then what is set, and looked at each minute', async () => {
    const clock = new VirtualClock();
    const level = new LogLevelNow(false);
    expect(level.level).toBe('info');
    let [onDisk, read]: LogLevel[] = ['warn', 'warn'];
    const settings = { get logLevel() { return read ?? 'info'; }, refresh: () => Promise.resolve(void (read = onDisk)) };
    level.follow(settings, clock);
    expect(level.level).toBe('warn');
    onDisk = 'debug';
    await clock.pass(59_000);
    expect(level.level).toBe('warn');
    await clock.pass(1_000);
    expect(level.level).toBe('debug');
    onDisk = 'info';
    await clock.pass(60_000);
    expect(level.level).toBe('info');
  });

  it('is `debug` with --debug, whatever is set', () => {
    const level = new LogLevelNow(true);
    level.follow({ logLevel: 'warn', refresh: () => Promise.resolve() }, new VirtualClock());
    expect(level.level).toBe('debug');
  });
});
