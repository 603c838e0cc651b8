// The password, kept by the real git credential and its real helpers.

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadPassword, rejectPassword, savePassword } from '../../../src/home/credentials.ts';
import type { Home } from '../../../src/home/paths.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { RunGit } from '../../../src/lib/git-run.ts';
import { makeHome, modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { runGitAt } from '../../helpers/run-git.ts';

const JID = parseBareJid('anna@example.org');

interface Bench {
  readonly home: Home;
  /** The person's home, where `.gitconfig` lies. */
  readonly person: string;
  readonly runGit: RunGit;
}

async function makeBench(gitconfig = ''): Promise<Bench> {
  const person = makeFolder();
  writeFileSync(join(person, '.gitconfig'), gitconfig);
  return { home: await makeHome(), person, runGit: runGitAt(person) };
}

/** A helper that answers every question with one password and keeps nothing. */
function stubbornHelper(password: string): string {
  return `[credential]\n\thelper = "!f() { test \\"$1\\" = get && echo password=${password}; }; f"\n`;
}

describe('savePassword', () => {
  it('uses a file of the home when no helper is configured, and that file is its owner\'s alone', async () => {
    const { home, runGit } = await makeBench();
    expect(await savePassword(home, runGit, { jid: JID, password: 'hunter2' })).toBe('file');
    expect(modeOf(home.credentials)).toBe(0o600);
    expect(await loadPassword(home, runGit, JID)).toBe('hunter2');
  });

  it('uses the helper when there is one, and no file', async () => {
    const { home, person, runGit } = await makeBench('[credential]\n\thelper = store\n');
    expect(await savePassword(home, runGit, { jid: JID, password: 'hunter2' })).toBe('helper');
    expect(existsSync(home.credentials)).toBe(false);
    expect(readFileSync(join(person, '.git-credentials'), 'utf8')).toBe('xmpp://anna:hunter2@example.org\n');
    expect(await loadPassword(home, runGit, JID)).toBe('hunter2');
  });

  it('uses the file beside git-credential-cache, which forgets', async () => {
    const other = '[credential "https://example.org"]\n\thelper = store\n';
    const { home, runGit } = await makeBench(`[credential]\n\thelper = cache --timeout=60\n${other}`);
    onTestFinished(async () => {
      await runGit(['credential-cache', 'exit'], { okCodes: [0, 1, 128] });
    });
    expect(await savePassword(home, runGit, { jid: JID, password: 'hunter2' })).toBe('file');
  });

  it('uses the file when the helper list was taken back by an empty value', async () => {
    const { home, runGit } = await makeBench('[credential]\n\thelper = store\n\thelper =\n');
    expect(await savePassword(home, runGit, { jid: JID, password: 'hunter2' })).toBe('file');
  });

  it('uses the file when the helper keeps nothing, or gives back another password', async () => {
    for (const gitconfig of ['[credential]\n\thelper = !false\n', stubbornHelper('other')]) {
      const { home, runGit } = await makeBench(gitconfig);
      expect(await savePassword(home, runGit, { jid: JID, password: 'hunter2' })).toBe('file');
      expect(await loadPassword(home, runGit, JID)).toBe('hunter2');
    }
  });

  it('replaces the password in the file, and leaves none there once a helper keeps it', async () => {
    const { home, person, runGit } = await makeBench();
    await savePassword(home, runGit, { jid: JID, password: 'first' });
    await savePassword(home, runGit, { jid: JID, password: 'second' });
    expect(readFileSync(home.credentials, 'utf8')).toBe('xmpp://anna:second@example.org\n');
    writeFileSync(join(person, '.gitconfig'), '[credential]\n\thelper = store\n');
    expect(await savePassword(home, runGit, { jid: JID, password: 'third' })).toBe('helper');
    expect(readFileSync(home.credentials, 'utf8')).toBe('');
    expect(await loadPassword(home, runGit, JID)).toBe('third');
  });

  it('keeps every character that a line can hold', async () => {
    for (const gitconfig of ['', '[credential]\n\thelper = store\n']) {
      const { home, runGit } = await makeBench(gitconfig);
      for (const password of [' spaces ', 'a=b@c:d/e%20?#', 'pässwörd✓', '\'"\\$(x)', '-rf']) {
        await savePassword(home, runGit, { jid: JID, password });
        expect(await loadPassword(home, runGit, JID)).toBe(password);
      }
    }
  });

  it('refuses a password that no helper can keep, without a word of it', async () => {
    const { home, runGit } = await makeBench();
    for (const password of ['', 'hunter2\nhost=evil.example', 'hunter2\r', 'hunter2\0']) {
      const error: unknown = await savePassword(home, runGit, { jid: JID, password }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'bad-input' });
      expect(String(error)).not.toContain('hunter2');
    }
  });

  it('never puts the password into an argument or the environment', async () => {
    const { home, runGit } = await makeBench('[credential]\n\thelper = store\n');
    const calls: unknown[] = [];
    const watched: RunGit = (args, options = {}) => {
      calls.push(args, options.env, options.config, options.dir);
      return runGit(args, options);
    };
    await savePassword(home, watched, { jid: JID, password: 'hunter2' });
    await loadPassword(home, watched, JID);
    await rejectPassword(home, watched, JID);
    expect(calls.length).toBeGreaterThan(0);
    expect(JSON.stringify(calls)).not.toContain('hunter2');
  });
});

describe('loadPassword', () => {
  it('gives undefined when nobody has it, and runs no askpass to find out', async () => {
    const { home, person } = await makeBench();
    const asked = join(person, 'asked');
    const askpass = join(person, 'askpass');
    writeFileSync(askpass, `#!/bin/sh\ntouch '${asked}'\necho typed\n`);
    chmodSync(askpass, 0o700);
    writeFileSync(join(person, '.gitconfig'), `[core]\n\taskPass = ${askpass}\n`);
    const runGit = runGitAt(person);
    expect(await loadPassword(home, runGit, JID)).toBeUndefined();
    expect(existsSync(asked)).toBe(false);
  });

  it('tells accounts apart', async () => {
    const { home, runGit } = await makeBench();
    await savePassword(home, runGit, { jid: JID, password: 'hunter2' });
    expect(await loadPassword(home, runGit, parseBareJid('ben@example.org'))).toBeUndefined();
    expect(await loadPassword(home, runGit, parseBareJid('anna@example.net'))).toBeUndefined();
  });

  it('closes a file that others could read', async () => {
    const { home, runGit } = await makeBench();
    await savePassword(home, runGit, { jid: JID, password: 'hunter2' });
    chmodSync(home.credentials, 0o644);
    await loadPassword(home, runGit, JID);
    expect(modeOf(home.credentials)).toBe(0o600);
  });
});

describe('rejectPassword', () => {
  it('forgets it, in the file and in the helper, and leaves other accounts alone', async () => {
    for (const gitconfig of ['', '[credential]\n\thelper = store\n']) {
      const { home, runGit } = await makeBench(gitconfig);
      const ben = parseBareJid('ben@example.org');
      await savePassword(home, runGit, { jid: JID, password: 'hunter2' });
      await savePassword(home, runGit, { jid: ben, password: 'ben\'s' });
      await rejectPassword(home, runGit, JID);
      expect(await loadPassword(home, runGit, JID)).toBeUndefined();
      expect(await loadPassword(home, runGit, ben)).toBe('ben\'s');
    }
  });
});
