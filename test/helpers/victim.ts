// Somebody who fetches from a paired device that serves harm, and that device: a real agent, and what it is told. Rule: after each command it is looked whether anything but the
// folder that was asked for has changed, whether the agent is what it was, and what reached the terminal.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { parseFullJid } from '../../src/lib/jid.ts';
import { parseRepoId } from '../../src/lib/names.ts';
import type { ServedProcess } from '../../src/link/carry.ts';
import { startAttacked } from './attacked-agent.ts';
import type { Attacked } from './attacked-agent.ts';
import type { Ended } from './device.ts';
import { blobOf, commitWith, oidOf } from './hostile-pack.ts';
import { serveByHand, serveFetch } from './hostile-server.ts';
import type { Ending } from './hostile-server.ts';
import { allEnded, descendantsOf } from './processes.ts';
import { until } from './waiting.ts';

/** Longer words than these reach nobody's terminal. */
const MAX_WORDS = 8192;

/** The repository as it is shown, unless a spec says otherwise. */
export const LOOT = { repo: parseRepoId('0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11'), name: 'loot', roots: [], head: 'refs/heads/main', bytes: 100 };

/** Would give the terminal a title, and clear it. */
export const EVIL = '\u001b]0;title\u0007\u001b[2Jevil\r\n';

/** A commit that is all right, and its only file. */
export const HELLO = blobOf('hello\n');
export const harmless = commitWith([{ mode: '100644', name: 'hello', oid: oidOf(HELLO) }], [HELLO]);

/** What juliet's device answers. */
export class HostileServer {
  repos: unknown = { repos: [] };
  serve: () => Promise<ServedProcess> | ServedProcess = () => serveByHand(() => Promise.resolve());

  /** Shows one repository, and serves what is all right. */
  isHarmless(): void {
    this.repos = { repos: [LOOT] };
    this.serves(harmless);
  }

  /** @param more refs beside HEAD and main */
  serves({ tip, pack }: ReturnType<typeof commitWith>, more: readonly string[] = [], capabilities?: string): void {
    const refs = ['HEAD', 'refs/heads/main', ...more].map((name) => [name, tip] as const);
    this.serve = () => serveFetch({ refs, pack, ...(capabilities === undefined ? {} : { capabilities }) });
  }

  /** Says this, whatever git says, and ends. */
  says(bytes: Uint8Array | string, ending: Ending = {}): void {
    this.serve = () => serveByHand(async ({ say }) => say(bytes), ending);
  }
}

/** Both, who know where the other is. */
export async function startVictim(): Promise<{ readonly world: Attacked; readonly victim: Victim; readonly juliet: HostileServer }> {
  const juliet = new HostileServer();
  const world = await startAttacked({ digest: async () => ({ version: 1, repos: [] }), repos: async () => juliet.repos, service: async () => juliet.serve(), map: async () => undefined });
  await world.eve.played.hello(parseFullJid((await world.romeo.status()).account.address ?? ''));
  return { world, victim: new Victim(world), juliet };
}

/** How a command ended, and where its clone lies, if there is one. */
export interface Fetched extends Ended {
  readonly dir: string;
  readonly isThere: boolean;
}

/** What romeo runs. */
export class Victim {
  readonly #world: Attacked;
  #count = 0;

  constructor(world: Attacked) {
    this.#world = world;
  }

  /** A clone's place, in a folder of its own. */
  place(): string {
    this.#count += 1;
    const parent = this.#world.romeo.path(`in-${this.#count}`);
    mkdirSync(parent);
    return path.join(parent, 'loot');
  }

  /** Runs a command that may change what lies in `dir`, and nothing else. @param command the folder is its last argument, unless it is run in it */
  async runs(command: readonly string[], dir = this.place(), isIn = false): Promise<Fetched> {
    const [program = '', ...args] = command;
    return this.#watched(dir, () => this.#world.romeo.run(program, isIn ? args : [...args, dir], { cwd: isIn ? dir : path.dirname(dir) }));
  }

  clones(): Promise<Fetched> {
    return this.runs(['git', 'clone', 'xmpp::juliet/loot']);
  }

  xmppClones(): Promise<Fetched> {
    return this.runs(['git-xmpp', 'clone', 'juliet/loot']);
  }

  /** Ctrl-C at a command once `isDue`, as a terminal sends it: to all that the command started. */
  interrupts(command: readonly string[], isDue: () => boolean | Promise<boolean>, dir = this.place()): Promise<Fetched> {
    const [program = '', ...args] = command;
    return this.#watched(dir, async () => {
      const { child, ended } = this.#world.romeo.start(program, [...args, dir], { cwd: path.dirname(dir) });
      const { pid = 0 } = child;
      await until(isDue);
      const pids = [pid, ...descendantsOf(pid)];
      process.kill(-pid, 'SIGINT');
      const end = await ended;
      await allEnded(pids);
      return end;
    });
  }

  async #watched(dir: string, work: () => Promise<Ended>): Promise<Fetched> {
    const before = this.#outside(dir);
    const end = await work();
    expect(this.#outside(dir)).toEqual(before);
    for (const words of [end.stdout, end.stderr]) expect(words).not.toMatch(/(?![\t\n\r])\p{Cc}/u);
    expect(end.stderr.length).toBeLessThan(MAX_WORDS);
    const { romeo, play } = this.#world;
    expect((await romeo.status()).account.state).toBe('online');
    expect(await romeo.git(play, 'fsck', '--strict', '--no-dangling')).toBe('');
    return { ...end, dir, isThere: existsSync(dir) };
  }

  /** All but the agent's home, what lies in git folders of others, and `dir`: names, and what an attack could change of the shared repository. */
  #outside(dir: string): unknown {
    const { romeo, look } = this.#world;
    const left = (entry: string): boolean => /^(?:xmpp|play\/\.git|diary\/\.git)\//.test(entry) || path.join(romeo.dir, entry).startsWith(dir) || /^in-\d+\/loot\//.test(entry);
    return { names: readdirSync(romeo.dir, { recursive: true, encoding: 'utf8' }).filter((entry) => !left(entry)).toSorted(), play: look() };
  }
}
