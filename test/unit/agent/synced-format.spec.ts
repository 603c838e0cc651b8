// Which refs are synced. Rule: what cannot be a glob widens nothing, and what is not synced stays as it was told.

import { describe, expect, it } from 'vitest';
import { onlySynced, parseSynced, tellOnlySynced } from '../../../src/agent/synced-format.ts';
import { refsOf } from '../../helpers/agent-repo.ts';

const REFS = ['refs/heads/main', 'refs/heads/wip/a', 'refs/heads/wip/b', 'refs/heads/a+b', 'refs/tags/v1', 'refs/tags/nightly/1'];
const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];

function synced(...globs: string[]): string[] {
  const { isSynced } = parseSynced(globs);
  return REFS.filter((ref) => isSynced(ref)).map((ref) => ref.replace('refs/heads/', ''));
}

describe('parseSynced', () => {
  it.each([
    [[], ['main', 'wip/a', 'wip/b', 'a+b', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['main'], ['main', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['refs/heads/main', 'wip/?'], ['main', 'wip/a', 'wip/b', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['a+b'], ['a+b', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['*'], ['main', 'wip/a', 'wip/b', 'a+b', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['!wip/*'], ['main', 'a+b', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['wip/*', '!wip/b'], ['wip/a', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['main', 'refs/tags/v*'], ['main', 'refs/tags/v1']],
    [['!refs/tags/*'], ['main', 'wip/a', 'wip/b', 'a+b']],
    [['wip/*', '', 'main'], ['main', 'refs/tags/v1', 'refs/tags/nightly/1']],
    [['main', ''], ['main', 'wip/a', 'wip/b', 'a+b', 'refs/tags/v1', 'refs/tags/nightly/1']],
  ])('%j names %j', (globs, expected) => {
    expect(synced(...globs)).toEqual(expected);
  });

  it.each(['two words', '../x', 'refs/xmpp/*', 'refs/stash', 'a\nb', '!', 'x.lock'])('passes over %j, which widens nothing', (bad) => {
    const told: string[] = [];
    const alone = parseSynced([bad], (words) => told.push(words));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^xmpp\.branches: ".*" names no branch/);
    expect(alone.isSynced('refs/heads/main')).toBe(false);
    expect(synced('main', bad)).toEqual(['main', 'refs/tags/v1', 'refs/tags/nightly/1']);
  });

  it('takes 64 globs and says so of more', () => {
    const told: string[] = [];
    const { isSynced } = parseSynced(Array.from({ length: 65 }, (_, index) => `b${index}`), (words) => told.push(words));
    expect([isSynced('refs/heads/b63'), isSynced('refs/heads/b64')]).toEqual([true, false]);
    expect(told).toEqual(['xmpp.branches: only the first 64 of 65 globs hold']);
  });
});

describe('tellOnlySynced', () => {
  it('tells what is synced as it stands, and the rest as it was told: nobody takes it for deleted', () => {
    const all = refsOf({ main: TWO, wip: TWO, new: TWO });
    const told = refsOf({ main: ONE, wip: ONE, gone: ONE, 'refs/xmpp/left': ONE });
    expect(tellOnlySynced(all, told, parseSynced(['main', 'gone']))).toEqual(refsOf({ main: TWO, wip: ONE }));
    expect(tellOnlySynced(all, told, parseSynced([]))).toEqual(all);
  });
});

describe('onlySynced', () => {
  it('keeps what is synced, and what is no branch', () => {
    const refs = refsOf({ main: ONE, wip: ONE, 'refs/xmpp/left': ONE });
    expect(onlySynced(refs, parseSynced(['main'])).map(([ref]) => ref)).toEqual(['refs/heads/main', 'refs/xmpp/left']);
  });
});
