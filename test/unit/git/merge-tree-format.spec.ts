// What git merge-tree answers, taken apart.

import { describe, expect, it } from 'vitest';
import { parseMergeTree } from '../../../src/git/merge-tree-format.ts';

const TREE = 'f'.repeat(40);
const BLOB = 'a'.repeat(40);
const parse = (...fields: readonly string[]): ReturnType<typeof parseMergeTree> => parseMergeTree(Buffer.from(fields.join('\0'), 'latin1'));

describe('parseMergeTree', () => {
  it('reads a clean merge', () => {
    expect(parse(TREE, '')).toEqual({ tree: TREE, stages: [], messages: [] });
  });

  it('reads stages, and messages with their paths', () => {
    const found = parse(TREE, `100644 ${BLOB} 2\ta`, `100755 ${BLOB} 3\tb\nc`, '', '1', 'a', 'Auto-merging', 'words', '2', 'a', 'b\nc', 'CONFLICT (rename/rename)', 'more\nwords', '');
    expect(found.stages).toEqual([
      { mode: '100644', oid: BLOB, stage: 2, path: 'a' },
      { mode: '100755', oid: BLOB, stage: 3, path: 'b\nc' },
    ]);
    expect(found.messages).toEqual([
      { type: 'Auto-merging', paths: ['a'] },
      { type: 'CONFLICT (rename/rename)', paths: ['a', 'b\nc'] },
    ]);
  });

  it('keeps every byte of a path', () => {
    const path = Buffer.from([0x61, 0xff, 0x80, 0x20, 0x7f]).toString('latin1');
    const [stage] = parse(TREE, `100644 ${BLOB} 1\t${path}`, '', '').stages;
    expect(Buffer.from(stage?.path ?? '', 'latin1')).toEqual(Buffer.from([0x61, 0xff, 0x80, 0x20, 0x7f]));
  });

  it('leaves out the advice behind the last message', () => {
    expect(parse(TREE, `160000 ${BLOB} 2\ts`, '', '1', 's', 'CONFLICT (contents)', 'words', 'Recursive merging with submodules').messages).toHaveLength(1);
  });

  it.each([
    ['no tree', ['', '']],
    ['a stage that is none', [TREE, `100644 ${BLOB} 4\ta`, '', '']],
    ['a stage without a path', [TREE, `100644 ${BLOB} 1`, '', '']],
    ['a message without a count', [TREE, '', 'x', 'a', 'type', 'words', '']],
    ['a message that is cut', [TREE, '', '3', 'a', '']],
  ])('takes nothing of %s', (_what, fields) => {
    expect(() => parse(...fields)).toThrow(/git merge-tree answered something else|object id/);
  });
});
