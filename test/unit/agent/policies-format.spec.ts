// What is set for one repository. Rule: what cannot be used is named, and never widens what moves.

import { describe, expect, it } from 'vitest';
import { describePolicies, parsePolicies } from '../../../src/agent/policies-format.ts';
import type { Policies } from '../../../src/agent/policies-format.ts';
import { readGitConfig } from '../../../src/git/repository.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import { git } from '../../helpers/repo.ts';

const DEFAULT = { merge: 'ff', mergeFrom: 'own', rewrite: 'follow', isFolder: false, mayMergeUnrelated: false };

function parse(config: Readonly<Record<string, readonly string[]>>, isFolder = false): Policies {
  return parsePolicies(new Map(Object.entries(config)), { isFolder });
}

describe('parsePolicies', () => {
  it('is careful where nothing is said', () => {
    expect(parse({})).toMatchObject({ policy: DEFAULT, hooks: {}, hookTimeoutMs: 60_000, problems: [] });
    expect(parse({}, true).policy).toEqual({ ...DEFAULT, isFolder: true });
  });

  it('takes what is said, the last of it where it is said twice', () => {
    const said = parse({ 'xmpp.merge': ['merge', 'none'], 'xmpp.mergefrom': ['all'], 'xmpp.rewrite': ['ask'], 'xmpp.hooktimeout': ['90s'] });
    expect(said).toMatchObject({ policy: { merge: 'none', mergeFrom: 'all', rewrite: 'ask', isFolder: false }, hookTimeoutMs: 90_000, problems: [] });
    expect(parse({ 'xmpp.merge': ['merge'] }).policy.merge).toBe('merge');
  });

  it.each(['', 'ALL', 'yes', 'true', 'f'.repeat(500)])('takes %j for the default, never for more, and names each', (value) => {
    const { policy, problems } = parse({ 'xmpp.merge': [value], 'xmpp.mergefrom': [value], 'xmpp.rewrite': [value], 'xmpp.hooktimeout': [value] });
    expect(policy).toEqual(DEFAULT);
    expect(problems.map((words) => words.split(':')[0])).toEqual(['xmpp.merge', 'xmpp.mergeFrom', 'xmpp.rewrite', 'xmpp.hookTimeout']);
    expect(problems[0]).toMatch(/is none of ff, merge, none; the default holds$/);
    expect(Math.max(...problems.map(({ length }) => length))).toBeLessThan(200);
  });

  it('moves nothing while a clone still has to check out', () => {
    expect(parse({ 'xmpp.cloning': ['laptop/notes'], 'xmpp.merge': ['ff'] }).policy.merge).toBe('none');
  });

  it('takes hooks by event, and an empty one for none', () => {
    expect(parse({ 'xmpp.hook.changed': ['all', ' mine --now '], 'xmpp.hook.conflict': ['tell', ''], 'xmpp.hook.other': ['x'] }).hooks).toEqual({ changed: 'mine --now' });
    expect(parse({ 'xmpp.hook.offline': ['x'.repeat(5000)] })).toMatchObject({ hooks: {}, problems: [expect.stringContaining('xmpp.hook.offline')] });
  });

  it('reads the names as git writes them', async () => {
    const agent = await openAgentRepo();
    for (const [key, value] of [['xmpp.merge', 'none'], ['xmpp.mergeFrom', 'all'], ['xmpp.hook.changed', 'tell'], ['xmpp.hookTimeout', '5s']] as const) git(agent.repo.dir, 'config', key, value);
    for (const glob of ['main', 'wip/*']) git(agent.repo.dir, 'config', '--add', 'xmpp.branches', glob);
    const said = parsePolicies(await readGitConfig(agent.runGit, agent.repository), agent.shared());
    expect(said).toMatchObject({ policy: { ...DEFAULT, merge: 'none', mergeFrom: 'all' }, hooks: { changed: 'tell' }, hookTimeoutMs: 5_000 });
    expect(said.synced.globs).toEqual(['main', 'wip/*']);
  });
});

describe('describePolicies', () => {
  it('says what is not as by default, and no command line', () => {
    expect(describePolicies(parse({}))).toEqual([]);
    const said = parse({ 'xmpp.merge': ['merge'], 'xmpp.mergefrom': ['all'], 'xmpp.rewrite': ['ask'], 'xmpp.branches': ['main', '!wip/*'], 'xmpp.hook.changed': ['curl https://secret'] }, true);
    expect(describePolicies(said)).toEqual(['merge=merge', 'mergeFrom=all', 'rewrite=ask', 'folder', 'branches=main !wip/*', 'hook.changed']);
  });
});
