import { describe, expect, it } from 'vitest';
import { readPolicy } from '../../../src/agent/context.ts';
import { readGitConfig } from '../../../src/git/repository.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import { git } from '../../helpers/repo.ts';

const DEFAULT = { merge: 'ff', mergeFrom: 'own', rewrite: 'follow', isFolder: false, mayMergeUnrelated: false };

describe('readPolicy', () => {
  it('is careful where nothing is said', () => {
    expect(readPolicy(new Map(), false)).toEqual(DEFAULT);
    expect(readPolicy(new Map(), true)).toEqual({ ...DEFAULT, isFolder: true });
  });

  it('takes what is said, the last of it where it is said twice', () => {
    const config = new Map([
      ['xmpp.merge', ['merge', 'none']],
      ['xmpp.mergefrom', ['all']],
      ['xmpp.rewrite', ['ask']],
      ['xmpp.mergeunrelated', ['true']],
    ]);
    expect(readPolicy(config, false)).toEqual({ merge: 'none', mergeFrom: 'all', rewrite: 'ask', isFolder: false, mayMergeUnrelated: true });
    expect(readPolicy(new Map([['xmpp.merge', ['merge']]]), false).merge).toBe('merge');
  });

  it.each(['', 'ALL', 'yes', 'TRUE'])('takes %j for the default, never for more', (value) => {
    const config = new Map(['xmpp.merge', 'xmpp.mergefrom', 'xmpp.rewrite', 'xmpp.mergeunrelated'].map((key) => [key, [value]]));
    expect(readPolicy(config, false)).toEqual(DEFAULT);
  });

  it('moves nothing while a clone still has to check out', () => {
    expect(readPolicy(new Map([['xmpp.cloning', ['laptop/notes']], ['xmpp.merge', ['ff']]]), false).merge).toBe('none');
  });

  it('reads the names as git writes them', async () => {
    const agent = await openAgentRepo();
    for (const [key, value] of [['xmpp.merge', 'none'], ['xmpp.mergeFrom', 'all'], ['xmpp.rewrite', 'ask'], ['xmpp.mergeUnrelated', 'true']] as const) git(agent.repo.dir, 'config', key, value);
    const config = await readGitConfig(agent.runGit, agent.repository);
    expect(readPolicy(config, false)).toEqual({ merge: 'none', mergeFrom: 'all', rewrite: 'ask', isFolder: false, mayMergeUnrelated: true });
  });
});
