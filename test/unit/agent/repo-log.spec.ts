// What moved by itself. Rule: only the agent's own moves, and each tip that was left with the command that gets it back.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repoLog } from '../../../src/agent/repo-log.ts';
import { moveBranch } from '../../../src/git/move.ts';
import { updateRefs } from '../../../src/git/refs.ts';
import { parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { openAgentRepo } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, tipOf } from '../../helpers/repo.ts';

const MAIN = parseRefName('refs/heads/main');

async function move(agent: AgentRepo, from: Oid, to: Oid, message: string): Promise<void> {
  const limits = { paths: 100, bytes: 1000 };
  expect(await moveBranch(agent, agent.repository, { branch: MAIN, from, to, stateDir: agent.stateDir, limits, message })).toEqual({ moved: true });
}

async function keep(agent: AgentRepo, ref: string, to: Oid): Promise<void> {
  await updateRefs(agent.runGit, agent.repository, [{ ref: parseRefName(`refs/xmpp/kept/${ref}`), from: undefined, to }], { message: 'xmpp: kept' });
}

describe('repoLog', () => {
  it('is empty where nobody but people moved anything', async () => {
    const agent = await openAgentRepo();
    expect(await repoLog(agent)).toEqual([]);
    commit(agent.repo, { a: '1' }, 'one');
    git(agent.repo.dir, 'commit', '-q', '--amend', '-m', 'xmpp: amended');
    expect(await repoLog(agent)).toEqual([]);
  });

  it('tells moves, newest first, and where what was left is kept', async () => {
    const agent = await openAgentRepo();
    const one = commit(agent.repo, { a: '1' }, 'one');
    const two = commit(agent.repo, { a: '2' }, 'two');
    git(agent.repo.dir, 'reset', '-q', '--hard', one);
    const other = commit(agent.repo, { a: '3' }, 'another');
    git(agent.repo.dir, 'reset', '-q', '--hard', one);
    await move(agent, one, two, 'fast-forward');
    await keep(agent, `main-${two.slice(0, 12)}`, two);
    await move(agent, two, other, 'follow');
    const log = await repoLog(agent);
    expect(log).toMatchObject([
      { branch: 'main', how: 'follow', from: two, to: other, kept: `refs/xmpp/kept/main-${two.slice(0, 12)}`, back: `git branch main-${two.slice(0, 7)} ${two.slice(0, 12)}` },
      { branch: 'main', how: 'fast-forward', from: one, to: two },
    ]);
    expect(log[1]).not.toHaveProperty('kept');
    git(agent.repo.dir, ...(log[0]?.back ?? '').split(' ').slice(1));
    expect(tipOf(agent.repo, `main-${two.slice(0, 7)}`)).toBe(two);
  });

  it('tells what is kept also where its reflog is gone, with a name that every shell takes', async () => {
    const agent = await openAgentRepo();
    const one = commit(agent.repo, { a: '1' }, 'one');
    await keep(agent, `a/b-${one.slice(0, 12)}`, one);
    await keep(agent, `$(id)-${one.slice(0, 12)}`, one);
    const entry = { how: 'kept', from: one };
    expect(await repoLog(agent)).toMatchObject([
      { ...entry, branch: '$(id)', back: `git branch kept-${one.slice(0, 7)} ${one.slice(0, 12)}` },
      { ...entry, branch: 'a/b', back: `git branch a/b-${one.slice(0, 7)} ${one.slice(0, 12)}` },
    ]);
  });

  it('ends at 200 lines, and passes over what is no line of a reflog', async () => {
    const agent = await openAgentRepo();
    const one = commit(agent.repo, { a: '1' }, 'one');
    const line = (seconds: number, message: string): string => `${'0'.repeat(40)} ${one} A <a@x> ${seconds} +0000\t${message}\n`;
    const lines = Array.from({ length: 300 }, (_, index) => line(index, `xmpp: move ${index}`));
    writeFileSync(join(agent.repo.gitDir, 'logs/refs/heads/main'), `${lines.join('')}nonsense\n${line(5, 'commit: mine')}`);
    const log = await repoLog(agent);
    expect([log.length, log[0]?.how, log.at(-1)?.how]).toEqual([200, 'move 299', 'move 100']);
  });
});
