// What a peer is told of repositories that do not run. Rule: against real repositories; the reason stays here.

import { describe, expect, it } from 'vitest';
import { Standing } from '../../../src/agent/standing.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { Fault } from '../../../src/lib/errors.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { RepoId } from '../../../src/lib/names.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { cleanEnv, commit, git, makeRepo } from '../../helpers/repo.ts';

const PEER = makePeer('laptop');
const STRANGER = makePeer('strange', { kind: 'other', jid: parseBareJid('bob@example.net') });
const NOTES = makeSharedRepo('notes');
const runGit = createRunGit(cleanEnv());

function standing(options: { readonly isRunning?: boolean; readonly paused?: RepoId } = {}): Standing {
  const { isRunning = false, paused } = options;
  const fault = (id: RepoId): Fault | undefined => (id === paused ? new Fault('paused', 'notes is paused until noon') : undefined);
  return new Standing({ repos: { list: () => [NOTES] }, pauses: { fault }, runGit, isRunning: () => isRunning });
}

describe('a repository that does not run', () => {
  it('is told to be shut for now, without the reason', () => {
    expect(standing().why(PEER, NOTES.id)).toMatchObject({ code: 'not-open', message: 'notes cannot be opened on that device at the moment' });
  });

  it('is told to be paused where it is', () => {
    expect(standing({ paused: NOTES.id }).why(PEER, NOTES.id)).toMatchObject({ code: 'paused', message: 'notes is paused on that device' });
  });

  it('does not exist for a peer that may not see it', async () => {
    expect(standing().why(STRANGER, NOTES.id)).toBeUndefined();
    expect(await standing().show(STRANGER)).toEqual([]);
  });

  it('is shown by name, and not looked at, where it cannot be opened', async () => {
    expect(await standing().show(PEER)).toEqual([{ repo: NOTES.id, name: 'notes', roots: [], standing: 'not-open' }]);
  });

  it('is shown by name where it is paused and cannot be read', async () => {
    expect(await standing({ paused: NOTES.id }).show(PEER)).toEqual([{ repo: NOTES.id, name: 'notes', roots: [], standing: 'paused' }]);
  });

  it('is shown with its first commits where it is paused, so that nobody founds a second one', async () => {
    const repo = makeRepo();
    const root = commit(repo, { 'a.txt': 'one\n' }, 'first');
    git(repo.dir, 'config', 'xmpp.id', NOTES.id);
    const shared = { ...NOTES, path: repo.dir, gitDir: `${repo.dir}/.git` };
    const there = new Standing({ repos: { list: () => [shared] }, pauses: { fault: () => new Fault('paused', 'notes is paused') }, runGit, isRunning: () => false });
    expect(await there.show(PEER)).toMatchObject([{ repo: NOTES.id, name: 'notes', roots: [root], standing: 'paused' }]);
  });
});

describe('a repository that runs', () => {
  it('is none of those', async () => {
    expect(standing({ isRunning: true }).why(PEER, NOTES.id)).toBeUndefined();
    expect(await standing({ isRunning: true }).show(PEER)).toEqual([]);
  });
});
