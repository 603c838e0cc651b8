// A person at work in one copy while its agent moves the branch underneath: commits, amends, rebases and resets, chosen by a seed.
// Rule: what git refuses because somebody holds a lock is given again, as a person does; all else has to succeed or be undone.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Ended } from './device.ts';
import type { Copy } from './copies.ts';

/** What git says where somebody else is at work, or was quicker. */
const IN_THE_WAY = /index\.lock|cannot lock ref|[Uu]nable to (?:create|lock)|could not lock|you have unstaged changes|Another git process/;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

/** `write` leaves the commit to the agent. */
export type Act = 'own' | 'same' | 'amend' | 'reset' | 'rebase' | 'write';
/** Half of all acts are commits to files of one's own. */
const ACTS: readonly Act[] = ['own', 'own', 'own', 'own', 'own', 'same', 'same', 'amend', 'reset', 'rebase'];

export class Person {
  readonly copy: Copy;
  readonly #random: () => number;
  #number = 0;

  /** @param random numbers from 0 up to 1 */
  constructor(copy: Copy, random: () => number) {
    this.copy = copy;
    this.#random = random;
  }

  /** Does so many things, one after the other, without waiting for anybody. @param acts chosen from, as often as each is named */
  async work(steps: number, acts: readonly Act[] = ACTS): Promise<void> {
    for (let step = 0; step < steps; step += 1) await this.do(acts[Math.floor(this.#random() * acts.length)] ?? 'own');
  }

  async do(act: Act): Promise<void> {
    const { name } = this.copy.device;
    const number = (this.#number += 1);
    if (act === 'write') return this.#write({ [`${name}/${number % 5}.txt`]: `${name} ${number}\n`, 'shared.txt': `first line\n${name} ${number}\nlast line\n` });
    if (act === 'own') return this.commit({ [`${name}/${number % 5}.txt`]: `${name} ${number}\n` }, `${name} ${number}`);
    if (act === 'same') return this.commit({ 'shared.txt': `first line\n${name} ${number}\nlast line\n` }, `${name} ${number} on the same line`);
    if (act === 'amend') return this.must('commit', '--quiet', '--amend', '--allow-empty', '-m', `${name} ${number} amended`);
    // What has no commit to go back to is left as it is.
    if (act === 'reset') return void (await this.#git('reset', '--quiet', '--keep', 'HEAD~1'));
    const { code } = await this.#git('rebase', '--quiet', '--onto', 'HEAD~2', 'HEAD~1');
    if (code !== 0) await this.#git('rebase', '--abort');
  }

  /** Writes files whole and commits them. */
  async commit(files: Readonly<Record<string, string>>, message: string): Promise<void> {
    await this.#write(files);
    await this.must('add', '--', ...Object.keys(files));
    await this.must('commit', '--quiet', '--allow-empty', '-m', message);
  }

  async #write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [file, text] of Object.entries(files)) {
      const where = path.join(this.copy.dir, file);
      // A folder may go while the agent moves the branch.
      await this.#persist(async () => {
        await mkdir(path.dirname(where), { recursive: true });
        await writeFile(where, text);
      });
    }
  }

  /** Runs a git command that has to succeed, once nobody is in its way. */
  async must(...args: string[]): Promise<void> {
    const { code, stderr } = await this.#git(...args);
    if (code !== 0) throw new Error(`${this.copy.device.name}: git ${args.join(' ')} ended with ${code}: ${stderr}`);
  }

  /** Runs git until nobody is in its way. */
  async #git(...args: string[]): Promise<Ended> {
    const { device, dir } = this.copy;
    for (const until = Date.now() + PATIENCE_MS; ; ) {
      const end = await device.run('git', args, { cwd: dir });
      if (end.code === 0 || !IN_THE_WAY.test(end.stderr) || Date.now() > until) return end;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #persist(work: () => Promise<void>): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (tries === 10) throw error;
      }
    }
  }
}
