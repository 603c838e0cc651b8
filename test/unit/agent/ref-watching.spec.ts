import { describe, expect, it } from 'vitest';
import { RefWatching } from '../../../src/agent/ref-watching.ts';
import type { watchRefs } from '../../../src/git/watch.ts';

/** A system that lets as much be watched as `isEnough` says. */
function makeWatching(isEnough: () => boolean): { readonly watching: RefWatching; readonly told: string[]; readonly calls: string[] } {
  const [told, calls] = [new Array<string>(), new Array<string>()];
  const watch: typeof watchRefs = (_repository, _onHint, options) => {
    calls.push('begin');
    if (!isEnough()) options?.onProblem?.('the limit is reached');
    return { stop: () => void calls.push('stop') };
  };
  const watching = new RefWatching({ repository: { gitDir: '/r/.git', commonDir: '/r/.git' }, onHint: () => undefined, onProblem: (words) => told.push(words), watch });
  return { watching, told, calls };
}

describe('RefWatching', () => {
  it('begins once where everything can be watched', () => {
    const { watching, told, calls } = makeWatching(() => true);
    watching.retry();
    expect([watching.problem, told, calls]).toEqual([undefined, [], ['begin']]);
  });

  it('tries again what could not be watched, and says so once, until it can', () => {
    let isEnough = false;
    const { watching, told, calls } = makeWatching(() => isEnough);
    watching.retry();
    expect([watching.problem, told]).toEqual(['the limit is reached', ['the limit is reached']]);
    isEnough = true;
    watching.retry();
    expect(watching.problem).toBeUndefined();
    watching.retry();
    expect(calls).toEqual(['begin', 'stop', 'begin', 'stop', 'begin']);
  });

  it('begins nothing once it is stopped', () => {
    const { watching, calls } = makeWatching(() => false);
    watching.stop();
    watching.retry();
    expect(calls).toEqual(['begin', 'stop']);
  });
});
