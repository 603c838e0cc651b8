// The one form of an automatic merge, and everything that is not of it.

import { describe, expect, it } from 'vitest';
import { committerSeconds, formatAutomatic, MAX_MERGE_PARENTS, parseAutomatic } from '../../../src/git/automatic-format.ts';
import { parseOid } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';

const oid = (digit: string): Oid => parseOid(digit.repeat(40));
const MERGE = { tree: oid('f'), parents: [oid('a'), oid('b')], seconds: 1_700_000_000 };
const TEXT = formatAutomatic(MERGE);

describe('formatAutomatic', () => {
  it('writes a commit with a fixed person, time zone and message', () => {
    expect(TEXT.split('\n')).toEqual([
      `tree ${oid('f')}`,
      `parent ${oid('a')}`,
      `parent ${oid('b')}`,
      'author git-xmpp <git-xmpp@localhost> 1700000000 +0000',
      'committer git-xmpp <git-xmpp@localhost> 1700000000 +0000',
      '',
      'Merge what several devices committed',
      '',
      'Xmpp-Merge: 1',
      '',
    ]);
  });

  it('refuses one parent, parents out of order, one twice, and too many', () => {
    const many = Array.from({ length: MAX_MERGE_PARENTS + 1 }, (_none, index) => parseOid(index.toString(16).padStart(40, '0')));
    for (const parents of [[oid('a')], [oid('b'), oid('a')], [oid('a'), oid('a')], many]) {
      expect(() => formatAutomatic({ ...MERGE, parents })).toThrow('automatic merge');
    }
  });
});

describe('parseAutomatic', () => {
  it('reads what was written', () => {
    expect(parseAutomatic(TEXT)).toEqual(MERGE);
  });

  it.each([
    ['another author', TEXT.replace('author git-xmpp', 'author Ann')],
    ['another committer', TEXT.replace('committer git-xmpp', 'committer Ann')],
    ['another date for the committer', TEXT.replace(/committer (.*) 1700000000/, 'committer $1 1700000001')],
    ['another time zone', TEXT.replaceAll('+0000', '+0100')],
    ['another subject', TEXT.replace('Merge what', 'merge what')],
    ['more words', `${TEXT}\n`],
    ['another version of the rule', TEXT.replace('Xmpp-Merge: 1', 'Xmpp-Merge: 2')],
    ['a signature', TEXT.replace('\n\nMerge', '\ngpgsig x\n\nMerge')],
    ['an encoding', TEXT.replace('\n\nMerge', '\nencoding latin1\n\nMerge')],
    ['one parent', TEXT.replace(`parent ${oid('a')}\n`, '')],
    ['parents out of order', TEXT.replace(`parent ${oid('a')}`, `parent ${oid('c')}`)],
    ['one parent twice', TEXT.replace(`parent ${oid('a')}`, `parent ${oid('b')}`)],
    ['ids of another length', TEXT.replace(`parent ${oid('a')}`, `parent ${'a'.repeat(64)}`)],
    ['nothing', ''],
  ])('takes %s for a person', (_what, text) => {
    expect(text).not.toBe(TEXT);
    expect(parseAutomatic(text)).toBeUndefined();
  });
});

describe('committerSeconds', () => {
  const commit = (committer: string): string => `tree ${oid('f')}\nauthor A <a@b> 1 +0000\n${committer}\n\ncommitter X <x> 9 +0000\n`;

  it('reads the date of the header, whatever the message says', () => {
    expect(committerSeconds(commit('committer Ann Ä <ann@x> 1234567890 -0730'))).toBe(1_234_567_890);
  });

  it.each(['committer Ann <ann@x>', 'committer Ann <ann@x> -5 +0000', 'committer Ann <ann@x> 99999999999999999999 +0000', 'committer'])('is 0 for "%s"', (line) => {
    expect(committerSeconds(commit(line))).toBe(0);
  });
});
