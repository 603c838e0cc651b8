// What a person may set about commits by themselves.

import { describe, expect, it } from 'vitest';
import { readAutoCommit } from '../../../src/agent/auto-commit-policy.ts';

const PERSON = { 'user.name': 'Ann', 'user.email': 'ann@example.org' };

function read(values: Readonly<Record<string, string>>): ReturnType<typeof readAutoCommit> & { readonly problems: readonly string[] } {
  const problems: string[] = [];
  const config = new Map(Object.entries({ ...PERSON, ...values }).map(([key, value]) => [key, [value]] as const));
  const policy = readAutoCommit(config, { device: 'laptop', onProblem: ({ message }) => problems.push(message) });
  return { ...policy, problems };
}

const DEFAULT = { isOn: false, delayMs: 300, maxBytes: 100 * 2 ** 20, message: 'changes on laptop', nobody: undefined, problems: [] };

describe('readAutoCommit', () => {
  it('commits nothing unless it is asked for', () => {
    expect(read({})).toEqual(DEFAULT);
  });

  it('takes what is set', () => {
    const set = { 'xmpp.autocommit': 'Yes', 'xmpp.autocommitdelay': '2m', 'xmpp.autocommitmaxsize': '1g', 'xmpp.autocommitmessage': ' by itself ' };
    expect(read(set)).toEqual({ isOn: true, delayMs: 120_000, maxBytes: 2 ** 30, message: 'by itself', nobody: undefined, problems: [] });
    expect(read({ 'xmpp.autocommitdelay': '50ms' }).delayMs).toBe(50);
  });

  it.each([
    ['xmpp.autocommit', 'perhaps', /^xmpp\.autoCommit: "perhaps" is neither true nor false$/],
    ['xmpp.autocommitdelay', '300', /^xmpp\.autoCommitDelay: /],
    ['xmpp.autocommitdelay', '49ms', /^xmpp\.autoCommitDelay: is not between 50ms and 1d$/],
    ['xmpp.autocommitdelay', '0s', /^xmpp\.autoCommitDelay: /],
    ['xmpp.autocommitdelay', '2d', /^xmpp\.autoCommitDelay: /],
    ['xmpp.autocommitmaxsize', '1.5m', /^xmpp\.autoCommitMaxSize: "1\.5m" is no number of bytes, such as 100m$/],
    ['xmpp.autocommitmaxsize', '-1', /^xmpp\.autoCommitMaxSize: /],
    ['xmpp.autocommitmessage', '  ', /^xmpp\.autoCommitMessage: is empty/],
  ])('names %s = %s, and the default holds', (key, value, words) => {
    const { problems, ...policy } = read({ [key]: value });
    expect(problems).toEqual([expect.stringMatching(words)]);
    expect({ ...policy, problems: [] }).toEqual(DEFAULT);
  });

  it('commits nothing while a clone still has to check out', () => {
    expect(read({ 'xmpp.autocommit': 'true', 'xmpp.cloning': 'desktop/notes' }).isOn).toBe(false);
  });

  it('says with which commands git learns in whose name to commit', () => {
    expect(read({ 'user.name': '', 'user.email': '' }).nobody).toBe(
      'git does not know in whose name to commit: git config --global user.name "Your Name" and git config --global user.email you@example.org',
    );
    expect(read({ 'user.email': '' }).nobody).toContain('user.email you@example.org');
    expect(read({ 'user.name': '', 'author.name': 'Ann', 'committer.name': 'Ann' }).nobody).toBeUndefined();
  });
});
