// A real repository in the middle of somebody's work, while the others of a ring converge (docs/decisions/0012-the-agent-holds-the-index-lock.md).
// Rule: what its person has under way is untouched, its status says why it waits, and it is at the same commit as soon as that is over.

import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { converged } from '../helpers/copies.ts';
import type { Copy } from '../helpers/copies.ts';
import { Graph } from '../helpers/graph.ts';
import { Person } from '../helpers/person.ts';
import { whatIsWrong } from '../helpers/sound.ts';

const LINES = ['one', 'two', 'three', 'four', 'five'];

let graph: Graph;
let copies: readonly Copy[];
let busy: Copy;
/** A ring without it is a line, and still connected. */
let others: readonly Copy[];
let number = 0;

beforeAll(async () => {
  graph = await Graph.start({ accounts: { romeo: ['a', 'b', 'c', 'd'] }, edges: [['a', 'b'], ['b', 'c'], ['c', 'd'], ['d', 'a']] });
});

afterAll(() => graph?.stop());

beforeEach(async () => {
  const name = `work-${(number += 1)}`;
  ({ copies } = await graph.share(name, { members: ['a', 'b', 'c', 'd'], policy: 'merge', files: { 'lines.txt': text(), 'other.txt': 'other\n' } }));
  const [a, b, c, d] = copies as [Copy, Copy, Copy, Copy];
  [busy, others] = [c, [a, b, d]];
});

/** The file with one line changed. */
function text(line?: number, words = ''): string {
  return LINES.map((each, index) => (index === line ? words : each)).join('\n') + '\n';
}

/** Somebody who tries again where the agent is looking whether it may move. */
function person(copy: Copy): Person {
  return new Person(copy, () => 0);
}

/** Its neighbours commit at the same moment, and all but the one that is busy end at one commit. */
async function othersMeet(): Promise<string> {
  const [a, b, d] = others as [Copy, Copy, Copy];
  await Promise.all([person(b).commit({ 'b.txt': 'b\n', 'lines.txt': text(0, 'of b') }, 'of b'), person(d).commit({ 'd.txt': 'd\n', 'lines.txt': text(2, 'of d') }, 'of d')]);
  return converged([a, b, d]);
}

/** All that a person has there: HEAD, the branch, the index and the files. */
async function stateOf({ device, dir }: Copy): Promise<string> {
  const git = (...args: string[]): Promise<string> => device.git(dir, '--no-optional-locks', ...args);
  const files = (await git('ls-files', '--cached', '--others')).split('\n').filter((file) => existsSync(path.join(dir, file)));
  const contents = [...new Set(files)].map((file) => `${file}: ${readFileSync(path.join(dir, file), 'utf8')}`);
  return [await git('rev-parse', 'HEAD', 'refs/heads/main'), await git('ls-files', '--stage'), ...contents].join('\n');
}

/** Waits until its status says why it waits. */
async function waits(words: RegExp): Promise<void> {
  await busy.device.statusWhen(({ repos }) => repos.some(({ path: dir, peers }) => dir === busy.dir && peers.some(({ waiting }) => words.test(waiting.join()))));
}

async function allMeet(): Promise<string> {
  const tip = await converged(copies);
  expect(await whatIsWrong(copies, tip)).toEqual([]);
  return tip;
}

describe('a copy whose person is at work', () => {
  it('moves with the others where nothing of its own is in reach, and keeps what is not committed', async () => {
    await writeFile(path.join(busy.dir, 'other.txt'), 'not committed\n');
    await writeFile(path.join(busy.dir, 'new.txt'), 'not added\n');
    const tip = await othersMeet();
    await busy.device.ref(busy.dir, 'refs/heads/main', tip);
    const read = (file: string): string => readFileSync(path.join(busy.dir, file), 'utf8');
    expect([read('other.txt'), read('new.txt'), read('b.txt')]).toEqual(['not committed\n', 'not added\n', 'b\n']);
    await person(busy).commit({ 'other.txt': 'not committed\n', 'new.txt': 'not added\n' }, 'at last');
    await allMeet();
  });

  it('stays as it is where the others changed the file that is dirty here, and joins them once it is committed', async () => {
    await writeFile(path.join(busy.dir, 'lines.txt'), text(4, 'of c'));
    const before = await stateOf(busy);
    await othersMeet();
    await waits(/lines\.txt has changes that are not committed/);
    expect(await stateOf(busy)).toBe(before);
    await person(busy).commit({ 'lines.txt': text(4, 'of c') }, 'of c');
    await allMeet();
    expect(readFileSync(path.join(busy.dir, 'lines.txt'), 'utf8')).toBe(['of b', 'two', 'of d', 'four', 'of c', ''].join('\n'));
  });

  it('stays as it is while git holds the index, and is where the others are once it does not', async () => {
    const lock = path.join(busy.dir, '.git/index.lock');
    await writeFile(lock, '');
    const before = await stateOf(busy);
    const tip = await othersMeet();
    await waits(/git is at work on the index/);
    expect(await stateOf(busy)).toBe(before);
    await rm(lock);
    expect(await allMeet()).toBe(tip);
  });

  it('stays as it is in the middle of a rebase, which can be continued, and joins the others after it', async () => {
    const { device, dir } = busy;
    await device.git(dir, 'switch', '--quiet', '--create', 'base');
    await device.commit(dir, { 'lines.txt': text(2, 'of the base') }, 'the base');
    await device.git(dir, 'switch', '--quiet', 'main');
    const first = await device.commit(dir, { 'lines.txt': text(2, 'of c') }, 'of c');
    expect(await allMeet()).toBe(first);
    expect((await device.run('git', ['rebase', 'base'], { cwd: dir })).code).toBe(1);
    const before = await stateOf(busy);
    expect(before).toContain('<<<<<<<');
    await othersMeet();
    await waits(/a rebase is under way/);
    expect(await stateOf(busy)).toBe(before);
    await writeFile(path.join(dir, 'lines.txt'), text(2, 'of both'));
    await person(busy).must('add', 'lines.txt');
    await person(busy).must('-c', 'core.editor=true', 'rebase', '--continue');
    const rebased = await device.git(dir, 'rev-parse', 'main@{0}');
    const tip = await allMeet();
    expect((await device.run('git', ['merge-base', '--is-ancestor', rebased, tip], { cwd: dir })).code).toBe(0);
  });
});
