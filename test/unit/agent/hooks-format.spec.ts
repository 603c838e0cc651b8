// What a hook is told.

import { describe, expect, it } from 'vitest';
import { formatHookEnv } from '../../../src/agent/hooks-format.ts';
import type { HookRun } from '../../../src/agent/hooks-machine.ts';
import { parseRepoId } from '../../../src/lib/names.ts';

const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];
const AT = { path: '/home/anna/notes', name: 'notes' };

function run(patch: Partial<HookRun> = {}): HookRun {
  return { repo: parseRepoId('00000000-0000-4000-8000-000000000001'), event: 'changed', peer: 'laptop', refs: [], paths: [], left: 0, ...patch };
}

describe('formatHookEnv', () => {
  it('names repository, peer and event, and refs as git tells its own hooks', () => {
    const refs = [{ ref: 'refs/heads/main', from: ONE, to: TWO }, { ref: 'refs/heads/new', to: TWO }, { ref: 'refs/heads/old', from: 'a'.repeat(64) }];
    expect(formatHookEnv(run({ refs }), AT)).toEqual({
      GIT_XMPP_EVENT: 'changed',
      GIT_XMPP_REPO: '/home/anna/notes',
      GIT_XMPP_REPO_NAME: 'notes',
      GIT_XMPP_PEER: 'laptop',
      GIT_XMPP_REFS: `${ONE} ${TWO} refs/heads/main\n${'0'.repeat(40)} ${TWO} refs/heads/new\n${'a'.repeat(64)} ${'0'.repeat(64)} refs/heads/old`,
    });
  });

  it('names the files of a conflict, one a line whatever they are called', () => {
    const told = formatHookEnv(run({ event: 'conflict', paths: ['a b', 'two\nlines', '$(id)'] }), AT);
    expect(told['GIT_XMPP_PATHS']).toBe('a b\n"two\\nlines"\n$(id)');
  });

  it('ends within what the system takes, and says how many are left out', () => {
    const refs = Array.from({ length: 1000 }, (_, index) => ({ ref: `refs/heads/${'x'.repeat(200)}${index}`, from: ONE, to: TWO }));
    const told = formatHookEnv(run({ refs, left: 5 }), AT);
    const lines = (told['GIT_XMPP_REFS'] ?? '').split('\n');
    expect(told['GIT_XMPP_REFS']?.length).toBeLessThanOrEqual(64 << 10);
    expect(lines.at(-1)).toMatch(/ refs\/heads\/x+\d+$/);
    expect(Number(told['GIT_XMPP_LEFT'])).toBe(1005 - lines.length);
  });
});
