// What a paired peer can do beside what it serves, to somebody who clones from it: never end, show repositories that are none, and send a large clone
// in slices that are no good (docs/THREATS.md, "Paired peers, attack by attack"). Rule: as in attackers-serving.spec.ts.

import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parsePeerRepos } from '../../src/agent/peer-repos.ts';
import { parseRefName, parseRepoId } from '../../src/lib/names.ts';
import type { Attacked } from '../helpers/attacked-agent.ts';
import type { Device } from '../helpers/device.ts';
import { commitWith, oidOf, packet } from '../helpers/hostile-pack.ts';
import type { HostilePeer, Outcome } from '../helpers/hostile-peer.ts';
import { advertise, serveByHand } from '../helpers/hostile-server.ts';
import { until } from '../helpers/waiting.ts';
import { EVIL, HELLO, LOOT, harmless, startVictim } from '../helpers/victim.ts';
import type { HostileServer, Victim } from '../helpers/victim.ts';

const OTHER = parseRepoId('1c1e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11');

let world: Attacked;
let romeo: Device;
let victim: Victim;
let juliet: HostileServer;

beforeAll(async () => {
  ({ world, victim, juliet } = await startVictim());
  ({ romeo } = world);
});

beforeEach(() => juliet.isHarmless());

afterAll(() => world?.stop());

describe('a peer that never ends', () => {
  let asked: number;
  let killed: number;

  /** @param script never ends by itself */
  const isEndless = (script: Parameters<typeof serveByHand>[0]): void => {
    [asked, killed] = [0, 0];
    juliet.serve = () => {
      asked += 1;
      const served = serveByHand(script);
      return { ...served, kill: () => ((killed += 1), served.kill()) };
    };
  };

  it.each([['git', 'clone', 'xmpp::juliet/loot'], ['git-xmpp', 'clone', 'juliet/loot']])('to say nothing is left by Ctrl-C: %s %s', async (...command) => {
    isEndless(() => new Promise(() => undefined));
    const { code, isThere } = await victim.interrupts(command, () => asked > 0);
    expect(code).not.toBe(0);
    expect(isThere).toBe(false);
    await until(() => killed > 0);
  });

  it('to name refs is left by Ctrl-C', async () => {
    let said = 0;
    isEndless(async ({ say }) => {
      say(advertise([['HEAD', harmless.tip]]).subarray(0, -4));
      for (; killed === 0; said += 1) {
        say(packet(`${harmless.tip} refs/heads/${said}\n`).repeat(50));
        await new Promise(setImmediate);
      }
    });
    const clone = await victim.interrupts(['git', 'clone', 'xmpp::juliet/loot'], () => said > 200);
    expect(clone.isThere).toBe(false);
    await until(() => killed > 0);
  });
});

describe('a peer whose list of repositories', () => {
  it.each([
    ...['../x', '..', '/x', '-x', `x${EVIL}`, 'a/b', ''].map((name) => [`a repository ${JSON.stringify(name)}`, { name }] as const),
    ...['--upload-pack=x', '-x', 'refs/stash', '../x', `refs/heads/${EVIL}`].map((head) => [`a HEAD ${JSON.stringify(head)}`, { head }] as const),
    ...[-1, 1e300, 1.5, '1'].map((bytes) => [`a size ${JSON.stringify(bytes)}`, { bytes }] as const),
  ])('has %s is refused in words', async (_what, wrong) => {
    juliet.repos = { repos: [{ ...LOOT, ...wrong }] };
    expect(await victim.clones()).toMatchObject({ code: 128, isThere: false, stderr: expect.stringContaining('[bad-input]') });
    expect(await victim.xmppClones()).toMatchObject({ code: 1, isThere: false, stderr: expect.stringContaining('[bad-input]') });
  });

  it('is larger than any is refused in words', async () => {
    juliet.repos = { repos: [{ ...LOOT, more: 'x'.repeat(5_000_000) }] };
    expect(await victim.clones()).toMatchObject({ code: 128, isThere: false, stderr: expect.stringContaining('is larger than') });
  });
});

describe('a peer that sends a large clone in slices', () => {
  /** Whether the clone's repository is open there. */
  const isShownTo = async (eve: HostilePeer): Promise<boolean> => parsePeerRepos(await eve.ask('GET', '/repos')).some(({ repo, standing }) => repo === eve.repo && standing === undefined);

  it('that are no good has none of them taken in; Ctrl-C leaves what can be gone on with, and what is right is taken in then', async () => {
    juliet.repos = { repos: [{ ...LOOT, bytes: Number.MAX_SAFE_INTEGER }] };
    const eve = world.eve.of(LOOT.repo);
    const bad = commitWith([{ mode: '100644', name: '.git', oid: oidOf(HELLO) }], [HELLO]);
    const sent: Outcome[] = [];
    const attack = async (): Promise<boolean> => {
      if (!(await isShownTo(eve))) return false;
      for (const { tip, pack } of [bad, { ...harmless, pack: harmless.pack.subarray(0, 50) }]) {
        sent.push(await eve.slice([{ ref: `refs/xmpp/partial/${eve.device}/in-0`, to: tip }], pack), await eve.spool(pack, tip), await eve.offer([{ ref: `refs/xmpp/${eve.device}/heads/main`, to: tip }], pack));
      }
      return true;
    };
    const command = ['git-xmpp', 'clone', 'juliet/loot'];
    const broken = await victim.interrupts(command, attack);
    expect(broken).toMatchObject({ code: 130, isThere: true, stderr: expect.stringContaining('what has come is kept') });
    expect(sent.map(({ exit }) => exit)).toEqual(Array.from({ length: 6 }, () => 1));
    expect(readdirSync(broken.dir)).toEqual(['.git']);
    expect(await romeo.git(broken.dir, 'for-each-ref')).toBe('');
    expect(await eve.offer([{ ref: `refs/xmpp/${eve.device}/heads/main`, to: harmless.tip }], harmless.pack)).toMatchObject({ exit: 0 });
    expect(await victim.runs(command, broken.dir)).toMatchObject({ code: 0 });
    expect(readdirSync(broken.dir).toSorted()).toEqual(['.git', 'hello']);
    await romeo.xmppIn(broken.dir, 'unshare');
  });

  it('and says that HEAD is an option has nothing of it checked out, and the words name it', async () => {
    juliet.repos = { repos: [{ ...LOOT, repo: OTHER, head: 'refs/heads/--evil', bytes: Number.MAX_SAFE_INTEGER }] };
    const eve = world.eve.of(OTHER);
    const dir = victim.place();
    const clone = victim.runs(['git-xmpp', 'clone', 'juliet/loot'], dir);
    await until(() => isShownTo(eve));
    const map = new Map([[parseRefName('refs/heads/--evil'), harmless.tip]]);
    expect(await eve.offer([{ ref: `refs/xmpp/${eve.device}/heads/--evil`, to: harmless.tip }], harmless.pack, map)).toMatchObject({ exit: 0 });
    expect(await clone).toMatchObject({ code: 1, stderr: expect.stringContaining("'--evil' is not a valid branch name") });
    expect(readdirSync(dir)).toEqual(['.git']);
  });
});
