import { describe, expect, it } from 'vitest';
import { Serial, SerialByKey } from '../../../src/lib/serial.ts';
import { defer } from '../../helpers/deferred.ts';
import { settle } from '../../helpers/virtual-clock.ts';

describe('Serial', () => {
  it('runs one piece of work after the other, in the order they were asked for', async () => {
    const serial = new Serial();
    const first = defer();
    const told: string[] = [];
    const one = serial.run(async () => {
      told.push('one begins');
      await first.promise;
      told.push('one ends');
      return 1;
    });
    const two = serial.run(() => Promise.resolve(told.push('two')));
    await settle();
    expect(told).toEqual(['one begins']);
    first.resolve();
    expect(await Promise.all([one, two])).toEqual([1, 3]);
    expect(told).toEqual(['one begins', 'one ends', 'two']);
  });

  it('goes on after a failure, which only its own caller sees', async () => {
    const serial = new Serial();
    const failing = serial.run(() => Promise.reject(new Error('broken')));
    const throwing = serial.run((): Promise<never> => {
      throw new Error('thrown');
    });
    const after = serial.run(() => Promise.resolve('after'));
    await expect(failing).rejects.toThrow('broken');
    await expect(throwing).rejects.toThrow('thrown');
    await expect(after).resolves.toBe('after');
  });
});

describe('SerialByKey', () => {
  it('keeps order within a key and does not hold up another', async () => {
    const serial = new SerialByKey<string>();
    const first = defer();
    const told: string[] = [];
    const slow = serial.run('a', () => first.promise.then(() => told.push('a1')));
    const next = serial.run('a', () => Promise.resolve(told.push('a2')));
    await serial.run('b', () => Promise.resolve(told.push('b1')));
    expect(told).toEqual(['b1']);
    first.resolve();
    await Promise.all([slow, next]);
    expect(told).toEqual(['b1', 'a1', 'a2']);
  });

  it('begins anew under a key that was idle, after a failure as well', async () => {
    const serial = new SerialByKey<number>();
    await expect(serial.run(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(serial.run(1, () => Promise.resolve('again'))).resolves.toBe('again');
  });
});
