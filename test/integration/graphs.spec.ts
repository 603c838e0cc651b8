// Devices in a line, a ring, round a bare hub and on two islands: all copies end at one commit, whoever did what at the same moment (docs/CONVERGENCE.md).
// Rule: real agents, paired along the edges alone; people work while agents sync; afterwards nothing is broken and no commit of a person is lost.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../src/agent/answers.ts';
import type { RepoPeerStatus } from '../../src/agent/status.ts';
import { converged } from '../helpers/copies.ts';
import type { Copy } from '../helpers/copies.ts';
import { Graph } from '../helpers/graph.ts';
import type { SharePlan } from '../helpers/graph.ts';
import { Person } from '../helpers/person.ts';
import type { Act } from '../helpers/person.ts';
import { whatIsWrong } from '../helpers/sound.ts';
import { randomOf } from '../soak/faults.ts';

const EDGES = [['a', 'b'], ['b', 'c'], ['c', 'd'], ['d', 'e'], ['e', 'a'], ['f', 'g']] as const;

let graph: Graph;

beforeAll(async () => {
  graph = await Graph.start({ accounts: { romeo: ['a', 'b', 'c', 'd', 'e'], juliet: ['f', 'g'] }, edges: EDGES });
});

afterAll(() => graph?.stop());

/** Does `work` on every copy while no agent can act: all of it has happened at the same moment. */
async function atOnce(copies: readonly Copy[], work: (copy: Copy) => Promise<void>): Promise<void> {
  for (const { device } of copies) device.suspend();
  try {
    await Promise.all(copies.map(work));
  } finally {
    for (const { device } of copies) device.wake();
  }
}

interface Shape extends SharePlan {
  readonly name: string;
}

const SHAPES: readonly Shape[] = [
  { name: 'three in a line', members: ['a', 'b', 'c'] },
  { name: 'a ring of five', members: ['a', 'b', 'c', 'd', 'e'] },
  { name: 'a star round a bare hub', members: ['a', 'c', 'f'], onHub: ['a', 'c', 'f'] },
  { name: 'two islands joined by a hub', members: ['a', 'b', 'f', 'g'], onHub: ['b', 'f'] },
];

describe.each(SHAPES)('$name, with xmpp.merge = merge,', (shape) => {
  let copies: readonly Copy[];
  let hub: string | undefined;
  let people: readonly Person[];

  beforeAll(async () => {
    const name = shape.name.replaceAll(' ', '-');
    ({ copies, hub } = await graph.share(name, { ...shape, policy: 'merge', files: { 'shared.txt': 'first line\nmiddle\nlast line\n' } }));
    people = copies.map((copy, index) => new Person(copy, randomOf(index + 1)));
  });

  /** Waits until all are equal, and looks whether all is well. The hub's own branch follows when all has been quiet for some seconds. */
  const settle = async (isHubToo = false): Promise<string> => {
    const tip = await converged(copies, { hub: isHubToo ? hub : undefined });
    expect(await whatIsWrong(copies, tip, { hub: isHubToo ? hub : undefined })).toEqual([]);
    return tip;
  };

  const all = (act: Act): Promise<void> => atOnce(copies, async ({ device }) => people.find((each) => each.copy.device === device)?.do(act));

  it('ends at one commit that holds every file, where all committed different files at once', async () => {
    await all('own');
    const tip = await settle();
    const [{ device, dir }] = copies as [Copy];
    const files = (await device.git(dir, 'ls-tree', '-r', '--name-only', tip)).split('\n');
    expect(files).toEqual(expect.arrayContaining(copies.map((copy) => `${copy.device.name}/1.txt`)));
  });

  it('ends at one commit that holds every version, where all changed the same line at once', async () => {
    await all('same');
    await settle();
    const versions = (copy: Copy): string[] => {
      const names = readdirSync(copy.dir).filter((file) => file.startsWith('shared'));
      return names.map((file) => readFileSync(path.join(copy.dir, file), 'utf8').split('\n')[1] ?? '').toSorted();
    };
    for (const copy of copies) expect(versions(copy)).toEqual(copies.map(({ device }) => `${device.name} 2`).toSorted());
  });

  it(`goes to what one of them amended, rebased or took back, and the commit that was left ${shape.onHub === undefined ? 'comes back nowhere' : 'stays where the hub has it'}`, async () => {
    const acts = ['amend', 'rebase', 'reset'] as const;
    for (const act of acts.slice(0, shape.onHub === undefined ? undefined : 1)) {
      const one = people[act.length % people.length];
      if (one === undefined) throw new Error('there is nobody');
      for (const _ of [1, 2]) await one.do('own');
      const left = await converged(copies, { hub });
      await one.do(act);
      await one.do('own');
      const tip = await settle();
      const { device, dir } = one.copy;
      // A hub only goes forward: what it has is nobody's to take back.
      expect((await device.run('git', ['merge-base', '--is-ancestor', left, tip], { cwd: dir })).code, act).toBe(hub === undefined ? 1 : 0);
    }
  });

  it('ends at one commit where all commit, amend, rebase and reset while the others sync', async () => {
    await Promise.all(people.map((person) => person.work(12)));
    await settle(true);
  });
});

describe('three in a line, with xmpp.merge = ff,', () => {
  it('say on both sides who has what where they diverged, and nothing moves until somebody chooses', async () => {
    const { copies } = await graph.share('careful', { members: ['a', 'b', 'c'] });
    const [first, middle, last] = copies as [Copy, Copy, Copy];
    last.device.suspend();
    const theirs = await last.device.commit(last.dir, { 'c.txt': 'c\n' }, 'of c');
    const ours = await first.device.commit(first.dir, { 'a.txt': 'a\n' }, 'of a');
    await middle.device.head(middle.dir, ours);
    last.device.wake();
    for (const [one, other, mine, its] of [[middle, last, 'of a', 'of c'], [last, middle, 'of c', 'of a']] as const) {
      const here = (status: StatusAnswer): RepoPeerStatus | undefined => status.repos.find(({ name }) => name === 'careful')?.peers.find(({ peer }) => peer === other.device.name);
      const peer = here(await one.device.statusWhen((status) => here(status)?.waiting.some((words) => /git merge \S+\/main/.test(words)) === true));
      expect(peer?.state).toBe('diverged');
      expect(peer?.branches).toMatchObject([{ branch: 'main', state: 'diverged', ahead: 1, behind: 1, here: [{ subject: mine }], there: [{ subject: its }] }]);
      const { stdout } = await one.device.xmpp('status');
      for (const words of ['only here', mine, `only on ${other.device.name}`, its]) expect(stdout).toContain(words);
    }
    const tips = await Promise.all(copies.map(({ device, dir }) => device.git(dir, 'rev-parse', 'main')));
    expect(tips).toEqual([ours, ours, theirs]);
    for (const { device, dir } of copies) expect(await device.git(dir, 'status', '--porcelain')).toBe('');

    for (const { device, dir } of copies) await device.git(dir, 'config', 'xmpp.merge', 'merge');
    for (const { device, dir } of copies) await device.xmppIn(dir, 'sync');
    const tip = await converged(copies);
    expect(await whatIsWrong(copies, tip)).toEqual([]);
  });
});
