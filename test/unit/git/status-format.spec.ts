// What git says of a work tree, line by line.

import { describe, expect, it } from 'vitest';
import { parseStatus } from '../../../src/git/status-format.ts';
import { splitNul } from '../../../src/git/tree-diff.ts';
import { Fault } from '../../../src/lib/errors.ts';

const OID = 'a'.repeat(40);

function parse(...lines: readonly string[]): ReturnType<typeof parseStatus> {
  return parseStatus(splitNul(Buffer.from(lines.map((line) => `${line}\0`).join(''), 'latin1')));
}

const ordinary = (xy: string, path: string): string => `1 ${xy} N... 100644 100644 100644 ${OID} ${OID} ${path}`;

describe('parseStatus', () => {
  it('tells changed, deleted and new files, by bytes', () => {
    const { changes, head, staged, unmerged, nested } = parse(`# branch.oid ${OID}`, '# branch.head main', ordinary('.M', 'a b'), ordinary('.D', 'c'), ordinary('.T', 'd'), '? e\n\xff');
    expect(changes.map(({ path, kind }) => [path.toString('latin1'), kind])).toEqual([['a b', 'changed'], ['c', 'deleted'], ['d', 'changed'], ['e\n\xff', 'new']]);
    expect([head, staged, unmerged, nested]).toEqual([OID, undefined, undefined, []]);
  });

  it('knows an unborn branch', () => {
    expect(parse('# branch.oid (initial)', '# branch.head main').head).toBeUndefined();
  });

  it.each(['M.', 'A.', 'D.', 'MM', 'AD', '.A'])('takes %s for staged', (xy) => {
    expect(parse(ordinary(xy, 'x y')).staged?.toString()).toBe('x y');
  });

  it('names the first conflict', () => {
    expect(parse(`u UU N... 100644 100644 100644 100644 ${OID} ${OID} ${OID} both sides`).unmerged?.toString()).toBe('both sides');
  });

  it('tells a repository within from a file', () => {
    const { changes, nested } = parse('? inner/', '? file');
    expect([nested.map(String), changes.map(({ path }) => String(path))]).toEqual([['inner'], ['file']]);
  });

  it.each(['2 R. N... x', '! ignored', '', '1 .M short'])('refuses "%s"', (line) => {
    expect(() => parse(line)).toThrow(Fault);
  });
});
