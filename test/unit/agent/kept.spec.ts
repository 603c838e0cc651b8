// How long tips that a move left behind are kept, on a real repository.

import { beforeEach, describe, expect, it } from 'vitest';
import { removeOldKept } from '../../../src/agent/kept.ts';
import { copyOf, openAgentRepo, refsBelow } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, makeRepo } from '../../helpers/repo.ts';

const DAY = 86_400_000;
const base = makeRepo();
const one = commit(base, { a: '1' }, 'one');

let agent: AgentRepo;
let problems: string[];

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base));
  problems = [];
});

const keep = (name: string): void => void git(agent.repo.dir, 'update-ref', `refs/xmpp/kept/${name}`, one);
const look = (day: number): Promise<number> =>
  removeOldKept(agent, { stateDir: agent.stateDir, repo: agent.shared().id, now: 1_700_000_000_000 + day * DAY, onProblem: (words) => problems.push(words) });
const kept = (): string[] => Object.keys(refsBelow(agent.repo, 'refs/xmpp/kept/'));

/** Looks every twenty days, as an agent does that is started now and then. @returns how many went */
async function lookUntil(day: number): Promise<number> {
  let gone = 0;
  for (let at = 0; at <= day; at += 20) gone += await look(at);
  return gone;
}

describe('removeOldKept', () => {
  it('removes what has been there for ninety days, and that alone', async () => {
    keep('main-111111111111');
    expect(await lookUntil(80)).toBe(0);
    keep('main-222222222222');
    expect(await look(100)).toBe(1);
    expect(kept()).toEqual(['main-222222222222']);
    expect(problems).toEqual([]);
  });

  it('keeps as long as is set, and says what cannot be used', async () => {
    keep('main-111111111111');
    git(agent.repo.dir, 'config', 'xmpp.keep', '10d');
    expect(await lookUntil(20)).toBe(1);
    git(agent.repo.dir, 'config', 'xmpp.keep', 'long');
    keep('main-222222222222');
    expect(await look(40)).toBe(0);
    expect(problems[0]).toMatch(/^xmpp\.keep: .*the default holds$/);
  });

  it('removes nothing by a clock that has just leapt forward, or back', async () => {
    keep('main-111111111111');
    await look(0);
    expect(await look(400)).toBe(0);
    expect(await look(10)).toBe(0);
    expect(await look(20)).toBe(0);
    expect(kept()).toHaveLength(1);
  });

  it('writes nothing down where nothing is kept', async () => {
    expect(await look(0)).toBe(0);
    expect(kept()).toEqual([]);
  });
});
