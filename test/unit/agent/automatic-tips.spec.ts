import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { AutomaticTips } from '../../../src/agent/automatic-tips.ts';
import { formatAutomatic } from '../../../src/git/automatic-format.ts';
import { parseOid, parseRefName } from '../../../src/lib/names.ts';
import type { Oid } from '../../../src/lib/names.ts';
import { copyOf, openAgentRepo, refsOf } from '../../helpers/agent-repo.ts';
import type { AgentRepo } from '../../helpers/agent-repo.ts';
import { commit, git, makeFolder, makeRepo } from '../../helpers/repo.ts';

const base = makeRepo();
const [one, two] = [commit(base, { a: '1' }, 'one'), commit(base, { a: '2' }, 'two')];
const SIDE = parseRefName('refs/heads/side');

let agent: AgentRepo;
let merge: Oid;

beforeEach(async () => {
  agent = await openAgentRepo(copyOf(base));
  const parents = [one, two].toSorted((a, b) => (a < b ? -1 : 1));
  const file = `${makeFolder()}/commit`;
  writeFileSync(file, formatAutomatic({ tree: parseOid(git(agent.repo.dir, 'rev-parse', `${two}^{tree}`)), parents, seconds: 1 }));
  merge = parseOid(git(agent.repo.dir, 'hash-object', '-t', 'commit', '-w', file));
});

describe('AutomaticTips', () => {
  it('are the branches that end in an automatic merge which the hub has not', async () => {
    const tips = new AutomaticTips(agent);
    expect(await tips.of(refsOf({ main: one, side: merge }), new Map())).toEqual(new Set([SIDE]));
    expect(await tips.of(refsOf({ main: one, side: merge }), refsOf({ side: two }))).toEqual(new Set([SIDE]));
    expect(await tips.of(refsOf({ main: one, side: merge }), refsOf({ side: merge }))).toEqual(new Set());
  });

  it('are read once, and what cannot be read is none', async () => {
    let reads = 0;
    const tips = new AutomaticTips({ ...agent, objects: undefined as never, runGit: (args, options) => ((reads += 1), agent.runGit(args, options)) });
    const absent = parseOid('1'.repeat(40));
    for (let times = 0; times < 3; times += 1) await tips.of(refsOf({ side: merge }), new Map());
    expect(reads).toBe(1);
    expect(await tips.of(refsOf({ side: absent }), new Map())).toEqual(new Set());
  });

  it('are idle where the hub lacks merges alone, and not where it lacks what a person made', async () => {
    const tips = new AutomaticTips(agent);
    const idle = (hub: Readonly<Record<string, Oid>>): Promise<ReadonlySet<string>> => tips.idle([SIDE], refsOf({ side: merge }), refsOf(hub));
    expect(await idle({ side: one })).toEqual(new Set());
    expect(await idle({ side: two })).toEqual(new Set([SIDE]));
    expect(await idle({})).toEqual(new Set());
    expect(await idle({ side: parseOid('1'.repeat(40)) })).toEqual(new Set());
    expect(await tips.idle([], refsOf({ side: merge }), refsOf({ side: two }))).toEqual(new Set());
  });
});
