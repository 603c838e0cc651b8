// When a hook runs. Rule: never twice at once, and never without news.

import { describe, expect, it } from 'vitest';
import { GATHER_MS, HooksMachine } from '../../../src/agent/hooks-machine.ts';
import type { HookNews } from '../../../src/agent/hooks-machine.ts';
import { parseRepoId } from '../../../src/lib/names.ts';

const REPO = parseRepoId('00000000-0000-4000-8000-000000000001');
const OTHER = parseRepoId('00000000-0000-4000-8000-000000000002');

function news(patch: Partial<HookNews> = {}): HookNews {
  return { repo: REPO, event: 'changed', peer: 'laptop', refs: [], paths: [], ...patch };
}

describe('HooksMachine', () => {
  it('gathers what happens close together into one run, and a ref that moved twice moved once', () => {
    const machine = new HooksMachine();
    const [wait, ...none] = machine.tell(news({ refs: [{ ref: 'refs/heads/main', from: 'a', to: 'b' }] }));
    expect([wait, none]).toEqual([{ type: 'wait', key: expect.any(String), ms: GATHER_MS }, []]);
    expect(machine.tell(news({ refs: [{ ref: 'refs/heads/main', from: 'b', to: 'c' }, { ref: 'refs/heads/x', to: 'd' }] }))).toEqual([]);
    const refs = [{ ref: 'refs/heads/main', from: 'a', to: 'c' }, { ref: 'refs/heads/x', to: 'd' }];
    expect(machine.due(wait?.key ?? '')).toEqual([{ type: 'run', key: wait?.key, run: { ...news({ refs }), left: 0 } }]);
  });

  it('runs one at a time for each hook and repository; what comes meanwhile is the next, at once', () => {
    const machine = new HooksMachine();
    const [{ key } = { key: '' }] = machine.tell(news());
    machine.due(key);
    expect(machine.tell(news({ peer: 'desktop' }))).toEqual([]);
    expect(machine.tell(news({ repo: OTHER }))).toMatchObject([{ type: 'wait' }]);
    expect(machine.tell(news({ event: 'offline' }))).toMatchObject([{ type: 'wait' }]);
    expect(machine.due(key)).toEqual([]);
    expect(machine.ended(key)).toMatchObject([{ type: 'run', run: { peer: 'desktop' } }]);
    expect(machine.ended(key)).toEqual([]);
    expect(machine.ended(key)).toEqual([]);
  });

  it('keeps peers apart, each a run of its own', () => {
    const machine = new HooksMachine();
    const [{ key } = { key: '' }] = machine.tell(news({ refs: [{ ref: 'refs/heads/a', to: '1' }] }));
    machine.tell(news({ peer: 'desktop', refs: [{ ref: 'refs/heads/a', to: '2' }] }));
    expect(machine.due(key)).toMatchObject([{ run: { peer: 'laptop', refs: [{ to: '1' }] } }]);
    expect(machine.ended(key)).toMatchObject([{ run: { peer: 'desktop', refs: [{ to: '2' }] } }]);
  });

  it('holds a thousand refs and paths, and says how many there was no room for', () => {
    const machine = new HooksMachine();
    const refs = Array.from({ length: 1500 }, (_, index) => ({ ref: `refs/heads/${index}`, to: 'x' }));
    const [{ key } = { key: '' }] = machine.tell(news({ refs, paths: refs.map(({ ref }) => ref) }));
    const [run] = machine.due(key);
    expect(run).toMatchObject({ run: { left: 1000 } });
    expect(run?.type === 'run' && [run.run.refs.length, run.run.paths.length]).toEqual([1000, 1000]);
  });
});
