import { describe, expect, it } from 'vitest';
import { sourcesOf } from '../../../src/agent/hub-sources.ts';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid, RefName } from '../../../src/lib/names.ts';
import { oidOf } from '../../helpers/hub-network.ts';

const [a, b, c] = [oidOf('a'), oidOf('b'), oidOf('c')];
const refsOf = (refs: Readonly<Record<string, Oid>>): Map<RefName, Oid> => new Map(Object.entries(refs).map(([ref, oid]) => [parseRefName(ref), oid]));
const hub = { remote: 'origin', folder: 'me-1' };

function storeOf(known: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): { acted(source: string): Readonly<Record<string, string>>; setActed(): Promise<void> } {
  return { acted: (source) => known[source] ?? {}, setActed: () => Promise.resolve() };
}

describe('sourcesOf', () => {
  const refs = refsOf({ 'refs/heads/main': a, 'refs/tags/v1': b, 'refs/heads/synced/me-1/main': b, 'refs/heads/synced/you-2/main': c, 'refs/heads/synced/you-2/x/y': c });

  it("makes one source of the branches and tags, and one of each other device's own tips, but none of ours", () => {
    const sources = sourcesOf(hub, refs, storeOf());
    expect(sources.map(({ id, remote, isOwn }) => [id, remote, isOwn])).toEqual([['hub:origin', 'origin', true], ['synced:origin/you-2', 'origin/synced/you-2', true]]);
    expect(sources[0]?.refs).toEqual(refsOf({ 'refs/heads/main': a, 'refs/tags/v1': b }));
    expect(sources[1]?.refs).toEqual(refsOf({ 'refs/heads/main': c, 'refs/heads/x/y': c }));
  });

  it('knows of no deletion: what was acted on and is gone there is not told', () => {
    const acted = { 'refs/heads/main': b, 'refs/heads/gone': b };
    const sources = sourcesOf(hub, refs, storeOf({ 'hub:origin': acted, 'synced:origin/you-2': acted }));
    expect(sources.map((source) => Object.keys(source.acted))).toEqual([['refs/heads/main'], ['refs/heads/main']]);
  });

  it('never lets a hub that was set back take us along, but another device, as by its map', () => {
    const acted = { 'refs/heads/main': b };
    const sources = sourcesOf(hub, refs, storeOf({ 'hub:origin': acted, 'synced:origin/you-2': acted }));
    expect(sources.map((source) => source.acted['refs/heads/main'])).toEqual([a, b]);
  });
});
