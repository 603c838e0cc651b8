import { describe, expect, it } from 'vitest';
import {
  parseProtocol,
  parseRepoPath,
  parseServiceCommand,
  parseSshArguments,
  quote,
  unquote,
} from '../../../git-shell-shim/ssh-command.ts';

describe('parseSshArguments', () => {
  it('reads what git hands to ssh', () => {
    expect(parseSshArguments(['-o', 'SendEnv=GIT_PROTOCOL', '-p', '2222', 'ann@laptop', "git-upload-pack '/notes'"])).toEqual({
      host: 'laptop',
      command: "git-upload-pack '/notes'",
      isProbe: false,
      isSendingProtocol: true,
    });
    expect(parseSshArguments(['-G', '-o', 'SendEnv=GIT_PROTOCOL', 'laptop'])).toMatchObject({
      host: 'laptop',
      command: undefined,
      isProbe: true,
    });
  });

  it('reads options after the host as ssh does, and joins the words of a command', () => {
    expect(parseSshArguments(['laptop', '-4', 'git-receive-pack', "'notes'"])).toMatchObject({
      host: 'laptop',
      command: "git-receive-pack 'notes'",
    });
    expect(parseSshArguments(['--', 'laptop', '--', '-x'])).toMatchObject({ host: 'laptop', command: '-x' });
  });

  it('leaves what it does not understand to the real ssh', () => {
    for (const args of [[], ['-V'], ['--help'], ['-z', 'laptop'], ['-p'], ['laptop', '-p']]) {
      expect(parseSshArguments(args)).toBeUndefined();
    }
  });
});

describe('parseServiceCommand', () => {
  it('reads the two services, in both of their spellings', () => {
    expect(parseServiceCommand("git-upload-pack 'notes'")).toEqual({ service: 'git-upload-pack', path: 'notes' });
    expect(parseServiceCommand("git receive-pack '/a b.git'")).toEqual({ service: 'git-receive-pack', path: '/a b.git' });
    expect(parseServiceCommand("git-upload-pack 'it'\\''s'\\!''")).toEqual({ service: 'git-upload-pack', path: "it's!" });
  });

  it('refuses anything else and names it', () => {
    for (const command of ["git-upload-archive 'notes'", 'rm -rf /', 'sh', '', "git-upload-pack2 'x'", "GIT-UPLOAD-PACK 'x'"]) {
      expect(() => parseServiceCommand(command)).toThrow(`"${command.split(' ')[0]}" is not served`);
    }
    expect(() => parseServiceCommand("git config 'x'")).toThrow('"git-config" is not served');
  });

  it('refuses an argument that is not one word in quotes', () => {
    for (const argument of ['', ' ', ' notes', " 'a' 'b'", " 'a", " 'a';id", " ''", " 'a'$(id)", " 'a'\\x"]) {
      expect(() => parseServiceCommand(`git-upload-pack${argument}`)).toThrow(/needs one path/);
    }
  });
});

describe('parseRepoPath', () => {
  it('takes a name with or without the leading slash and .git', () => {
    expect(['notes', '/notes', '/notes.git', 'notes.git', '/notes/'].map(parseRepoPath)).toEqual(Array(5).fill('notes'));
  });

  it('refuses a path of several parts', () => {
    for (const path of ['a/b', '//a', '../a', '~/a', '/', '']) expect(() => parseRepoPath(path)).toThrow(/repo name/);
  });
});

describe('parseProtocol', () => {
  it('passes on only what git itself writes', () => {
    const given = ['version=0', 'version=1', 'version=2', 'version=3', 'version=2:x', ' version=2', '', undefined];
    expect(given.map(parseProtocol)).toEqual(['version=0', 'version=1', 'version=2', ...Array(5).fill(undefined)]);
  });
});

describe('quote', () => {
  it('quotes as git does', () => {
    expect([quote('name'), quote('a b'), quote("a'b"), quote('a!b')]).toEqual(["'name'", "'a b'", "'a'\\''b'", "'a'\\!'b'"]);
  });
});

describe('unquote', () => {
  it('knows no other quotes and no escapes', () => {
    expect([unquote('"a"'), unquote('a'), unquote("\\'a"), unquote("'a'b"), unquote("'a\nb'")]).toEqual([
      undefined, undefined, undefined, undefined, 'a\nb',
    ]);
  });
});
