// The book of left commits as a blob that a peer's map names, on a real repository.

import { describe, expect, it } from 'vitest';
import { readBook, textOf, writeBook } from '../../../src/agent/left-blob.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import { MAX_LEFT_BYTES, noteMove, NO_LEFT } from '../../../src/sync/left-format.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import { commit, makeRepo } from '../../helpers/repo.ts';

const main = parseRefName('refs/heads/main');

describe('readBook', () => {
  it('reads what was written', async () => {
    const context = await openAgentRepo();
    const book = noteMove(NO_LEFT, { ref: main, left: [parseOid('a'.repeat(40))], back: [], stamp: 5 });
    expect(await readBook(context, await writeBook(context, textOf(book)))).toEqual(book);
  });

  it('measures a blob before it reads it', async () => {
    const context = await openAgentRepo();
    const asked: string[] = [];
    const watched = { ...context, runGit: (...[args, options]: Parameters<typeof context.runGit>) => (asked.push(args.join(' ')), context.runGit(args, options)) };
    const oid = await writeBook(context, 'x'.repeat(MAX_LEFT_BYTES + 1));
    await expect(readBook(watched, oid)).rejects.toThrow(/is larger than/);
    expect(asked.filter((each) => each.startsWith('cat-file blob'))).toEqual([]);
  });

  it('takes a commit, and what is no book, for none', async () => {
    const repo = makeRepo();
    const tip = commit(repo, { a: '1' }, 'one');
    const context = await openAgentRepo(repo);
    await expect(readBook(context, tip)).rejects.toThrow(/is no blob/);
    await expect(readBook(context, await writeBook(context, 'hello\n'))).rejects.toThrow(/is no mark/);
  });
});
