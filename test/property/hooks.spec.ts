// Hooks, and which branches are synced, against generated input. Rule: nothing that happened is told twice, or forgotten; no glob widens what
// another one narrowed.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HooksMachine } from '../../src/agent/hooks-machine.ts';
import type { HookIntention, HookNews } from '../../src/agent/hooks-machine.ts';
import { parseSynced } from '../../src/agent/synced-format.ts';
import { parseRepoId } from '../../src/lib/names.ts';

const REPO = parseRepoId('00000000-0000-4000-8000-000000000001');

function news(patch: Partial<HookNews> = {}): HookNews {
  return { repo: REPO, event: 'changed', peer: 'laptop', refs: [], paths: [], ...patch };
}

describe('HooksMachine', () => {
  it('tells every ref once and runs one at a time, in whatever order things happen', () => {
    const step = fc.oneof(fc.record({ tell: fc.nat(4) }), fc.constant('due' as const), fc.constant('ended' as const));
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const machine = new HooksMachine();
      let [running, told, count] = [0, 0, 0];
      let key = '';
      const take = (intentions: readonly HookIntention[]): void => {
        for (const intention of intentions) {
          key = intention.key;
          if (intention.type !== 'run') continue;
          running += 1;
          told += intention.run.refs.length;
        }
        expect(running).toBeLessThanOrEqual(1);
      };
      const end = (): void => {
        if (running === 0) return;
        running -= 1;
        take(machine.ended(key));
      };
      for (const each of steps) {
        if (each === 'due') take(machine.due(key));
        else if (each === 'ended') end();
        else take(machine.tell(news({ peer: `p${each.tell}`, refs: [{ ref: `refs/heads/${(count += 1)}`, to: 'x' }] })));
      }
      take(machine.due(key));
      while (running > 0) end();
      expect(told).toBe(count);
    }));
  });
});

describe('parseSynced', () => {
  const glob = fc.oneof(fc.string(), fc.stringMatching(/^!?(?:refs\/(?:heads|tags)\/)?[a-c*?/.+-]{1,6}$/));
  const ref = fc.stringMatching(/^refs\/(?:heads|tags)\/[a-c/.+-]{1,6}$/);

  it('takes any text, and what a glob takes away stays away whatever else is said', () => {
    fc.assert(fc.property(fc.array(glob, { maxLength: 6 }), glob, ref, (globs, away, name) => {
      const less = parseSynced([...globs.filter((each) => each !== ''), `!${away.replace(/^!/, '')}`]);
      const alone = parseSynced([`!${away.replace(/^!/, '')}`]);
      const problems: string[] = [];
      parseSynced([`!${away.replace(/^!/, '')}`], (words) => problems.push(words));
      if (problems.length === 0 && !alone.isSynced(name)) expect(less.isSynced(name)).toBe(false);
    }));
  });

  it('syncs just the branch that is named in full', () => {
    fc.assert(fc.property(ref, ref, (named, other) => {
      const problems: string[] = [];
      const { isSynced } = parseSynced([named], (words) => problems.push(words));
      expect(isSynced(named)).toBe(problems.length === 0);
      if (other !== named && other.startsWith(named.slice(0, 'refs/tags/'.length))) expect(isSynced(other)).toBe(false);
    }));
  });
});
