// A value in a JSON file. Rule: each damage is a real file on the disk.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Fields } from '../../../src/home/fields-format.ts';
import { StateFile } from '../../../src/home/state.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

interface Tally {
  readonly count: number;
}

function parseTally(value: unknown): Tally {
  const fields = new Fields(value, 'tally');
  const tally = { count: fields.count('count') };
  fields.end();
  return tally;
}

function tallyIn(dir: string): { readonly path: string; readonly file: StateFile<Tally> } {
  const path = join(dir, 'tally.json');
  return { path, file: new StateFile(path, parseTally, () => ({ count: 0 })) };
}

describe('StateFile', () => {
  it('begins with the initial value and makes no file by reading', async () => {
    const { path, file } = tallyIn(makeFolder());
    expect(await file.read()).toEqual({ count: 0 });
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });

  it('gives back what was written, to another one of the same path too', async () => {
    const dir = makeFolder();
    await tallyIn(dir).file.write({ count: 7 });
    expect(await tallyIn(dir).file.read()).toEqual({ count: 7 });
    expect(modeOf(tallyIn(dir).path)).toBe(0o600);
  });

  it('ends with the last of many writes asked for at once, and reads after them', async () => {
    const { file } = tallyIn(makeFolder());
    const writes = Array.from({ length: 20 }, (_, count) => file.write({ count }));
    expect(await file.read()).toEqual({ count: 19 });
    await Promise.all(writes);
  });

  it('writes the value as it was when asked', async () => {
    const { file } = tallyIn(makeFolder());
    const tally = { count: 1 };
    const written = file.write(tally);
    tally.count = 2;
    await written;
    expect(await file.read()).toEqual({ count: 1 });
  });

  it('refuses a truncated file by name, at whatever byte it was cut, and leaves it as it is', async () => {
    const { path, file } = tallyIn(makeFolder());
    await file.write({ count: 123_456 });
    const whole = readFileSync(path, 'utf8');
    for (let length = whole.trimEnd().length - 1; length >= 0; length -= 1) {
      truncateSync(path, length);
      await expect(file.read()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(path) });
      expect(readFileSync(path, 'utf8')).toBe(whole.slice(0, length));
    }
  });

  it('names file and field of a wrong value', async () => {
    const { path, file } = tallyIn(makeFolder());
    writeFileSync(path, '{"count": -1}');
    await expect(file.read()).rejects.toThrow(`${path}: tally.count: is no integer from 0 up`);
    writeFileSync(path, '{"count": 1, "extra": 2}');
    await expect(file.read()).rejects.toThrow(`${path}: tally.extra: is not known`);
  });

  it('quotes nothing of a file that is no JSON, which may hold a key', async () => {
    const { path, file } = tallyIn(makeFolder());
    writeFileSync(path, 'hunter2');
    const error: unknown = await file.read().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'bad-config' });
    expect(inspect(error)).not.toContain('hunter2');
  });

  it('stays usable after a write that failed', async () => {
    const file = new StateFile<string>(join(makeFolder(), 'text.json'), String, () => '');
    await expect(file.write('x'.repeat(17 * 1024 * 1024))).rejects.toMatchObject({ code: 'too-large' });
    await file.write('short');
    expect(await file.read()).toBe('short');
  });
});
