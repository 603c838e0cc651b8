// What people do during a storm: they commit, amend, reset and rebase where agents merge, commit on a branch of their own, push, fetch and clone by
// plain git, and look at the status. Rule: whatever they start ends in time, with success or with words that say what is broken; what was refused is given again.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Copy } from '../helpers/copies.ts';
import { Person } from '../helpers/person.ts';
import { randomOf } from './faults.ts';
import { judgeWords } from './storm-words.ts';
import type { Verdict } from './storm-words.ts';
import type { Place, StormSetting } from './storm-setting.ts';

export interface Done {
  /** Commits that people made and did not take back. */
  commits: number;
  /** Commands that ended well. */
  commands: number;
  /** Commands that failed in words that name the fault, by what they told of. */
  readonly refused: Record<Exclude<Verdict, 'untrue'>, number>;
  races: number;
}

const COMMAND_MS = 240_000;
const TIDY_TRIES = 100;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class People {
  readonly done: Done = { commits: 0, commands: 0, refused: { 'no way': 0, machine: 0, race: 0 }, races: 0 };
  /** Every commit on a branch of somebody's own, by branch, which nobody ever takes back: oids. */
  readonly made = new Map<string, string[]>();
  readonly #setting: StormSetting;
  readonly #random: () => number;
  readonly #wrong: (line: string) => void;
  readonly #isOver: () => boolean;
  #clones = 0;

  constructor({ setting, seed, isOver, wrong }: { readonly setting: StormSetting; readonly seed: number; readonly isOver: () => boolean; readonly wrong: (line: string) => void }) {
    this.#setting = setting;
    this.#random = randomOf(seed);
    this.#isOver = isOver;
    this.#wrong = wrong;
  }

  /** Resolves when it is over and everybody has ended what they had begun. */
  async work(): Promise<void> {
    const { places } = this.#setting;
    await Promise.all(places.flatMap((place, index) => [this.#takeNotes(place, index), this.#ownBranch(place), this.#plainGit(place, places[(index + 1) % 3] ?? place)]));
  }

  /** Two push one branch of the third at one moment: one of them, and no more, may be told that it was taken. */
  async bothPush(target: Place): Promise<void> {
    const number = (this.done.races += 1);
    const [one, other] = this.#setting.places.filter((place) => place !== target) as [Place, Place];
    const push = async ({ device, work, name }: Place): Promise<string | undefined> => {
      const tip = await device.git(work.dir, 'rev-parse', 'HEAD');
      const isTaken = await this.#try(name, () => this.#run(device.name, work.dir, ['git', 'push', '--quiet', `xmpp::${target.name}/work`, `${tip}:refs/heads/race-${number}`]));
      return isTaken ? tip : undefined;
    };
    const told = await Promise.all([push(one), push(other)]);
    const taken = told.filter((tip) => tip !== undefined);
    const { stdout } = await target.device.run('git', ['rev-parse', '--quiet', '--verify', `refs/heads/race-${number}`], { cwd: target.work.dir });
    if (taken.length > 1) this.#wrong(`${target.name}: both pushes of race-${number} were told to be taken`);
    else if (taken.length === 1 && stdout.trim() !== taken[0]) this.#wrong(`${target.name}: race-${number} is ${stdout.trim()}, and ${taken[0]} was told to be taken`);
  }

  /** Everybody ends what a fault has left half done; an agent that holds the index at that moment is waited for. */
  async tidyUp(): Promise<void> {
    for (const { device, notes, work, plain, name } of this.#setting.places) {
      await leaveRebase(notes);
      for (const dir of [notes.dir, work.dir, plain]) {
        for (let tries = 0; tries < TIDY_TRIES && !(await this.#try(name, () => this.#commitRest(name, dir))); tries += 1) await pass(100);
      }
      this.#note(name, await device.git(work.dir, 'rev-parse', 'HEAD'));
    }
  }

  async #commitRest(name: string, dir: string): Promise<void> {
    await this.#run(name, dir, ['git', 'add', '--all']);
    const { code } = await this.#place(name).device.run('git', ['diff', '--cached', '--quiet'], { cwd: dir });
    if (code !== 0) await this.#run(name, dir, ['git', 'commit', '--quiet', '-m', 'what was left']);
  }

  async #takeNotes({ notes, name }: Place, index: number): Promise<void> {
    const person = new Person(notes, randomOf(Math.floor(this.#random() * 2 ** 31)));
    while (!this.#isOver()) {
      await this.#try(name, async () => {
        await leaveRebase(notes);
        await person.work(1, index === 2 ? ['write'] : undefined);
      });
      this.done.commits += 1;
      await pass(200 + this.#random() * 2_000);
    }
  }

  async #ownBranch({ name, work }: Place): Promise<void> {
    while (!this.#isOver()) {
      await this.#try(name, () => this.#commit(name, work.dir, name));
      await pass(500 + this.#random() * 3_000);
    }
  }

  async #plainGit({ name, plain, device }: Place, far: Place): Promise<void> {
    for (let round = 0; !this.#isOver(); round += 1) {
      const branch = `from-${name}`;
      if (!(await this.#try(name, () => this.#commit(name, plain, undefined)))) {
        await pass(100);
        continue;
      }
      const tip = await device.git(plain, 'rev-parse', 'HEAD');
      if (await this.#insist(name, plain, ['git', 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`])) this.#note(branch, tip);
      await this.#insist(name, plain, ['git', 'fetch', '--quiet', 'origin']);
      await this.#try(name, () => this.#run(name, plain, ['git-xmpp', round % 2 === 0 ? 'status' : 'sync']));
      if (round % 3 === 2) await this.#clone(name, far.name);
      await pass(this.#random() * 1_000);
    }
  }

  async #clone(name: string, far: string): Promise<void> {
    const { device } = this.#place(name);
    const fresh = device.path(`fresh-${(this.#clones += 1)}`);
    // Whoever finds the disk read-only takes it away later, as git itself could not.
    const takeAway = async (): Promise<void> => {
      for (let isGone = false; !isGone; ) isGone = await rm(fresh, { recursive: true, force: true }).then(() => true, () => pass(500).then(() => false));
    };
    await this.#insist(name, device.dir, ['git', 'clone', '--quiet', `xmpp::${far}/${this.#random() < 0.5 ? 'work' : 'notes'}`, fresh], takeAway);
    await takeAway();
  }

  /** @param branch where the commit counts for good */
  async #commit(name: string, dir: string, branch: string | undefined): Promise<void> {
    const { device } = this.#place(name);
    const bytes = Math.round(2_000 + this.#random() ** 3 * 400_000);
    await writeFile(path.join(dir, `${name}.bin`), randomBytes(bytes));
    await this.#run(name, dir, ['git', 'add', '--all']);
    await this.#run(name, dir, ['git', 'commit', '--quiet', '--allow-empty', '-m', `${bytes} bytes of ${name}`]);
    if (branch !== undefined) this.#note(branch, await device.git(dir, 'rev-parse', 'HEAD'));
    this.done.commits += 1;
  }

  #note(branch: string, oid: string): void {
    this.made.set(branch, [...(this.made.get(branch) ?? []), oid]);
  }

  /** Gives a command again until it succeeds, or the storm is over; `before` each time. */
  async #insist(name: string, dir: string, command: readonly string[], before = async (): Promise<void> => undefined): Promise<boolean> {
    for (;;) {
      await before();
      if (await this.#try(name, () => this.#run(name, dir, command))) return true;
      if (this.#isOver()) return false;
      await pass(500 + this.#random() * 1_000);
    }
  }

  async #run(name: string, dir: string, [command = '', ...args]: readonly string[]): Promise<void> {
    const ongoing = this.#place(name).device.start(command, args, { cwd: dir });
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      if (ongoing.child.pid !== undefined) process.kill(-ongoing.child.pid, 'SIGKILL');
    }, COMMAND_MS);
    const { code, stdout, stderr } = await ongoing.ended;
    clearTimeout(timer);
    if (isLate) throw new Error(`${command} ${args.join(' ')} hung for ${COMMAND_MS} ms: ${stdout}${stderr}`);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
    this.done.commands += 1;
  }

  /** @returns whether it succeeded */
  async #try(name: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      const verdict = judgeWords(words);
      if (verdict === 'untrue' || words.includes(' hung for ')) this.#wrong(`${name}: ${words}`);
      else this.done.refused[verdict] += 1;
      return false;
    }
  }

  #place(name: string): Place {
    const place = this.#setting.places.find((each) => each.name === name);
    if (place === undefined) throw new Error(`no device is called ${name}`);
    return place;
  }
}

/** Takes back a rebase that a fault has cut short; git cannot where it had no room to write down what it was about. */
async function leaveRebase({ device, dir }: Copy): Promise<void> {
  const states = ['rebase-merge', 'rebase-apply'].map((each) => path.join(dir, '.git', each)).filter((each) => existsSync(each));
  if (states.length === 0) return;
  await device.run('git', ['rebase', '--abort'], { cwd: dir });
  for (const state of states) await rm(state, { recursive: true, force: true });
  await device.run('git', ['switch', '--quiet', 'main'], { cwd: dir });
}
