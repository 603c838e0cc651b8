// So many at once. Rule: nobody is let in beyond the count, nobody is forgotten, and who comes first goes first.

import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/lib/turns.ts';
import { defer } from '../../helpers/deferred.ts';

describe('Turns', () => {
  it('let so many in, and the rest in order of arrival', async () => {
    const turns = new Turns(2);
    const done: number[] = [];
    const works = [0, 1, 2, 3].map(() => defer());
    const ends = works.map((work, index) => turns.run(() => (done.push(index), work.promise)));
    await turnOver();
    expect(done).toEqual([0, 1]);
    works[1]?.resolve();
    await ends[1];
    await turnOver();
    expect(done).toEqual([0, 1, 2]);
    works[0]?.resolve();
    works[2]?.resolve();
    works[3]?.resolve();
    await Promise.all(ends);
    expect(done).toEqual([0, 1, 2, 3]);
  });

  it('go on after work that failed', async () => {
    const turns = new Turns(1);
    await expect(turns.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await turns.run(() => Promise.resolve('next'))).toBe('next');
  });

  it('count a turn that is given back twice as one', async () => {
    const turns = new Turns(1);
    const giveBack = await turns.take();
    giveBack();
    giveBack();
    await turns.take();
    let isIn = false;
    void turns.take().then(() => (isIn = true));
    await turnOver();
    expect(isIn).toBe(false);
  });
});

function turnOver(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
