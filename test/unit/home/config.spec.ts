// The configuration file, read and written by the real git.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Config, parseList } from '../../../src/home/config.ts';
import type { Home } from '../../../src/home/paths.ts';
import { makeHome, modeOf } from '../../helpers/home.ts';
import { git, makeFolder, makeRepo } from '../../helpers/repo.ts';
import { runGitAt } from '../../helpers/run-git.ts';

async function makeConfig(text?: string): Promise<{ readonly home: Home; readonly config: Config }> {
  const home = await makeHome();
  if (text !== undefined) writeFileSync(home.config, text);
  return { home, config: new Config(home.config, runGitAt(makeFolder())) };
}

describe('Config', () => {
  it('is empty when there is no file, and makes none by reading', async () => {
    const { home, config } = await makeConfig();
    await config.load();
    expect(config.get('account.jid')).toBeUndefined();
    expect(config.getAll('account.jid')).toEqual([]);
    expect(existsSync(home.config)).toBe(false);
  });

  it('reads what a person wrote, in whatever case', async () => {
    const account = '[Account]\n\tJID = anna@example.org # mine\n';
    const { config } = await makeConfig(`${account}[peer "Desk.Top"]\n\tcolour = red\n\tcolour = "blue  "\n\tisOld\n`);
    await config.load();
    expect(config.get('account.jid')).toBe('anna@example.org');
    expect(config.getAll('PEER.Desk.Top.Colour')).toEqual(['red', 'blue  ']);
    expect(config.get('peer.Desk.Top.colour')).toBe('blue  ');
    expect(config.get('peer.desk.top.colour')).toBeUndefined();
    expect(config.get('peer.Desk.Top.isOld')).toBe('true');
  });

  it('gives back what was set, with every awkward character, also to plain git', async () => {
    const { home, config } = await makeConfig();
    for (const value of ['plain', '', '--list', '# ; "quoted" \\', ' two\nlines\t', 'ünïcode ✓', 'a=b']) {
      await config.set('test.value', value);
      expect(config.get('test.value')).toBe(value);
      const again = new Config(home.config, runGitAt(makeFolder()));
      await again.load();
      expect(again.getAll('test.value')).toEqual([value]);
    }
    await config.set('test.value', 'seen');
    expect(git(home.dir, 'config', '--file', home.config, 'test.value')).toBe('seen');
  });

  it('replaces every value by set, removes every one by unset, and leaves the rest of the file as it was', async () => {
    const { home, config } = await makeConfig('# by hand\n[a]\n\tb = 1\n\tb = 2\n[c]\n\td = 3\n');
    await config.load();
    await config.set('a.b', '4');
    expect(config.getAll('a.b')).toEqual(['4']);
    await config.unset('a.b');
    await config.unset('a.b');
    expect(config.getAll('a.b')).toEqual([]);
    expect(config.get('c.d')).toBe('3');
    expect(readFileSync(home.config, 'utf8')).toContain('# by hand\n');
  });

  it('keeps the file to its owner', async () => {
    const { home, config } = await makeConfig();
    await config.set('a.b', '1');
    expect(modeOf(home.config)).toBe(0o600);
    chmodSync(home.config, 0o644);
    await config.load();
    expect(modeOf(home.config)).toBe(0o600);
  });

  it('carries out changes asked for at once in their order', async () => {
    const { config } = await makeConfig();
    await Promise.all(Array.from({ length: 8 }, (_, index) => config.set('a.b', String(index))));
    expect(config.getAll('a.b')).toEqual(['7']);
  });

  it('names file and line of a broken line, and keeps what it knew', async () => {
    const { home, config } = await makeConfig('[account]\n\tjid = anna@example.org\n');
    await config.load();
    writeFileSync(home.config, '[account]\n\tjid = anna@example.org\n[broken\n');
    const message: unknown = expect.stringContaining(`${home.config}, line 3`);
    const fault = { code: 'bad-config', message, remedy: expect.stringContaining('line 3') };
    await expect(config.load()).rejects.toMatchObject(fault);
    await expect(config.set('account.jid', 'ben@example.org')).rejects.toMatchObject(fault);
    await expect(config.unset('account.jid')).rejects.toMatchObject(fault);
    expect(config.get('account.jid')).toBe('anna@example.org');
    expect(readFileSync(home.config, 'utf8')).toContain('[broken');
  });

  it('does not follow an include', async () => {
    const other = join(makeFolder(), 'other');
    writeFileSync(other, '[a]\n\tb = included\n');
    const { config } = await makeConfig(`[include]\n\tpath = ${other}\n`);
    await config.load();
    expect(config.get('a.b')).toBeUndefined();
    expect(config.get('include.path')).toBe(other);
  });

  it('does not hear the repository that the home lies in, however broken', async () => {
    const repo = makeRepo();
    const dir = join(repo.dir, 'home');
    mkdirSync(dir);
    writeFileSync(join(dir, 'config'), '[a]\n\tb = here\n');
    writeFileSync(join(repo.gitDir, 'config'), '[broken');
    const config = new Config(join(dir, 'config'), runGitAt(makeFolder()));
    await config.load();
    expect(config.get('a.b')).toBe('here');
  });

  it('refuses a key that git would not take, before git is started', async () => {
    const { config } = await makeConfig();
    for (const key of ['', 'a', '--get', 'a.', '.b', 'a.b\nc', 'a.1', 'ä.b']) expect(() => config.get(key)).toThrow('config key');
    await expect(config.set('a.b', 'x\0y')).rejects.toMatchObject({ code: 'bad-input' });
  });
});

describe('parseList', () => {
  it('reads a key alone as true, and all values of a key in their order', () => {
    expect(parseList('a.b\n1\0a.b\0c.d\nx\ny\0')).toEqual(new Map([['a.b', ['1', 'true']], ['c.d', ['x\ny']]]));
  });

  it('reads a hundred thousand values of one key, each once', () => {
    expect(parseList('a.b\n1\0'.repeat(100_000)).get('a.b')).toHaveLength(100_000);
  });
});
