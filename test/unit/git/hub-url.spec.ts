import { describe, expect, it } from 'vitest';
import { hashUrl, normaliseUrl, pathOfUrl } from '../../../src/git/hub-url.ts';
import { parseRepoId } from '../../../src/lib/names.ts';

describe('pathOfUrl', () => {
  it.each([
    ['/srv/notes.git', '/srv/notes.git'],
    ['../notes.git', '/home/notes.git'],
    ['./a:b', '/home/me/a:b'],
    ['file:///srv/my%20notes.git', '/srv/my notes.git'],
    ['file://localhost/srv/x', '/srv/x'],
  ])('finds the folder of %s', (url, path) => {
    expect(pathOfUrl(url, '/home/me')).toBe(path);
  });

  it.each(['host:notes.git', 'me@host:notes.git', 'ssh://host/x', 'https://host/x', 'xmpp::laptop/notes', 'ext::sh', ''])('finds none for %s', (url) => {
    expect(pathOfUrl(url, '/home/me')).toBeUndefined();
  });
});

describe('normaliseUrl', () => {
  it.each([
    'https://Git.Example.org/me/notes.git',
    'https://git.example.org/me/notes/',
    'https://me:secret@git.example.org:443/me/notes.git/',
    'ssh://git@git.example.org/me/notes.git',
    'ssh://git@git.example.org:22/me/notes',
    'git@git.example.org:me/notes.git',
    'git.example.org:/me/notes',
  ])('has one form for %s', (url) => {
    expect(normaliseUrl(url)).toBe('git.example.org/me/notes');
  });

  it('keeps an unusual port, and a path as it is', () => {
    expect(normaliseUrl('ssh://h:2222/X.git')).toBe('h:2222/X');
    expect(normaliseUrl('ssh://[::1]:2222/x')).toBe('[::1]:2222/x');
    expect(normaliseUrl('/srv/Notes.git/')).toBe('/srv/Notes');
    expect(normaliseUrl('file:///srv/Notes/.git')).toBe('/srv/Notes');
  });

  it('never fails, and is quick, whatever it is given', () => {
    for (const url of ['', '::', '@', 'ssh://', '%', 'https://%zz', '/'.repeat(50_000), `a@${':'.repeat(50_000)}`, '.git'.repeat(20_000)]) expect(typeof normaliseUrl(url)).toBe('string');
  });
});

describe('hashUrl', () => {
  const repo = parseRepoId('00000000-0000-4000-8000-000000000001');

  it('is the same for one repository and hub, and another for any other', () => {
    const hash = hashUrl(repo, 'git@host:x.git');
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(hashUrl(repo, 'https://host/x')).toBe(hash);
    expect(hashUrl(repo, 'https://host/y')).not.toBe(hash);
    expect(hashUrl(parseRepoId('00000000-0000-4000-8000-000000000002'), 'https://host/x')).not.toBe(hash);
  });
});
